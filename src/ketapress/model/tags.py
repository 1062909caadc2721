"""Collect the tags of posts. Spellings that share a slug are one tag."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from typing import NamedTuple

from ketapress.model.post import Post
from ketapress.model.urls import slugify

# Without these names, `C`, `C++` and `C#` would share a slug.
_SYMBOL_NAMES = str.maketrans({"+": " plus ", "#": " sharp "})


class Tag(NamedTuple):
    """A tag as most posts spell it, its slug, and its posts in their original order."""

    name: str
    slug: str
    posts: tuple[Post, ...]


@cache
def tag_slug(name: str) -> str:
    """Return a tag's slug: never empty, and the same for `Café` and `café`."""
    label = name.strip().lstrip("#")
    return (
        slugify(label.translate(_SYMBOL_NAMES))
        or f"tag-{sha256(name.encode(errors='replace')).hexdigest()[:8]}"
    )


def collect_tags(posts: Iterable[Post]) -> tuple[Tag, ...]:
    """Return the tags of these posts, ordered by slug."""
    posts_by_key: dict[str, dict[str, Post]] = defaultdict(dict)
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for post in posts:
        for name in post.tags:
            posts_by_key[tag_slug(name)][post.id] = post
            spellings[tag_slug(name)][name] += 1
    return tuple(
        Tag(_most_common(spellings[key]), key, tuple(posts_by_key[key].values()))
        for key in sorted(posts_by_key)
    )


def _most_common(spellings: Counter[str]) -> str:
    return min(spellings, key=lambda name: (-spellings[name], name))
