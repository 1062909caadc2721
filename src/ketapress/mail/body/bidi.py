"""Detect the direction of text by its letters, for posts and paragraphs without `dir`."""

import re
import unicodedata

_RTL = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_STRONG_TYPES = {"L": "ltr", "R": "rtl", "AL": "rtl"}


def detect_direction(text: str, base_direction: str = "ltr") -> str:
    """Return `ltr` or `rtl`, or an empty string where no letter has a direction.

    Most words decide, the first word in a tie. Within right-to-left text one such word is enough, because Arabic and
    Hebrew text is full of Latin names and terms. The first strong letter alone (UAX 9, P2) would turn every Arabic
    paragraph that begins with a Latin name.
    """
    directions = [direction for word in text.split() if (direction := _word_direction(word))]
    if not directions:
        return ""
    if "rtl" in directions and base_direction == "rtl":
        return "rtl"
    return max(directions, key=directions.count)


def _word_direction(word: str) -> str:
    directions = (_STRONG_TYPES.get(unicodedata.bidirectional(character), "") for character in word)
    return next(filter(None, directions), "")


def has_rtl(text: str) -> bool:
    """Return whether the text has a right-to-left letter."""
    return bool(_RTL.search(text))
