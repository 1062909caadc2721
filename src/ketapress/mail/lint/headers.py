"""Headers of the message as octets: what relays refuse, and what one-click unsubscribe needs."""

import re
from collections import Counter
from collections.abc import Iterator
from email.header import decode_header, make_header

from ketapress.mail.lint.document import excerpt, mail_problem
from ketapress.model.errors import Problem, Severity

_UNIQUE_HEADERS = (
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
_MAX_LINE = 998  # octets of a line (RFC 5322, 2.1.1)
_MAX_ENCODED_WORD = 75  # octets of an encoded word (RFC 2047, 2)
_MAX_SUBJECT = 120  # characters; phones show about 40, desktop clients hardly more than this
_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bq]\?[^?\s]*\?=", re.IGNORECASE)
_SETTINGS_FILE = "ketapress.toml"
_CURE = "This is a bug in Ketapress or in an overridden file: report it with the message."


def header_problems(message: bytes) -> Iterator[Problem]:
    """Yield missing, repeated, overlong and wrongly encoded headers."""
    head = message.partition(b"\r\n\r\n")[0]
    yield from _line_problems(head)
    fields = header_fields(message)
    counts = Counter(name.lower() for name, _ in fields)
    for name in _UNIQUE_HEADERS:
        count = counts[name.lower()]
        if count != 1:
            yield _header_problem(
                "header-count", f"the header {name} occurs {count} times; it must occur once."
            )
    for name, value in fields:
        yield from _word_problems(name, value)


def header_fields(message: bytes) -> list[tuple[str, str]]:
    """Return the names and unfolded values of all headers, in order."""
    head = message.partition(b"\r\n\r\n")[0].decode("latin-1")
    lines = re.sub(r"\r\n(?=[ \t])", "", head).split("\r\n")
    return [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]


def unsubscribe_address(message: bytes) -> str:
    """Return the http(s) URL in List-Unsubscribe (RFC 8058, 3.1); an empty string where there is none."""
    values = [value for name, value in header_fields(message) if name.lower() == "list-unsubscribe"]
    match = re.search(r"<(https?://[^<>\s]+)>", values[0]) if values else None
    return match[1] if match else ""


def _line_problems(head: bytes) -> Iterator[Problem]:
    lines = head.split(b"\r\n")
    if any(b"\r" in line or b"\n" in line for line in lines):
        yield _header_problem(
            "header-break", "a header contains a bare line break, so the rest of it becomes another header."
        )
    for line in lines:
        name = excerpt(line.partition(b":")[0].decode("latin-1"))
        if len(line) > _MAX_LINE:
            yield _header_problem(
                "header-long",
                f"a line of {name} has {len(line)} octets; relays refuse more than {_MAX_LINE}.",
            )
        if not line.isascii() or re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", line):
            yield _header_problem("header-octets", f"{name} contains octets that are not printable ASCII.")


def _word_problems(name: str, value: str) -> Iterator[Problem]:
    if "=?" in value and (_STRUCTURED.match(name) or re.search(r"<[^>]*=\?[^>]*>", value)):
        yield _header_problem(
            "header-encoded",
            f"{name} contains an encoded word where RFC 2047, 5, forbids one: Gmail ignores the header.",
        )
    if any(len(word) > _MAX_ENCODED_WORD for word in _ENCODED_WORD.findall(value)):
        yield _header_problem(
            "header-word", f"{name} has an encoded word of more than {_MAX_ENCODED_WORD} octets."
        )
    if name.lower() == "subject":
        yield from _subject_problems(value)


def _subject_problems(value: str) -> Iterator[Problem]:
    subject = _decode_subject(value)
    if len(subject) > _MAX_SUBJECT:
        yield mail_problem(
            "subject-long",
            f"the subject has {len(subject)} characters; phones show about 40.",
            "Shorten the title of the first post, or set `subject` of the newsletter.",
            path=_SETTINGS_FILE,
            severity=Severity.WARNING,
        )


def _decode_subject(value: str) -> str:
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, UnicodeError, ValueError):
        return value


def _header_problem(code: str, message: str) -> Problem:
    return mail_problem(code, message, _CURE, path=_SETTINGS_FILE)
