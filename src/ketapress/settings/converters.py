"""Converters of settings: a TOML value in, a value of the model out. Raises ValueError.

The text of an error completes the sentence "`section.key` is not valid: …".
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ketapress.model.address import parse_address, parse_mailbox
from ketapress.model.edition import SUPPORTED_YEARS
from ketapress.model.settings import Author, DkimSettings, RelayUrl, setting_specs
from ketapress.settings.schedule import parse_schedule

_DURATION = re.compile(r"(\d+)\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MAX_DURATION = timedelta(days=36525)  # a century; with a longer one, sums of dates could overflow
_URL = re.compile(
    r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:/[A-Za-z0-9._~%!$&'()*+,;=:@/-]*)?\Z"
)
_COLOR = re.compile(r"#[0-9a-fA-F]{6}\Z")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*\Z")
_RELAY_SCHEMES = {"smtp": ("none", 25), "smtp+starttls": ("starttls", 587), "smtps": ("tls", 465)}
_MIN_SECRET_LENGTH = 32  # characters; a blake2b key of 16 random bytes in hexadecimal


def _parse_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("expected text in quotes")  # noqa: TRY004 - the caller expects ValueError for every error
    return " ".join(value.split())


def _parse_template(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("expected a template in quotes")
    return value


def _parse_texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError('expected a list of texts, such as ["one", "two"]')  # noqa: TRY004
    return tuple(_parse_text(item) for item in value)


def _number_parser(minimum: int, maximum: int, description: str) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
            raise ValueError(f"expected {description} from {minimum} to {maximum}")
        return value

    return parse


def _parse_rate(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1_000_000:  # noqa: PLR2004
        raise ValueError("expected a number of messages per second, greater than 0")
    return float(value)


def _parse_url(value: Any) -> str:
    text = _parse_text(value).rstrip("/")
    if not _URL.match(text):
        raise ValueError("expected a full URL without a query, such as https://example.org")
    return text


def _parse_zone(value: Any) -> str:
    text = _parse_text(value)
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("expected an IANA time zone, such as Europe/Berlin or America/New_York") from None
    return text


def _parse_language(value: Any) -> str:
    text = _parse_text(value)
    if not _LANGUAGE.match(text):
        raise ValueError("expected a language tag, such as en, de-CH or ar")
    return text


def _parse_color(value: Any) -> str:
    text = _parse_text(value)
    if not _COLOR.match(text):
        raise ValueError("expected a color of six hexadecimal digits, such as #8a3b12")
    return text.lower()


def _parse_time(value: Any) -> time:
    if isinstance(value, time):
        return value
    try:
        return time.fromisoformat(_parse_text(value))
    except ValueError:
        raise ValueError('expected a time of day, such as "06:00"') from None


def _parse_date(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime) and value.year in SUPPORTED_YEARS:
        return value
    raise ValueError("expected a date of our times without quotes, such as 2023-06-05")


def _parse_duration(value: Any) -> timedelta:
    text = _parse_text(value)
    matches = _DURATION.findall(text)
    if not matches or "".join(_DURATION.sub("", text).split()):
        raise ValueError('expected a duration, such as "36h", "7d" or "1h 30m"')
    try:
        duration = sum((timedelta(**{_UNITS[unit]: int(count)}) for count, unit in matches), timedelta())
    except OverflowError:
        duration = timedelta.max
    if duration > _MAX_DURATION:
        raise ValueError("it is longer than a century")
    return duration


def _choice_parser(*choices: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in choices:
            raise ValueError("expected " + " or ".join(f'"{choice}"' for choice in choices))
        return str(value)

    return parse


def _parse_relay_url(value: Any) -> RelayUrl:
    parts = urlsplit(_parse_text(value))
    if parts.scheme not in _RELAY_SCHEMES or not parts.hostname or parts.path not in {"", "/"}:
        raise ValueError("expected smtp://host:port, smtp+starttls://… or smtps://…")
    security, default_port = _RELAY_SCHEMES[parts.scheme]
    try:
        port = parts.port or default_port
    except ValueError:
        raise ValueError("the port has to be a number from 1 to 65535") from None
    return RelayUrl(
        parts.hostname, port, security, unquote(parts.username or ""), unquote(parts.password or "")
    )


def _parse_database_url(value: Any) -> str:
    text = _parse_text(value)
    if not text.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("it has to start with sqlite:/// or postgresql+psycopg://")
    return text


def _parse_secret(value: Any) -> str:
    text = _parse_text(value)
    if len(text) < _MIN_SECRET_LENGTH:
        raise ValueError(
            f"it is shorter than {_MIN_SECRET_LENGTH} characters; `openssl rand -hex 32` creates a secret"
        )
    return text


def _optional_parser(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a converter that also accepts an empty text, for a setting that is not set."""
    return lambda value: "" if value == "" else parse(value)


def _table_parser(cls: type, example: str) -> Callable[[Any], Any]:
    """Return a converter of inline tables such as `author = { name = "…" }`."""

    def parse(value: Any) -> Any:
        specs = {spec.key: spec for spec in setting_specs(cls)}
        if not isinstance(value, dict) or set(value) - set(specs):
            raise ValueError(f"expected a table with {', '.join(specs)}: {example}")
        missing = [key for key, spec in specs.items() if spec.is_required and key not in value]
        if missing:
            raise ValueError(f"{', '.join(missing)} is missing: {example}")
        return cls(**{specs[key].name: CONVERTERS[specs[key].converter](item) for key, item in value.items()})

    return parse


CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    "text": _parse_text,
    "texts": _parse_texts,
    "template": _parse_template,
    "url": _parse_url,
    "optional url": _optional_parser(_parse_url),
    "zone": _parse_zone,
    "language": _parse_language,
    "color": _parse_color,
    "clock": _parse_time,
    "date": _parse_date,
    "optional date": _parse_date,
    "duration": _parse_duration,
    "optional duration": _parse_duration,
    "address": _optional_parser(lambda value: parse_address(_parse_text(value))),
    "mailbox": lambda value: parse_mailbox(_parse_text(value)),
    "schedule": lambda value: parse_schedule(_parse_text(value)),
    "count": _number_parser(1, 10_000, "a whole number"),
    "bytes": _number_parser(8_192, 10_000_000, "a number of bytes"),
    "port": _number_parser(0, 65_535, "a port"),
    "optional rate": _parse_rate,
    "dates": _choice_parser("author", "first seen"),
    "approval": _choice_parser("none", "one"),
    "theme": _choice_parser("magazine", "bulletin", "letter"),
    "font": _choice_parser("serif", "sans"),
    "in doubt": _choice_parser("resend", "hold"),
    "durability": _choice_parser("power", "process"),
    "relay url": _parse_relay_url,
    "database url": _parse_database_url,
    "secret": _optional_parser(_parse_secret),
    "secrets": lambda value: tuple(_parse_secret(item) for item in _parse_texts(value)),
    "author": _table_parser(Author, '{ name = "…", email = "…" }'),
    "dkim": _table_parser(DkimSettings, '{ domain = "…", selector = "…", key_file = "…" }'),
}
"""The converters by the name in a setting's declaration (`Setting.converter`)."""


def sqlite_path(url: str) -> str | None:
    """Return the file of a SQLite URL, relative to the publication folder or absolute; None for another database."""
    return url.removeprefix("sqlite:///") if url.startswith("sqlite:///") else None
