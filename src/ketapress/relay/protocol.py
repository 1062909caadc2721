"""The bytes of SMTP: parse replies (RFC 5321, 4.2) and dot-stuff messages (4.5.2). Never uses a socket.

Replies are untrusted: they are limited in length, and cleaned before they are shown.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from ketapress.model.delivery import Reply

MAX_LINE = 4096  # bytes; RFC 5321, 4.5.3.1.5 allows 512, and real servers send more
MAX_LINES = 128
MAX_TEXT = 400  # characters of a reply that are stored

_LINE = re.compile(rb"([2-5][0-5][0-9])(?:([ -])(.*))?\Z", re.DOTALL)
_LINE_END = re.compile(rb"\r\n|\r|\n")
_LEADING_DOT = b"\r\n."
_LONG_CHUNK = 512  # bytes; searching shorter ones takes no longer than the lookup in a cache
_ENHANCED_CODE = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|\Z)")


class ProtocolError(Exception):
    """What the relay sent is not an SMTP reply, or is longer than any real one."""


class SmtpReply(NamedTuple):
    """One reply as it was received: the code of its last line, and the text of each line."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def reply(self) -> Reply:
        """The reply on one line of limited length without control characters, and its enhanced code."""
        enhanced, texts = "", []
        for line in self.lines:
            text = clean_text(line)
            match = _ENHANCED_CODE.match(text)
            if (
                match and match[1][0] == str(self.code)[0]
            ):  # RFC 2034, 4: the classes of both codes are the same
                enhanced, text = match[1], text[match.end() :]
            texts.append(text)
        return Reply(self.code, " ".join(filter(None, texts))[:MAX_TEXT], enhanced)


class ReplyParser:
    """Splits a stream into replies. After a ProtocolError the stream cannot be used."""

    def __init__(self) -> None:
        self._partial_line = b""
        self._lines: list[bytes] = []

    @property
    def has_partial_reply(self) -> bool:
        return bool(self._partial_line or self._lines)

    def feed(self, data: bytes) -> Iterator[SmtpReply]:
        """Yield the replies that `data` completes. Raises ProtocolError."""
        *lines, self._partial_line = (self._partial_line + data).split(b"\n")
        for line in lines:
            reply = self._parse_line(line.removesuffix(b"\r"))
            if reply is not None:
                yield reply
        if len(self._partial_line) > MAX_LINE:
            raise ProtocolError(f"a line of its reply is longer than {MAX_LINE} bytes")

    def _parse_line(self, line: bytes) -> SmtpReply | None:
        match = _LINE.match(line)
        if match is None or len(line) > MAX_LINE:
            raise ProtocolError(f"its reply is not SMTP: {clean_text(line[:80])!r}")
        code, separator, text = match.groups()
        if separator != b"-" and not self._lines:  # one line, as nearly all replies are
            return SmtpReply(int(code), (text or b"",))
        self._lines.append(text or b"")
        if len(self._lines) > MAX_LINES:
            raise ProtocolError(f"its reply has more than {MAX_LINES} lines")
        if separator == b"-":
            return None
        reply = SmtpReply(int(code), tuple(self._lines))
        self._lines.clear()
        return reply


def clean_text(line: bytes) -> str:
    """Decode a line without control characters, escape sequences and marks of text direction."""
    text = line[:MAX_LINE].decode("utf-8", "replace")
    if text.isprintable():
        return text.strip()
    return "".join(char if char.isprintable() else " " for char in text).strip()


def dot_stuff(chunks: Sequence[bytes]) -> bytes:
    """Return a message as it is sent after 354: it ends with CRLF, and each leading full stop is doubled.

    Messages that we render have no line with a leading full stop, and a search of 60 KB takes 50 us. Long chunks recur
    in all messages of an edition: each is searched once, and then only what is between them.
    """
    message = b"".join(chunks)
    if message.startswith(b".") or _LEADING_DOT in b"".join(
        [chunk if len(chunk) < _LONG_CHUNK else _part_to_search(chunk) for chunk in chunks]
    ):
        lines = _LINE_END.sub(b"\r\n", message).split(b"\r\n")
        message = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)
    return message if message.endswith(b"\r\n") else message + b"\r\n"


@lru_cache(maxsize=64)
def _part_to_search(chunk: bytes) -> bytes:
    """Return the ends of a chunk that has no leading full stop inside, else the chunk."""
    return chunk if _LEADING_DOT in chunk else chunk[: len(_LEADING_DOT)] + chunk[-len(_LEADING_DOT) :]
