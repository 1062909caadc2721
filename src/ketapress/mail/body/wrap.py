"""Text in lines of a fixed width, counted in columns as a terminal counts them.

In: a line or a paragraph. Out: lines. Words stay whole, and so do addresses.
"""

import re
import unicodedata
from collections.abc import Iterator

WIDTH = 76  # columns; with a quotation mark or two in front it stays under 80
# `{{…}}` and `<tag>` in a text part are what relays substitute and filters take for a broken mail: a word joiner, which
# nobody sees, stands between.
_MARKUP = re.compile(r"(?<=<)(?=[a-z])|(?<=\{)(?=\{)|(?<=&)(?=(?:nbsp|amp);)", re.IGNORECASE)
WORD_JOINER = "\u2060"


def unmistakable(text: str) -> str:
    """The same text to the eye, with nothing in it that is taken for markup."""
    return _MARKUP.sub(WORD_JOINER, text)


def underlined(text: str, mark: str, width: int = WIDTH) -> list[str]:
    """A heading: the text, wrapped, with a rule of `mark` under it as long as its longest line."""
    lines = wrapped(text, width)
    return [*lines, mark * min(max(map(columns, lines)), width)]


def wrapped(text: str, width: int = WIDTH) -> list[str]:
    """The text in lines of at most `width` columns.

    Words longer than a line stay whole, so that addresses work; between characters of two columns (Chinese, Japanese,
    Korean) a line may break without a blank.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line, used = "", 0
        for blank, word in _words(paragraph):
            gap = " " if blank and line else ""
            size = columns(word)
            if line and used + len(gap) + size > width:
                lines.append(line)
                line, used, gap = "", 0, ""
            line += gap + word
            used += len(gap) + size
        lines.append(line)
    return lines


def columns(text: str) -> int:
    """How many columns of a terminal the text takes (UAX 11; combining marks take none)."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Cf", "Me", "Mn"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _words(text: str) -> Iterator[tuple[bool, str]]:
    """The words of a line, each with whether a blank stands before it.

    Wide characters are words of their own, with the punctuation that follows them.
    """
    for word in text.split():
        if word.isascii():
            yield True, word
            continue
        blank, piece = True, ""
        for character in word:
            if piece and _columns(character) == 2 and unicodedata.category(character)[0] != "P":  # noqa: PLR2004 - wide
                yield blank, piece
                blank, piece = False, ""
            piece += character
        yield blank, piece
