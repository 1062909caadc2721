"""Quoted-printable (RFC 2045, 6.7) of text with merge fields, in lines of at most 76 octets.

No line begins with a full stop, so that SMTP needs no dot-stuffing (RFC 5321, 4.5.2), or with `From `, which mailboxes
rewrite. The standard library's encoder ensures neither at the lines that it breaks.
"""

import re
from collections.abc import Sequence

LINE_LENGTH = 76
_LITERAL_OCTETS = bytes(code for code in range(0x20, 0x7F) if code != ord("=")) + b"\t"
_OCTET_CODES = tuple(bytes((code,)) if code in _LITERAL_OCTETS else b"=%02X" % code for code in range(256))
SOFT_BREAK = b"=\r\n"
# A line that needs no encoding, as nearly all addresses and links: it does not begin with a full stop or the F of
# `From `, has no space at its ends, and no equals sign.
_SAFE_LINE = re.compile(rb"[!-\-/-<>-EG-~](?:[ -<>-~]*[!-<>-~])?\Z")


def quoted_printable_segments(texts: Sequence[str]) -> list[bytes]:
    """Encode the texts between merge fields, so that each value and each text after it begins a line."""
    segments = []
    for number, text in enumerate(texts, start=1):
        segment = quoted_printable_lines(text) if number == 1 else SOFT_BREAK + quoted_printable_lines(text)
        if number < len(texts) and segment and not segment.endswith(b"\n"):
            segment += SOFT_BREAK
        segments.append(segment)
    return segments


def quoted_printable_lines(text: str) -> bytes:
    r"""Encode a text, with `\n` as CRLF. The last line leaves room for the "=" of a soft break."""
    *lines, last_line = text.encode().split(b"\n")
    return b"\r\n".join(
        [*(quoted_printable_line(line, LINE_LENGTH) for line in lines), quoted_printable_line(last_line)]
    )


def quoted_printable_line(data: bytes, max_length: int = LINE_LENGTH - 1) -> bytes:
    """Encode one line of data, with soft breaks; a line end inside it is data too."""
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
    """Split encoded octets into lines that fit and begin safely; no `=XX` is split."""
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
    """Return where to split: at `limit`, or up to two octets before it to keep an `=XX` whole."""
    if limit >= len(octets):
        return len(octets)
    escape = octets.rfind(b"=", limit - 2, limit)
    return limit if escape < 0 else escape


def _has_unsafe_start(line: bytes) -> bool:
    return line.startswith((b".", b"From "))


def _hex_code(octet: bytes) -> bytes:
    return b"=%02X" % ord(octet)
