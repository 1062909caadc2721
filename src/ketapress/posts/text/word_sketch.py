"""A sketch of the distinct words of a text, short enough to be stored, from which the share of common words is estimated.

It is a bottom-k sketch (Cohen and Kaplan, 2007): the smallest hashes of the words.
"""

import re
from heapq import nsmallest
from zlib import crc32

MIN_WORDS = 12
"""Distinct words; shorter texts share words by chance, and have no sketch."""
_SKETCH_SIZE = 24  # hashes: the estimate is off by a tenth in one of three cases
_HASH_DIGITS = 5  # hexadecimal; with fewer, unrelated long texts would share the smallest hashes by chance
_WORD = re.compile(r"\w+")


def sketch_words(text: str) -> str:
    """Return the sketch of a text, as hexadecimal digits; empty where it has fewer than `MIN_WORDS` distinct words."""
    words = set(_WORD.findall(text.lower()))
    if len(words) < MIN_WORDS:
        return ""
    hashes = {crc32(word.encode(errors="backslashreplace")) >> (32 - 4 * _HASH_DIGITS) for word in words}
    return "".join(f"{value:0{_HASH_DIGITS}x}" for value in nsmallest(_SKETCH_SIZE, hashes))


def parse_sketch(sketch: str) -> frozenset[str]:
    """Return the hashes of a sketch."""
    return frozenset(sketch[start : start + _HASH_DIGITS] for start in range(0, len(sketch), _HASH_DIGITS))


def word_share(hashes: frozenset[str], other_hashes: frozenset[str]) -> float:
    """Return which share of their words two texts have in common, by their sketches; 0 where one has no sketch."""
    if not hashes or not other_hashes:
        return 0
    union = sorted(hashes | other_hashes)[:_SKETCH_SIZE]
    return sum(value in hashes and value in other_hashes for value in union) / len(union)
