"""Wrap plain text at a fixed width, counted in terminal columns. Words and URLs stay whole."""

import re
import unicodedata
from collections.abc import Iterator

WIDTH = 76  # columns; with one or two quotation marks in front it stays below 80
# Relays substitute `{{…}}`, and filters take `<tag>` in a text part for a broken message: an invisible word joiner goes
# between.
_MARKUP_LIKE = re.compile(r"(?<=<)(?=[a-z])|(?<=\{)(?=\{)|(?<=&)(?=(?:nbsp|amp);)", re.IGNORECASE)
WORD_JOINER = "\u2060"


def neutralize_markup(text: str) -> str:
    """Return text that looks the same and has nothing that a program takes for markup."""
    return _MARKUP_LIKE.sub(WORD_JOINER, text)


def underline(text: str, character: str, width: int = WIDTH) -> list[str]:
    """Wrap a heading and underline it with `character`, as long as its longest line."""
    lines = wrap_text(text, width)
    return [*lines, character * min(max(map(display_width, lines)), width)]


def wrap_text(text: str, width: int = WIDTH) -> list[str]:
    """Wrap text to lines of at most `width` columns.

    Words longer than a line stay whole, so that URLs work; a line may break between two wide characters (Chinese,
    Japanese, Korean) without a space.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line, line_width = "", 0
        for has_space, word in _split_words(paragraph):
            space = " " if has_space and line else ""
            word_width = display_width(word)
            if line and line_width + len(space) + word_width > width:
                lines.append(line)
                line, line_width, space = "", 0, ""
            line += space + word
            line_width += len(space) + word_width
        lines.append(line)
    return lines


def display_width(text: str) -> int:
    """Return how many terminal columns the text takes (UAX 11; combining marks take none)."""
    return len(text) if text.isascii() else sum(map(_character_width, text))


def _character_width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Cf", "Me", "Mn"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _split_words(text: str) -> Iterator[tuple[bool, str]]:
    """Yield the words of a line, each with whether a space precedes it.

    A wide character and the punctuation after it are a word.
    """
    for word in text.split():
        if word.isascii():
            yield True, word
            continue
        has_space, part = True, ""
        for character in word:
            if part and _character_width(character) == 2 and unicodedata.category(character)[0] != "P":  # noqa: PLR2004 - wide
                yield has_space, part
                has_space, part = False, ""
            part += character
        yield has_space, part
