"""Quoted-printable that can be cut open and filled: RFC 2045, 6.7.

In: text. Out: ASCII lines of at most 76 octets with CRLF between them, none of which begins with a full stop, so that
SMTP has nothing to stuff (RFC 5321, 4.5.2), or with `From `, which mail boxes rewrite. The standard library's encoder
cares for neither at the lines it breaks itself.
"""

import re
from collections.abc import Sequence

LINE_LENGTH = 76
_LITERAL_OCTETS = bytes(code for code in range(0x20, 0x7F) if code != ord("=")) + b"\t"
_OCTET_CODES = tuple(bytes((code,)) if code in _LITERAL_OCTETS else b"=%02X" % code for code in range(256))
SOFT_BREAK = b"=\r\n"
# A line that is written as it stands, as addresses and links nearly always are: it does not begin with a full stop or
# the F of `From `, has no blank at its ends, and no equals sign.
_SAFE_LINE = re.compile(rb"[!-\-/-<>-EG-~](?:[ -<>-~]*[!-<>-~])?\Z")


def quoted_printable_segments(texts: Sequence[str]) -> list[bytes]:
    """The texts between the slots, so that each value begins a line, and what follows it begins the next."""
    segments = []
    for number, text in enumerate(texts, start=1):
        segment = quoted_printable_lines(text) if number == 1 else SOFT_BREAK + quoted_printable_lines(text)
        if number < len(texts) and segment and not segment.endswith(b"\n"):
            segment += SOFT_BREAK
        segments.append(segment)
    return segments


def quoted_printable_lines(text: str) -> bytes:
    r"""The text with its line ends (`\n`) as CRLF. The last line leaves room for the "=" of a soft break."""
    *lines, last_line = text.encode().split(b"\n")
    return b"\r\n".join(
        [*(quoted_printable_line(line, LINE_LENGTH) for line in lines), quoted_printable_line(last_line)]
    )


def quoted_printable_line(data: bytes, max_length: int = LINE_LENGTH - 1) -> bytes:
    """One line of data on soft-broken lines; a line end inside it is data too."""
    if len(data) <= max_length and _SAFE_LINE.match(data):
        return data
    octets = (
        data if not data.translate(None, _LITERAL_OCTETS) else b"".join(map(_OCTET_CODES.__getitem__, data))
    )
    if octets[-1:] in (b" ", b"\t"):
        octets = octets[:-1] + _hex_code(octets[-1:])
    if len(octets) <= max_length and not _has_unsafe_start(octets):
        return octets
    return SOFT_BREAK.join(_break_lines(octets))


def _break_lines(octets: bytes) -> list[bytes]:
    """Encoded data in pieces that fit on a line and begin harmlessly; no `=XX` is torn apart."""
    lines = []
    start = 0
    while start < len(octets):
        first = b""
        if _has_unsafe_start(octets[start : start + 5]):
            first = _hex_code(octets[start : start + 1])
            start += 1
        end = _break_position(octets, start + LINE_LENGTH - 1 - len(first))
        lines.append(first + octets[start:end])
        start = end
    return lines


def _break_position(octets: bytes, limit: int) -> int:
    """Where to cut at `limit` or up to two octets before it."""
    if limit >= len(octets):
        return len(octets)
    escape = octets.rfind(b"=", limit - 2, limit)
    return limit if escape < 0 else escape


def _has_unsafe_start(line: bytes) -> bool:
    return line.startswith((b".", b"From "))


def _hex_code(octet: bytes) -> bytes:
    return b"=%02X" % ord(octet)
