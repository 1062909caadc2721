"""Base64 that can be cut open and filled: RFC 2045, 6.8.

In: text. Out: ASCII lines of at most 76 octets. What stands before a slot is filled up with blanks to whole groups of
three octets, and so is the value, so that each is encoded by itself. HTML shows no run of blanks (an address in `href`
may stand between them), and in plain text they stand at the end of a line.
"""

from binascii import b2a_base64
from collections.abc import Sequence

_GROUP_BYTES = 3
_LINE_BYTES = 57  # octets that make a line of 76


def base64_segments(texts: Sequence[str], *, pad_before: str) -> list[bytes]:
    """The texts between the slots. `blank` is the character that more blanks may stand before: a blank, a line end."""
    *texts, last_text = texts
    padded_texts = [_pad_to_group(text, pad_before) for text in texts]
    return [_encode_lines(text.encode()) for text in [*padded_texts, last_text]]


def base64_value(data: bytes) -> bytes:
    return _encode_lines(data + b" " * (-len(data) % _GROUP_BYTES))


def base64_size(text: str) -> int:
    """About how long a text will be."""
    return len(text.encode()) * 78 // _LINE_BYTES


def _pad_to_group(text: str, pad_before: str) -> str:
    head, separator, tail = text.rpartition(pad_before)
    return head + " " * (-len(text.encode()) % _GROUP_BYTES) + separator + tail


def _encode_lines(data: bytes) -> bytes:
    """Whole lines, each with its end."""
    lines = (
        b2a_base64(data[start : start + _LINE_BYTES], newline=False)
        for start in range(0, len(data), _LINE_BYTES)
    )
    return b"".join(line + b"\r\n" for line in lines)
