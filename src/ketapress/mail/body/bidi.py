"""Which way a text runs, by its letters: for posts and paragraphs that do not say."""

import re
import unicodedata

_RTL = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_STRONG_TYPES = {"L": "ltr", "R": "rtl", "AL": "rtl"}


def detect_direction(text: str, base_direction: str = "ltr") -> str:
    """`ltr` or `rtl`; empty where no letter has a direction.

    Text that runs from right to left is full of names and terms in Latin letters: within it only what has no other
    letters runs the other way. Elsewhere most of the words decide, and the first where they are even. The first letter
    alone (UAX 9, P2) would turn every Arabic paragraph that begins with a name.
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
    """Whether any letter runs from right to left."""
    return bool(_RTL.search(text))
