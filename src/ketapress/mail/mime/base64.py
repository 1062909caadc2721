"""Base64 that can be cut open and filled: RFC 2045, 6.8.

In: text. Out: ASCII lines of at most 76 octets. What stands before a slot is filled up with blanks to whole groups of
three octets, and so is the value, so that each is encoded by itself. HTML shows no run of blanks (an address in `href`
may stand between them), and in plain text they stand at the end of a line.
"""

from binascii import b2a_base64
from collections.abc import Sequence

_GROUP = 3
_ROW = 57  # octets that make a line of 76


def based_segments(texts: Sequence[str], *, blank: str) -> list[bytes]:
    """The texts between the slots. `blank` is the character that more blanks may stand before: a blank, a line end."""
    *texts, last = texts
    padded = [_padded(text, blank) for text in texts]
    return [_rows(text.encode()) for text in [*padded, last]]


def based_value(data: bytes) -> bytes:
    return _rows(data + b" " * (-len(data) % _GROUP))


def based_size(text: str) -> int:
    """About how long a text will be."""
    return len(text.encode()) * 78 // _ROW


def _padded(text: str, blank: str) -> str:
    head, mark, tail = text.rpartition(blank)
    return head + " " * (-len(text.encode()) % _GROUP) + mark + tail


def _rows(data: bytes) -> bytes:
    """Whole lines, each with its end."""
    rows = (b2a_base64(data[start : start + _ROW], newline=False) for start in range(0, len(data), _ROW))
    return b"".join(row + b"\r\n" for row in rows)
