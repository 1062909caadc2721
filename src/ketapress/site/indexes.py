"""What the archive lists: posts by year and by tag, editions by newsletter, and the neighbours of each.

In: posts and editions, newest first. Out: values that templates read. Paths are encoded and relative to the site.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from ketapress.model.edition import StoredEdition
from ketapress.model.post import Post
from ketapress.model.settings import Settings
from ketapress.model.tags import collect_tags, tag_slug
from ketapress.model.urls import encode_path

_T = TypeVar("_T")

MOST_OF_TAG = 500
"""How many posts one page of a tag lists."""
LATEST_OF_TAG = 100
"""How many of them it lists where it has more: those that are newest."""


class Listed(NamedTuple):
    """A page that lists posts: a tag's or a year's."""

    name: str
    path: str
    posts: tuple[Post, ...]

    @property
    def count(self) -> int:  # type: ignore[override]  # templates say `tag.count`; nobody counts its fields
        return len(self.posts)


class Subject(NamedTuple):
    """A tag's pages: where it has too many posts for one, `latest` are on the first, and `years` have a page each."""

    tag: Listed
    latest: tuple[Post, ...]
    years: tuple[Listed, ...]

    @property
    def pages(self) -> tuple[Listed, ...]:
        return (self.tag, *self.years)


class Issue(NamedTuple):
    """An edition, and where its page stands."""

    path: str
    edition: StoredEdition


class Issues(NamedTuple):
    """A newsletter and its editions, newest first. `timezone` is the one in which they are dated."""

    title: str
    timezone: str
    issues: tuple[Issue, ...]


def years_of(posts: Iterable[Post], timezone: str) -> tuple[Listed, ...]:
    """The years in which posts are dated, in the site's zone, newest first."""
    zone = ZoneInfo(timezone)
    found: dict[int, list[Post]] = defaultdict(list)
    for post in posts:
        found[post.date.astimezone(zone).year].append(post)
    years = sorted(found, reverse=True)
    return tuple(Listed(str(year), f"{year}/index.html", tuple(found[year])) for year in years)


def tag_pages(posts: Iterable[Post]) -> tuple[Listed, ...]:
    return tuple(Listed(tag.name, tag_path(tag.name), tag.posts) for tag in collect_tags(posts))


def subjects_of(tags: Iterable[Listed], timezone: str) -> tuple[Subject, ...]:
    """The pages of each tag: one where they have at most 500 posts, and beside it one a year where they have more.

    A list of thousands takes a phone seconds to show, and is made and fetched anew with each of its posts.
    """
    return tuple(_subject(tag, timezone) for tag in tags)


def _subject(tag: Listed, timezone: str) -> Subject:
    if tag.count <= MOST_OF_TAG:
        return Subject(tag, tag.posts, ())
    folder = tag.path.removesuffix("index.html")
    years = (year._replace(path=f"{folder}{year.name}.html") for year in years_of(tag.posts, timezone))
    return Subject(tag, tag.posts[:LATEST_OF_TAG], tuple(years))


def tag_path(name: str) -> str:
    """Where the page of a tag stands, however the tag is spelled."""
    return f"tags/{encode_path(tag_slug(name))}/index.html"


def newsletters_of(editions: Iterable[StoredEdition], settings: Settings) -> tuple[Issues, ...]:
    """The newsletters that have editions, in the order of the settings; one that is no longer there comes last."""
    found: dict[str, list[Issue]] = {name: [] for name in settings.newsletters}
    for edition in editions:
        issue = Issue(f"archive/{edition.slot.edition}.html", edition)
        found.setdefault(edition.slot.newsletter, []).append(issue)
    return tuple(_issues(name, issues, settings) for name, issues in found.items() if issues)


def with_neighbours(listed: Sequence[_T]) -> Iterator[tuple[_T, _T | None, _T | None]]:
    """Each of what is listed newest first, with the one that is newer and the one that is older."""
    return zip(listed, [None, *listed], [*listed[1:], None], strict=False)


def _issues(name: str, issues: Iterable[Issue], settings: Settings) -> Issues:
    newsletter = settings.newsletters.get(name)
    if newsletter is None:
        return Issues(name, settings.site.timezone, tuple(issues))
    return Issues(newsletter.title, settings.newsletter_zone(newsletter), tuple(issues))
