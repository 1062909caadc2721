"""Titles of posts that were given none: from the file name, or from how the text begins."""

import re
from urllib.parse import unquote

from ketapress.posts.text.excerpt import to_single_line

_WORD_SEPARATOR = re.compile(r"[-_.\s]+")
_HASH_LIKE = re.compile(r"\d+|(?=.*\d)[0-9a-f]{4,}|(?=(?:.*\d){3})[0-9a-z]{16,}", re.IGNORECASE)
_SMALL_WORDS = {
    *(
        "a",
        "an",
        "and",
        "as",
        "at",
        "but",
        "by",
        "for",
        "from",
        "in",
        "nor",
        "of",
        "on",
        "or",
        "the",
        "to",
        "vs",
        "with",
    ),
}


def derive_title_from_name(name: str) -> str:
    """The title that a file name without date and ending gives; empty where all its words look like hashes or numbers.

    `ketamine-therapy` gives Ketamine Therapy; `000_4ad128b82f72c88a` and a UUID give nothing.
    """
    words = [word for word in _WORD_SEPARATOR.split(to_single_line(unquote(name))) if word]
    if all(_HASH_LIKE.fullmatch(word) for word in words):
        return ""
    if any(word != word.lower() for word in words):
        return " ".join(words)
    return " ".join(_capitalize(word, is_first=position == 0) for position, word in enumerate(words))


def _capitalize(word: str, *, is_first: bool) -> str:
    return word if word in _SMALL_WORDS and not is_first else word[:1].upper() + word[1:]
