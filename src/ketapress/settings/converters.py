"""How each kind of setting is read: TOML's value in, the model's value out, ValueError with a sentence otherwise.

A sentence completes `[section] key = value: …`.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ketapress.model.address import Mailbox, parse_address, parse_mailbox
from ketapress.model.edition import SUPPORTED_YEARS
from ketapress.model.settings import Author, DkimSettings, RelayUrl, setting_specs
from ketapress.settings.schedule import parse_schedule

_DURATION = re.compile(r"(\d+)\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MAX_DURATION = timedelta(
    days=36525
)  # a century: longer is a slip of the hand, and sums with it leave the calendar
_URL = re.compile(
    r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:/[A-Za-z0-9._~%!$&'()*+,;=:@/-]*)?\Z"
)
_COLOR = re.compile(r"#[0-9a-fA-F]{6}\Z")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*\Z")
_RELAY_SCHEMES = {"smtp": ("none", 25), "smtp+starttls": ("starttls", 587), "smtps": ("tls", 465)}
_MIN_SECRET_LENGTH = 32  # characters; a blake2b key of 16 random bytes in hexadecimal


def _parse_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("it has to be text in quotes")  # noqa: TRY004 - every refusal here is a ValueError
    return " ".join(value.split())


def _parse_template(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("it has to be a template in quotes")
    return value


def _parse_texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError('it has to be a list of texts: ["one", "two"]')  # noqa: TRY004
    return tuple(_parse_text(item) for item in value)


def _number_parser(minimum: int, maximum: int, description: str) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
            raise ValueError(f"it has to be {description} from {minimum} to {maximum}")
        return value

    return parse


def _parse_rate(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1_000_000:  # noqa: PLR2004
        raise ValueError("it has to be a number of messages a second, above 0")
    return float(value)


def _parse_url(value: Any) -> str:
    text = _parse_text(value).rstrip("/")
    if not _URL.match(text):
        raise ValueError("it has to be a full URL without query: https://example.org")
    return text


def _parse_zone(value: Any) -> str:
    text = _parse_text(value)
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("it is no IANA zone; write one like Europe/Berlin or America/New_York") from None
    return text


def _parse_language(value: Any) -> str:
    text = _parse_text(value)
    if not _LANGUAGE.match(text):
        raise ValueError("it is no language tag; write one like en, de-CH or ar")
    return text


def _parse_color(value: Any) -> str:
    text = _parse_text(value)
    if not _COLOR.match(text):
        raise ValueError("it has to be a colour of six hexadecimal digits: #8a3b12")
    return text.lower()


def _parse_time(value: Any) -> time:
    if isinstance(value, time):
        return value
    try:
        return time.fromisoformat(_parse_text(value))
    except ValueError:
        raise ValueError('it has to be a time of day: "06:00"') from None


def _parse_date(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime) and value.year in SUPPORTED_YEARS:
        return value
    raise ValueError("it has to be a date of our times without quotes: 2023-06-05")


def _parse_duration(value: Any) -> timedelta:
    text = _parse_text(value)
    matches = _DURATION.findall(text)
    if not matches or "".join(_DURATION.sub("", text).split()):
        raise ValueError('it has to be a span like "36h", "7d" or "1h 30m"')
    try:
        duration = sum((timedelta(**{_UNITS[unit]: int(count)}) for count, unit in matches), timedelta())
    except OverflowError:
        duration = timedelta.max
    if duration > _MAX_DURATION:
        raise ValueError("it is longer than a century")
    return duration


def _parse_address(value: Any) -> str:
    return parse_address(_parse_text(value))


def _parse_mailbox(value: Any) -> Mailbox:
    return parse_mailbox(_parse_text(value))


def _choice_parser(*choices: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in choices:
            raise ValueError("it has to be " + " or ".join(f'"{choice}"' for choice in choices))
        return str(value)

    return parse


def _parse_relay_url(value: Any) -> RelayUrl:
    parts = urlsplit(_parse_text(value))
    if parts.scheme not in _RELAY_SCHEMES or not parts.hostname or parts.path not in {"", "/"}:
        raise ValueError("it has to be smtp://host:port, smtp+starttls://… or smtps://…")
    security, default_port = _RELAY_SCHEMES[parts.scheme]
    try:
        port = parts.port or default_port
    except ValueError:
        raise ValueError("its port has to be a number from 1 to 65535") from None
    return RelayUrl(
        parts.hostname, port, security, unquote(parts.username or ""), unquote(parts.password or "")
    )


def _parse_database_url(value: Any) -> str:
    text = _parse_text(value)
    if not text.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("it has to begin with sqlite:/// or postgresql+psycopg://")
    return text


def _parse_secret(value: Any) -> str:
    text = _parse_text(value)
    if len(text) < _MIN_SECRET_LENGTH:
        raise ValueError(
            f"it has to have {_MIN_SECRET_LENGTH} characters or more; `openssl rand -hex 32` makes one"
        )
    return text


def _parse_secrets(value: Any) -> tuple[str, ...]:
    return tuple(_parse_secret(item) for item in _parse_texts(value))


def _optional_parser(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same reader, with an empty text for `not set`."""
    return lambda value: "" if value == "" else parse(value)


def _table_parser(cls: type, example: str) -> Callable[[Any], Any]:
    """A reader for an inline table such as `author = { name = "…" }`."""

    def parse(value: Any) -> Any:
        specs = {spec.key: spec for spec in setting_specs(cls)}
        if not isinstance(value, dict) or set(value) - set(specs):
            raise ValueError(f"it has to be a table with {', '.join(specs)}: {example}")
        missing = [key for key, spec in specs.items() if spec.is_required and key not in value]
        if missing:
            raise ValueError(f"it lacks {', '.join(missing)}: {example}")
        return cls(**{specs[key].name: CONVERTERS[specs[key].converter](spec) for key, spec in value.items()})

    return parse


CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    "text": _parse_text,
    "texts": _parse_texts,
    "template": _parse_template,
    "url": _parse_url,
    "optional url": _optional_parser(_parse_url),
    "zone": _parse_zone,
    "language": _parse_language,
    "colour": _parse_color,
    "clock": _parse_time,
    "date": _parse_date,
    "optional date": _parse_date,
    "duration": _parse_duration,
    "optional duration": _parse_duration,
    "address": _optional_parser(_parse_address),
    "mailbox": _parse_mailbox,
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
    "secrets": _parse_secrets,
    "author": _table_parser(Author, '{ name = "…", email = "…" }'),
    "dkim": _table_parser(DkimSettings, '{ domain = "…", selector = "…", key_file = "…" }'),
}
"""By the name that a setting's declaration gives as `reads`."""


def sqlite_path(url: str) -> str | None:
    """The file of a SQLite URL, relative to the publication folder or absolute; None for another database."""
    return url.removeprefix("sqlite:///") if url.startswith("sqlite:///") else None
