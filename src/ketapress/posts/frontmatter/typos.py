"""Likely typos in the names of header fields that decide whether, when and where a post goes out.

`darft: true` would publish a draft.
"""

from functools import lru_cache

from ketapress.model.suggestions import closest_name

_NAMES = ("draft", "hold", "published", "expires", "date", "title", "tags", "slug")
_OTHER_NAMES = {
    *("bold", "craft", "data", "dates", "gold", "publish", "publisher", "old", "plug", "rate", "tabs", "tag"),
    *("publishat", "publishedat", "publishedon", "express", "isdraft", "titles", "dart", "late", "tile"),
    *("gate", "flags", "task"),
}
"""Similar names that are no typos: fields of ours and of other tools, and plain words."""
_SHORT_TYPOS = {"di": "id"}
"""Typos of a name that is too short to be compared."""
_CUTOFF = 0.75  # each single slip in one of the names is as similar as that; `time` and `title` are not


@lru_cache(maxsize=1024)
def suggest_name(name: str) -> str:
    """Return the field that a name in lower case was probably meant to be; empty if it is right or not similar to any."""
    if name in _NAMES or name in _OTHER_NAMES:
        return ""
    candidates = [candidate for candidate in _NAMES if abs(len(candidate) - len(name)) <= 1]
    return _SHORT_TYPOS.get(name) or closest_name(name, candidates, _CUTOFF)
