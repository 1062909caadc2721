"""Header values as RFC 5322 and RFC 2047 want them, for text that may hold anything.

In: plain text. Out: ASCII values that are folded already and hold no line break but folds. The standard library's
EmailMessage is not used: it turns long List-Unsubscribe values into encoded words, and versions of it let an encoded
line break in a title begin a header of its own (CVE-2024-6923).
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator

FOLD = "\r\n "
_LINE = 76
_NAME = 12  # what stands before the value on its first line: the longest is `Feedback-ID:`
_ATOMS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z"
)  # RFC 5322, 3.2.3
_PLAIN = re.compile(r"[ -~]*\Z")
# Controls, line and paragraph separators, halves of pairs, and what is no character (Unicode 3.4, D14)
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_LONGEST_WORD = 60
# An encoded word has at most 75 octets (RFC 2047, 2), twelve of them its frame; these fit behind a header's name too.
_PAYLOAD = 52
_Q_LITERAL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/"  # RFC 2047, 5 (3)
_Q_CODES = tuple(
    chr(code) if code in _Q_LITERAL else "_" if code == ord(" ") else f"={code:02X}" for code in range(256)
)


def cleaned(text: str) -> str:
    """One line of text: every run of blanks, line breaks and control characters is one blank; none at the ends."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())


def text_value(text: str) -> str:
    """An unstructured value, such as a subject."""
    text = cleaned(text)
    return _folded(text.split(" ") if _writable(text) else _encoded_words(text))


def mailbox_value(name: str, address: str) -> str:
    """`Name <address>`; the name is quoted or encoded where it has to be. The address is taken as it is."""
    name = cleaned(name)
    if not name:
        return address
    return _folded([*_phrase(name), f"<{address}>"])


def list_id_value(name: str, identifier: str) -> str:
    """`Name <identifier>` (RFC 2919); a name that would need encoded words is left out: some readers take them amiss."""
    name = cleaned(name)
    return _folded([*_phrase(name), f"<{identifier}>"]) if name and _writable(name) else f"<{identifier}>"


def _phrase(name: str) -> list[str]:
    """A display name as words that a fold may stand between."""
    if not _writable(name):
        return list(_encoded_words(name))
    if _ATOMS.match(name):
        return name.split(" ")
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"'.split(" ")


def _writable(text: str) -> bool:
    """Whether text can stand as it is: ASCII, nothing that reads as an encoded word, and places to fold."""
    return bool(_PLAIN.match(text)) and "=?" not in text and max(map(len, text.split(" "))) <= _LONGEST_WORD


def _folded(words: Iterable[str]) -> str:
    """The words with blanks between them, and folds where a line would be too long."""
    lines: list[str] = []
    room = _LINE - _NAME
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= room:
            lines[-1] += f" {word}"
        else:
            room = _LINE if lines else room
            lines.append(word)
    return FOLD.join(lines)


def _encoded_words(text: str) -> Iterator[str]:
    """The text as encoded words of whole characters; in base64, which nobody can read, only where that is much shorter."""
    kind, encode = ("q", _q) if 2 * len(_q(text)) <= 3 * len(_b(text)) else ("b", _b)
    piece = ""
    for character in text:
        if len(encode(piece + character)) > _PAYLOAD:
            yield f"=?utf-8?{kind}?{encode(piece)}?="
            piece = ""
        piece += character
    yield f"=?utf-8?{kind}?{encode(piece)}?="


def _q(text: str) -> str:
    return "".join(_Q_CODES[octet] for octet in text.encode())


def _b(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")
