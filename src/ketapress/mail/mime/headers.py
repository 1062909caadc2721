"""Encode and fold header values (RFC 5322, RFC 2047) from arbitrary text.

The values are ASCII and have no line break except folds. The standard library's EmailMessage is not used: it turns long
List-Unsubscribe values into encoded words, and some versions allow header injection (CVE-2024-6923).
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator

from ketapress.model import illegal_characters

FOLD = "\r\n "
_LINE_LENGTH = 76
_NAME_LENGTH = 12  # of a header's name on the first line: the longest is `Feedback-ID:`
_ATOMS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z"
)  # RFC 5322, 3.2.3
_PRINTABLE_ASCII = re.compile(r"[ -~]*\Z")
_UNPRINTABLE = re.compile(f"[{illegal_characters.HEADER}]")
_MAX_WORD = 60
# An encoded word has at most 75 octets (RFC 2047, 2), twelve of them its delimiters; this fits behind a header's name too.
_MAX_PAYLOAD = 52
_Q_LITERAL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/"  # RFC 2047, 5 (3)
_Q_CODES = tuple(
    chr(code) if code in _Q_LITERAL else "_" if code == ord(" ") else f"={code:02X}" for code in range(256)
)


def clean_line(text: str) -> str:
    """Return the text on one line: runs of whitespace and control characters become one space, none at the ends."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def unstructured_value(text: str) -> str:
    """Encode an unstructured value, such as a subject."""
    text = clean_line(text)
    return _fold(text.split(" ") if _is_plain(text) else _encode_words(text))


def mailbox_value(name: str, address: str) -> str:
    """Return `Name <address>`, with the name quoted or encoded where necessary. The address is not changed."""
    name = clean_line(name)
    if not name:
        return address
    return _fold([*_phrase_words(name), f"<{address}>"])


def list_id_value(name: str, identifier: str) -> str:
    """Return `Name <identifier>` (RFC 2919), without a name that needs encoded words: some clients ignore the header then."""
    name = clean_line(name)
    return _fold([*_phrase_words(name), f"<{identifier}>"]) if name and _is_plain(name) else f"<{identifier}>"


def _phrase_words(name: str) -> list[str]:
    """Return a display name as words between which a line may fold."""
    if not _is_plain(name):
        return list(_encode_words(name))
    if _ATOMS.match(name):
        return name.split(" ")
    escaped_name = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped_name}"'.split(" ")


def _is_plain(text: str) -> bool:
    """Return whether the text needs no encoding: ASCII, nothing like an encoded word, and words short enough to fold."""
    return (
        bool(_PRINTABLE_ASCII.match(text))
        and "=?" not in text
        and max(map(len, text.split(" "))) <= _MAX_WORD
    )


def _fold(words: Iterable[str]) -> str:
    """Join words with spaces, and fold where a line would be too long."""
    lines: list[str] = []
    limit = _LINE_LENGTH - _NAME_LENGTH
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= limit:
            lines[-1] += f" {word}"
        else:
            limit = _LINE_LENGTH if lines else limit
            lines.append(word)
    return FOLD.join(lines)


def _encode_words(text: str) -> Iterator[str]:
    """Yield encoded words of whole characters; in base64, which people cannot read, only where that is much shorter."""
    encoding, encode = (
        ("q", _encode_q) if 2 * len(_encode_q(text)) <= 3 * len(_encode_b(text)) else ("b", _encode_b)
    )
    chunk = ""
    for character in text:
        if len(encode(chunk + character)) > _MAX_PAYLOAD:
            yield f"=?utf-8?{encoding}?{encode(chunk)}?="
            chunk = ""
        chunk += character
    yield f"=?utf-8?{encoding}?{encode(chunk)}?="


def _encode_q(text: str) -> str:
    return "".join(_Q_CODES[octet] for octet in text.encode())


def _encode_b(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")
