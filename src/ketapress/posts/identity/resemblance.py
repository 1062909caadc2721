"""Compare a new post with the entry of a missing one: they are the same, may be the same, or are two posts.

The file of the missing post cannot be read any more, so that its entry in the registry holds what is compared: its title,
its date, and a sketch of its words.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, tzinfo
from enum import IntEnum
from typing import NamedTuple
from unicodedata import normalize
from urllib.parse import unquote

from ketapress.posts.identity.registry_entry import RegistryEntry
from ketapress.posts.parsing.parse import ParsedPost
from ketapress.posts.text.word_sketch import parse_sketch, word_share

_MIN_SHARE = 0.5
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"-\d+")


class Resemblance(IntEnum):
    """How much a new post is like a missing one."""

    NONE = 0
    SIMILAR = 1
    SAME = 2


class Traits(NamedTuple):
    """What a post and an entry are compared by. Empty or None where it is not known."""

    slug: str
    title: tuple[str, ...]
    day: date | None
    words: frozenset[str]


def judge_resemblance(post: Traits, missing: Traits) -> Resemblance:
    """Return whether a new post is a missing one: the only rule by which posts are held or taken for renamed.

    There are four signs: the same slug, the same title, the same day in the site's zone, and words, where at least half of
    the distinct words are shared (for texts of at least twelve).

    - `SAME`: the words and any other sign, or the title and the day.
    - `SIMILAR`: the slug, the title, or the words; or the same day and a similar title, which has all words of the other
      or at least half of both. Where the title of the missing post is not known (an entry of an older version), the day.
    - `NONE`: everything else.
    """
    slug = bool(post.slug) and post.slug == missing.slug
    title = bool(post.title) and post.title == missing.title
    day = post.day is not None and post.day == missing.day
    words = word_share(post.words, missing.words) >= _MIN_SHARE
    if (words and (slug or title or day)) or (title and day):
        return Resemblance.SAME
    if (
        slug
        or title
        or words
        or (day and (not missing.title or _is_similar_title(post.title, missing.title)))
    ):
        return Resemblance.SIMILAR
    return Resemblance.NONE


def post_traits(parsed_post: ParsedPost, zone: tzinfo) -> Traits:
    """Return what a post is compared by."""
    return Traits(
        parsed_post.slug,
        _title_words(parsed_post.title),
        _local_day(parsed_post.date, zone),
        parse_sketch(parsed_post.words),
    )


def entry_traits(entry: RegistryEntry, zone: tzinfo) -> Traits:
    """Return what the entry of a missing post is compared by. Its URL may have a number that its slug has not."""
    slug = unquote(entry.url.rpartition("/")[2].removesuffix(".html"))
    stem = re.sub(r"^\d{4}-\d{2}-\d{2}-", "", entry.path.rpartition("/")[2].rpartition(".")[0])
    if _NUMBER.fullmatch(slug.removeprefix(stem)) and slug != stem:
        slug = stem
    moment = entry.date or entry.published
    return Traits(
        slug,
        _title_words(entry.title),
        _local_day(moment, zone) if moment else None,
        parse_sketch(entry.words),
    )


class ResemblanceIndex:
    """Missing posts, by their traits, so that a new post is compared only with those that share one with it."""

    def __init__(self, missing_entries: Iterable[RegistryEntry], zone: tzinfo) -> None:
        self._zone = zone
        self._traits: dict[str, Traits] = {}
        self._ids: dict[object, list[str]] = {}
        for entry in missing_entries:
            traits = self._traits[entry.id] = entry_traits(entry, zone)
            for key in _index_keys(traits):
                self._ids.setdefault(key, []).append(entry.id)

    def find_similar(self, parsed_post: ParsedPost) -> dict[str, Resemblance]:
        """Return the ids of the missing posts that the post resembles, the most similar first."""
        if not self._traits:
            return {}
        traits = post_traits(parsed_post, self._zone)
        ids = {post_id for key in _index_keys(traits) for post_id in self._ids.get(key, ())}
        judgments = {post_id: judge_resemblance(traits, self._traits[post_id]) for post_id in sorted(ids)}
        similar = {post_id: judgment for post_id, judgment in judgments.items() if judgment}
        return dict(sorted(similar.items(), key=lambda item: -item[1]))


def _index_keys(traits: Traits) -> Iterable[object]:
    yield "slug", traits.slug
    yield "title", traits.title
    yield "day", traits.day
    yield from traits.words


def _local_day(moment: datetime, zone: tzinfo) -> date:
    return moment.astimezone(zone).date()


def _title_words(title: str) -> tuple[str, ...]:
    """Return the words of a title without case, accents' forms and punctuation; a title without any as it is."""
    text = normalize("NFKC", title).casefold()
    return tuple(_WORD.findall(text)) or tuple(text.split())


def _is_similar_title(title: tuple[str, ...], other_title: tuple[str, ...]) -> bool:
    words, other_words = set(title), set(other_title)
    common = len(words & other_words)
    return bool(common) and (
        common == min(len(words), len(other_words)) or 2 * common >= len(words | other_words)
    )
