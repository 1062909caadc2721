"""A name in a header that is nearly one that decides whether and when a post goes out.

In comes a name in lower case, out goes the one that was probably meant. `darft: true` would publish a draft.
"""

from functools import lru_cache

_MOST_SLIPS = {
    "draft": 2,
    "hold": 1,
    "published": 2,
    "expires": 2,
    "date": 1,
    "title": 1,
    "tags": 1,
    "slug": 1,
    "id": 1,
}
"""How many letters may be wrong. Two in `title` would be `time`, which is a name of its own."""
_NAMES_OF_OTHERS = {
    *("bold", "craft", "data", "dates", "gold", "publish", "publisher", "old", "plug", "rate", "tabs", "tag"),
    *("publishedat", "publishedon", "express", "isdraft", "titles", "dart", "late", "tile", "gate", "flags"),
}
_ALL_LETTERS_FROM = 3  # a shorter name is near to half of all short words


@lru_cache(maxsize=1024)
def suggest_name(name: str) -> str:
    """The name that was probably meant; empty for one of them, and for one that is not near."""
    if name in _MOST_SLIPS or name in _NAMES_OF_OTHERS:
        return ""
    near = (meant for meant, most in _MOST_SLIPS.items() if _is_near(name, meant, most))
    return next(near, "")


def _is_near(name: str, meant: str, most: int) -> bool:
    if abs(len(name) - len(meant)) > most or (len(meant) < _ALL_LETTERS_FROM and set(name) != set(meant)):
        return False
    return _slips(name, meant) <= most


def _slips(one: str, other: str) -> int:
    """How many letters are missing, added, wrong or swapped with the next (the distance of Damerau and Levenshtein)."""
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        here = [row]
        for column, wanted in enumerate(other, 1):
            least = min(last[column] + 1, here[-1] + 1, last[column - 1] + (letter != wanted))
            swapped = row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == wanted
            here.append(min(least, before_last[column - 2] + 1) if swapped else least)
        before_last, last = last, here
    return last[-1]
