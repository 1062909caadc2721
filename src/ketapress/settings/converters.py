"""How each kind of setting is read: TOML's value in, the model's value out, ValueError with a sentence otherwise.

A sentence completes `[section] key = value: …`.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ketapress.model.address import Mailbox, parsed_address, parsed_mailbox
from ketapress.model.edition import YEARS
from ketapress.model.lazy_regex import pattern
from ketapress.model.settings import Author, DkimSettings, RelayUrl, declared
from ketapress.settings.schedule import parsed_schedule

_DURATION = pattern(r"(\d+)\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = timedelta(
    days=36525
)  # a century: longer is a slip of the hand, and sums with it leave the calendar
_PLAIN_URL = pattern(
    r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:/[A-Za-z0-9._~%!$&'()*+,;=:@/-]*)?\Z"
)
_COLOUR = pattern(r"#[0-9a-fA-F]{6}\Z")
_LANGUAGE = pattern(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*\Z")
_RELAY_SCHEMES = {"smtp": ("none", 25), "smtp+starttls": ("starttls", 587), "smtps": ("tls", 465)}
_SHORTEST_SECRET = 32  # characters; a blake2b key of 16 random bytes in hexadecimal


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("it has to be text in quotes")  # noqa: TRY004 - every refusal here is a ValueError
    return " ".join(value.split())


def _template(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("it has to be a template in quotes")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError('it has to be a list of texts: ["one", "two"]')  # noqa: TRY004
    return tuple(_text(each) for each in value)


def _number(smallest: int, largest: int, what: str) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not smallest <= value <= largest:
            raise ValueError(f"it has to be {what} from {smallest} to {largest}")
        return value

    return read


def _rate(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1_000_000:  # noqa: PLR2004
        raise ValueError("it has to be a number of messages a second, above 0")
    return float(value)


def _url(value: Any) -> str:
    text = _text(value).rstrip("/")
    if not _PLAIN_URL.match(text):
        raise ValueError("it has to be a full URL without query: https://example.org")
    return text


def _zone(value: Any) -> str:
    text = _text(value)
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("it is no IANA zone; write one like Europe/Berlin or America/New_York") from None
    return text


def _language(value: Any) -> str:
    text = _text(value)
    if not _LANGUAGE.match(text):
        raise ValueError("it is no language tag; write one like en, de-CH or ar")
    return text


def _colour(value: Any) -> str:
    text = _text(value)
    if not _COLOUR.match(text):
        raise ValueError("it has to be a colour of six hexadecimal digits: #8a3b12")
    return text.lower()


def _clock(value: Any) -> time:
    if isinstance(value, time):
        return value
    try:
        return time.fromisoformat(_text(value))
    except ValueError:
        raise ValueError('it has to be a time of day: "06:00"') from None


def _date(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime) and value.year in YEARS:
        return value
    raise ValueError("it has to be a date of our times without quotes: 2023-06-05")


def _duration(value: Any) -> timedelta:
    text = _text(value)
    found = _DURATION.findall(text)
    if not found or "".join(_DURATION.sub("", text).split()):
        raise ValueError('it has to be a span like "36h", "7d" or "1h 30m"')
    try:
        span = sum((timedelta(**{_UNITS[unit]: int(count)}) for count, unit in found), timedelta())
    except OverflowError:
        span = timedelta.max
    if span > _LONGEST:
        raise ValueError("it is longer than a century")
    return span


def _address(value: Any) -> str:
    return parsed_address(_text(value))


def _mailbox(value: Any) -> Mailbox:
    return parsed_mailbox(_text(value))


def _one_of(*choices: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in choices:
            raise ValueError("it has to be " + " or ".join(f'"{choice}"' for choice in choices))
        return str(value)

    return read


def _relay_url(value: Any) -> RelayUrl:
    parts = urlsplit(_text(value))
    if parts.scheme not in _RELAY_SCHEMES or not parts.hostname or parts.path not in {"", "/"}:
        raise ValueError("it has to be smtp://host:port, smtp+starttls://… or smtps://…")
    security, usual_port = _RELAY_SCHEMES[parts.scheme]
    try:
        port = parts.port or usual_port
    except ValueError:
        raise ValueError("its port has to be a number from 1 to 65535") from None
    return RelayUrl(
        parts.hostname, port, security, unquote(parts.username or ""), unquote(parts.password or "")
    )


def _database_url(value: Any) -> str:
    text = _text(value)
    if not text.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("it has to begin with sqlite:/// or postgresql+psycopg://")
    return text


def _secret(value: Any) -> str:
    text = _text(value)
    if len(text) < _SHORTEST_SECRET:
        raise ValueError(
            f"it has to have {_SHORTEST_SECRET} characters or more; `openssl rand -hex 32` makes one"
        )
    return text


def _secrets(value: Any) -> tuple[str, ...]:
    return tuple(_secret(each) for each in _texts(value))


def _optional(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The same reader, with an empty text for `not set`."""
    return lambda value: "" if value == "" else read(value)


def _table(cls: type, reads: str) -> Callable[[Any], Any]:
    """A reader for an inline table such as `author = { name = "…" }`."""

    def read(value: Any) -> Any:
        known = {each.key: each for each in declared(cls)}
        if not isinstance(value, dict) or set(value) - set(known):
            raise ValueError(f"it has to be a table with {', '.join(known)}: {reads}")
        lacking = [key for key, each in known.items() if each.required and key not in value]
        if lacking:
            raise ValueError(f"it lacks {', '.join(lacking)}: {reads}")
        return cls(**{known[key].name: READERS[known[key].reads](each) for key, each in value.items()})

    return read


READERS: Mapping[str, Callable[[Any], Any]] = {
    "text": _text,
    "texts": _texts,
    "template": _template,
    "url": _url,
    "optional url": _optional(_url),
    "zone": _zone,
    "language": _language,
    "colour": _colour,
    "clock": _clock,
    "date": _date,
    "optional date": _date,
    "duration": _duration,
    "optional duration": _duration,
    "address": _optional(_address),
    "mailbox": _mailbox,
    "schedule": lambda value: parsed_schedule(_text(value)),
    "count": _number(1, 10_000, "a whole number"),
    "bytes": _number(8_192, 10_000_000, "a number of bytes"),
    "port": _number(0, 65_535, "a port"),
    "optional rate": _rate,
    "approval": _one_of("none", "one"),
    "theme": _one_of("magazine", "bulletin", "letter"),
    "font": _one_of("serif", "sans"),
    "in doubt": _one_of("resend", "hold"),
    "durability": _one_of("power", "process"),
    "relay url": _relay_url,
    "database url": _database_url,
    "secret": _optional(_secret),
    "secrets": _secrets,
    "author": _table(Author, '{ name = "…", email = "…" }'),
    "dkim": _table(DkimSettings, '{ domain = "…", selector = "…", key_file = "…" }'),
}
"""By the name that a setting's declaration gives as `reads`."""


def sqlite_file(url: str) -> str | None:
    """The file of a SQLite URL, relative to the publication folder or absolute; None for another database."""
    return url.removeprefix("sqlite:///") if url.startswith("sqlite:///") else None
