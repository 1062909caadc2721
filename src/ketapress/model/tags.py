"""Tags of posts, gathered: what is spelled differently but has one address is one tag."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from typing import NamedTuple

from ketapress.model.post import Post
from ketapress.model.urls import slug

# `C`, `C++` and `C#` would have one address.
_SPOKEN = str.maketrans({"+": " plus ", "#": " sharp "})


class Tag(NamedTuple):
    """A tag as most posts spell it, its name in addresses, and its posts in the order in which they came."""

    name: str
    slug: str
    posts: tuple[Post, ...]


@cache
def tag_slug(name: str) -> str:
    """A tag's name in addresses: never empty, and the same for `Café` and `café`."""
    bare = name.strip().lstrip("#")
    return slug(bare.translate(_SPOKEN)) or f"tag-{sha256(name.encode(errors='replace')).hexdigest()[:8]}"


def tags_of(posts: Iterable[Post]) -> tuple[Tag, ...]:
    """The tags of these posts, in the order of their names in addresses."""
    tagged: dict[str, dict[str, Post]] = defaultdict(dict)
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for post in posts:
        for name in post.tags:
            tagged[tag_slug(name)][post.id] = post
            spellings[tag_slug(name)][name] += 1
    return tuple(Tag(_usual(spellings[each]), each, tuple(tagged[each].values())) for each in sorted(tagged))


def _usual(spellings: Counter[str]) -> str:
    return min(spellings, key=lambda name: (-spellings[name], name))
