"""Quoted-printable that can be cut open and filled: RFC 2045, 6.7.

In: text. Out: ASCII lines of at most 76 octets with CRLF between them, none of which begins with a full stop, so that
SMTP has nothing to stuff (RFC 5321, 4.5.2), or with `From `, which mail boxes rewrite. The standard library's encoder
cares for neither at the lines it breaks itself.
"""

import re
from collections.abc import Sequence

LINE = 76
_LITERAL = bytes(code for code in range(0x20, 0x7F) if code != ord("=")) + b"\t"
_CODES = tuple(bytes((code,)) if code in _LITERAL else b"=%02X" % code for code in range(256))
SOFT_BREAK = b"=\r\n"
# A line that is written as it stands, as addresses and links nearly always are: it does not begin with a full stop or
# the F of `From `, has no blank at its ends, and no equals sign.
_PLAIN = re.compile(rb"[!-\-/-<>-EG-~](?:[ -<>-~]*[!-<>-~])?\Z")


def quoted_segments(texts: Sequence[str]) -> list[bytes]:
    """The texts between the slots, so that each value begins a line, and what follows it begins the next."""
    segments = []
    for place, text in enumerate(texts, start=1):
        segment = quoted_lines(text) if place == 1 else SOFT_BREAK + quoted_lines(text)
        if place < len(texts) and segment and not segment.endswith(b"\n"):
            segment += SOFT_BREAK
        segments.append(segment)
    return segments


def quoted_lines(text: str) -> bytes:
    r"""The text with its line ends (`\n`) as CRLF. The last line leaves room for the "=" of a soft break."""
    *lines, last = text.encode().split(b"\n")
    return b"\r\n".join([*(quoted_line(line, LINE) for line in lines), quoted_line(last)])


def quoted_line(data: bytes, longest: int = LINE - 1) -> bytes:
    """One line of data on soft-broken lines; a line end inside it is data too."""
    if len(data) <= longest and _PLAIN.match(data):
        return data
    written = data if not data.translate(None, _LITERAL) else b"".join(map(_CODES.__getitem__, data))
    if written[-1:] in (b" ", b"\t"):
        written = written[:-1] + _hexadecimal(written[-1:])
    if len(written) <= longest and not _unsafe(written):
        return written
    return SOFT_BREAK.join(_broken(written))


def _broken(written: bytes) -> list[bytes]:
    """Encoded data in pieces that fit on a line and begin harmlessly; no `=XX` is torn apart."""
    pieces = []
    start = 0
    while start < len(written):
        first = b""
        if _unsafe(written[start : start + 5]):
            first = _hexadecimal(written[start : start + 1])
            start += 1
        end = _end(written, start + LINE - 1 - len(first))
        pieces.append(first + written[start:end])
        start = end
    return pieces


def _end(written: bytes, limit: int) -> int:
    """Where to cut at `limit` or up to two octets before it."""
    if limit >= len(written):
        return len(written)
    escape = written.rfind(b"=", limit - 2, limit)
    return limit if escape < 0 else escape


def _unsafe(line: bytes) -> bool:
    return line.startswith((b".", b"From "))


def _hexadecimal(octet: bytes) -> bytes:
    return b"=%02X" % ord(octet)
