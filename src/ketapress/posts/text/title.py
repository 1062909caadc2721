"""Derive the title of a post from its file name."""

import re
from urllib.parse import unquote

from ketapress.posts.text.excerpt import to_single_line

_WORD_SEPARATOR = re.compile(r"[-_.\s]+")
_HASH_LIKE = re.compile(r"\d+|(?=.*\d)[0-9a-f]{4,}|(?=(?:.*\d){3})[0-9a-z]{16,}", re.IGNORECASE)
_SMALL_WORDS = {
    *("a", "an", "and", "as", "at", "but", "by", "for", "from", "in", "nor", "of", "on", "or", "the", "to"),
    *("vs", "with"),
}


def derive_title_from_name(name: str) -> str:
    """Return the title in a file name without date and suffix; an empty string if its words are only hashes or numbers.

    `ketamine-therapy` is Ketamine Therapy; `000_4ad128b82f72c88a` and a UUID are no title.
    """
    words = [word for word in _WORD_SEPARATOR.split(to_single_line(unquote(name))) if word]
    if all(_HASH_LIKE.fullmatch(word) for word in words):
        return ""
    if any(word != word.lower() for word in words):
        return " ".join(words)
    return " ".join(
        word if word in _SMALL_WORDS and index else word[:1].upper() + word[1:]
        for index, word in enumerate(words)
    )
