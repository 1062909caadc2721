"""Headers of the message, octet by octet: what relays refuse and one-click unsubscribe depends on."""

import re
from collections import Counter
from collections.abc import Iterator
from email.header import decode_header, make_header

from ketapress.mail.lint.document import fault, shown
from ketapress.model.errors import Problem, Severity

_ONCE = (
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
)
_STRUCTURED = re.compile(r"(?:list-.*|feedback-id|message-id|date|mime-version|content-.*)\Z", re.IGNORECASE)
_LONGEST = 998  # octets of a line (RFC 5322, 2.1.1)
_LONGEST_WORD = 75  # octets of an encoded word (RFC 2047, 2)
_LONG_SUBJECT = 120  # characters; phones show 40, the widest list of messages hardly this
_WORD = re.compile(r"=\?[^?\s]+\?[bq]\?[^?\s]*\?=", re.IGNORECASE)
_SETTINGS = "ketapress.toml"
_CURE = "This is a fault of Ketapress or of a file in its place: report it with the message."


def header_problems(message: bytes) -> Iterator[Problem]:
    block = message.partition(b"\r\n\r\n")[0]
    yield from _line_problems(block)
    fields = header_fields(message)
    counts = Counter(name.lower() for name, _ in fields)
    for name in _ONCE:
        count = counts[name.lower()]
        if count != 1:
            yield _wrong("header-count", f"the header {name} is there {count} times, and has to be once.")
    for name, value in fields:
        yield from _word_problems(name, value)


def header_fields(message: bytes) -> list[tuple[str, str]]:
    """Names and unfolded values, in their order."""
    block = message.partition(b"\r\n\r\n")[0].decode("latin-1")
    lines = re.sub(r"\r\n(?=[ \t])", "", block).split("\r\n")
    return [(name.strip(), value.strip()) for name, _, value in (each.partition(":") for each in lines)]


def unsubscribe_address(message: bytes) -> str:
    """The web address in List-Unsubscribe; empty where there is none (RFC 8058, 3.1)."""
    values = [value for name, value in header_fields(message) if name.lower() == "list-unsubscribe"]
    found = re.search(r"<(https?://[^<>\s]+)>", values[0]) if values else None
    return found[1] if found else ""


def _line_problems(block: bytes) -> Iterator[Problem]:
    lines = block.split(b"\r\n")
    if any(b"\r" in line or b"\n" in line for line in lines):
        yield _wrong(
            "header-break", "a header holds a bare line break: what follows it is a header of its own."
        )
    for line in lines:
        name = shown(line.partition(b":")[0].decode("latin-1"))
        if len(line) > _LONGEST:
            yield _wrong(
                "header-long", f"a line of {name} has {len(line)} octets; relays refuse more than {_LONGEST}."
            )
        if not line.isascii() or re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", line):
            yield _wrong("header-octets", f"{name} holds octets that are not printable ASCII.")


def _word_problems(name: str, value: str) -> Iterator[Problem]:
    if "=?" in value and (_STRUCTURED.match(name) or re.search(r"<[^>]*=\?[^>]*>", value)):
        yield _wrong(
            "header-encoded",
            f"{name} holds an encoded word where none may be (RFC 2047, 5): Gmail ignores the header.",
        )
    if any(len(word) > _LONGEST_WORD for word in _WORD.findall(value)):
        yield _wrong("header-word", f"{name} has an encoded word of more than {_LONGEST_WORD} octets.")
    if name.lower() == "subject":
        yield from _subject_problems(value)


def _subject_problems(value: str) -> Iterator[Problem]:
    subject = _decoded(value)
    if len(subject) > _LONG_SUBJECT:
        yield fault(
            "subject-long",
            f"the subject has {len(subject)} characters; phones show about 40.",
            "Shorten the title of the first post, or set `subject` of the newsletter.",
            path=_SETTINGS,
            severity=Severity.WARNING,
        )


def _decoded(value: str) -> str:
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, UnicodeError, ValueError):
        return value


def _wrong(code: str, message: str) -> Problem:
    return fault(code, message, _CURE, path=_SETTINGS)
