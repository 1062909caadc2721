"""Base64 (RFC 2045, 6.8) of text with merge fields, in lines of at most 76 octets.

The text before a merge field is padded with spaces to whole groups of three octets, and so is the value, so that each is
encoded by itself. HTML collapses the spaces (they may surround a URL in `href`); in plain text they end a line.
"""

from binascii import b2a_base64
from collections.abc import Sequence

_GROUP_BYTES = 3
_LINE_BYTES = 57  # octets that encode to a line of 76


def base64_segments(texts: Sequence[str], *, pad_before: str) -> list[bytes]:
    """Encode the texts between merge fields. Padding goes before the last `pad_before` of a text: a space or a line end."""
    *texts, last_text = texts
    padded_texts = [_pad_to_group(text, pad_before) for text in texts]
    return [_encode_lines(text.encode()) for text in [*padded_texts, last_text]]


def base64_value(data: bytes) -> bytes:
    return _encode_lines(data + b" " * (-len(data) % _GROUP_BYTES))


def base64_size(text: str) -> int:
    """Return the approximate size of a text in base64."""
    return len(text.encode()) * 78 // _LINE_BYTES


def _pad_to_group(text: str, pad_before: str) -> str:
    head, separator, tail = text.rpartition(pad_before)
    return head + " " * (-len(text.encode()) % _GROUP_BYTES) + separator + tail


def _encode_lines(data: bytes) -> bytes:
    """Encode data as complete lines, each with its CRLF."""
    lines = (
        b2a_base64(data[start : start + _LINE_BYTES], newline=False)
        for start in range(0, len(data), _LINE_BYTES)
    )
    return b"".join(line + b"\r\n" for line in lines)
