"""Which way a text runs, by its letters: for posts and paragraphs that do not say."""

import re
import unicodedata

_RTL = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_STRONG = {"L": "ltr", "R": "rtl", "AL": "rtl"}


def written_direction(text: str) -> str:
    """`ltr` or `rtl` by the first letter that has a direction (UAX 9, P2); empty where none has."""
    kinds = (_STRONG.get(unicodedata.bidirectional(character), "") for character in text)
    return next(filter(None, kinds), "")


def has_rtl(text: str) -> bool:
    """Whether any letter runs from right to left."""
    return bool(_RTL.search(text))
