"""The bytes of a conversation: a relay's into replies (RFC 5321, 4.2), our message into lines that are safe (4.5.2).

What a relay writes is hostile until it is cut and cleaned. Never reads or writes a socket itself.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from ketapress.model.delivery import Reply

MOST_LINE = 4096  # bytes; RFC 5321, 4.5.3.1.5 allows 512, and real servers go beyond
MOST_LINES = 128
MOST_TEXT = 400  # characters of a reply that are kept

_LINE = re.compile(rb"([2-5][0-5][0-9])(?:([ -])(.*))?\Z", re.DOTALL)
_LINE_END = re.compile(rb"\r\n|\r|\n")
_DOTTED = b"\r\n."
_LONG = 512  # bytes of a piece from which on it is worth remembering what was found in it
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|\Z)")


class Garbage(Exception):  # noqa: N818 - it is what was found on the line, and never leaves this room
    """What came is no SMTP reply, or longer than any honest one."""


class Answer(NamedTuple):
    """One reply as it came: the code of its last line, and the text of each line."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def reply(self) -> Reply:
        """The answer on one line, without control characters and of a sane length; the enhanced code apart."""
        enhanced, words = "", []
        for line in self.lines:
            text = cleaned(line)
            found = _ENHANCED.match(text)
            if found and found[1][0] == str(self.code)[0]:  # RFC 2034, 4: both speak of the same class
                enhanced, text = found[1], text[found.end() :]
            words.append(text)
        return Reply(self.code, " ".join(filter(None, words))[:MOST_TEXT], enhanced)


class Replies:
    """Cuts a stream into answers. A broken stream stays broken: after `Garbage` there is nothing to be read."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[bytes] = []

    @property
    def partial(self) -> bool:
        """Whether something came that is not a whole reply yet."""
        return bool(self._rest or self._lines)

    def feed(self, data: bytes) -> Iterator[Answer]:
        """The answers that are complete with `data`. Raises `Garbage`."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            answer = self._read(line.removesuffix(b"\r"))
            if answer is not None:
                yield answer
        if len(self._rest) > MOST_LINE:
            raise Garbage(f"a line of its reply is longer than {MOST_LINE} bytes")

    def _read(self, line: bytes) -> Answer | None:
        found = _LINE.match(line)
        if found is None or len(line) > MOST_LINE:
            raise Garbage(f"its reply is not SMTP: {cleaned(line[:80])!r}")
        code, more, text = found.groups()
        if more != b"-" and not self._lines:  # one line, as nearly all are
            return Answer(int(code), (text or b"",))
        self._lines.append(text or b"")
        if len(self._lines) > MOST_LINES:
            raise Garbage(f"its reply has more than {MOST_LINES} lines")
        if more == b"-":
            return None
        answer = Answer(int(code), tuple(self._lines))
        self._lines.clear()
        return answer


def cleaned(line: bytes) -> str:
    """Text that may be shown: no control characters, escapes, or marks that turn the direction of writing."""
    text = line[:MOST_LINE].decode("utf-8", "replace")
    if text.isprintable():
        return text.strip()
    return "".join(sign if sign.isprintable() else " " for sign in text).strip()


def transparent(pieces: Sequence[bytes]) -> bytes:
    """The message as it goes between 354 and the dot: CRLF at its end, and no line that begins with one full stop.

    Our letters have no such line (`model/letter.py`), and searching 60 KB for one takes 50 us. The long pieces of a
    letter come again in each of its messages: they are searched once, and then only what stands between them.
    """
    message = b"".join(pieces)
    if message.startswith(b".") or _DOTTED in b"".join(
        [each if len(each) < _LONG else _unknown(each) for each in pieces]
    ):
        lines = _LINE_END.sub(b"\r\n", message).split(b"\r\n")
        message = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)
    return message if message.endswith(b"\r\n") else message + b"\r\n"


@lru_cache(maxsize=64)
def _unknown(piece: bytes) -> bytes:
    """What has to be searched of a long piece each time: only its ends, where nothing was found between them."""
    return piece if _DOTTED in piece else piece[: len(_DOTTED)] + piece[-len(_DOTTED) :]
