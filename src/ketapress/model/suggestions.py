"""Did-you-mean suggestions for mistyped names."""

from collections.abc import Iterable


def closest_name(name: str, known_names: Iterable[str], cutoff: float = 0.6) -> str:
    """Return the known name that is most similar to a mistyped one; empty where none is similar enough.

    `cutoff` is the smallest similarity, from 0 to 1, as `difflib.SequenceMatcher.ratio` measures it. Names of four
    letters with one wrong letter have 0.75.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - most names are right

    return next(iter(get_close_matches(name, list(known_names), 1, cutoff)), "")
