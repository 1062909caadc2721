"""Lists of posts by year and by tag, of editions by newsletter, and the neighbors of each in its list.

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

MAX_TAG_POSTS = 500
"""How many posts one page of a tag lists."""
LATEST_TAG_POSTS = 100
"""How many of them it lists where it has more: those that are newest."""


class PostList(NamedTuple):
    """The posts of a tag or a year, and the path of the page that lists them."""

    name: str
    path: str
    posts: tuple[Post, ...]

    @property
    def count(self) -> int:  # type: ignore[override]  # templates say `tag.count`; the method of tuples is not used
        return len(self.posts)


class TagPages(NamedTuple):
    """The pages of a tag. Where it has too many posts for one, `latest` are on the first, and `years` have a page each."""

    tag: PostList
    latest: tuple[Post, ...]
    years: tuple[PostList, ...]

    @property
    def pages(self) -> tuple[PostList, ...]:
        return (self.tag, *self.years)


class Issue(NamedTuple):
    """An edition, and the path of its page."""

    path: str
    edition: StoredEdition


class Issues(NamedTuple):
    """A newsletter and its editions, newest first. `timezone` is the one in which they are dated."""

    title: str
    timezone: str
    issues: tuple[Issue, ...]


def group_by_year(posts: Iterable[Post], timezone: str) -> tuple[PostList, ...]:
    """Return the years of the posts, by their dates in a time zone, newest first."""
    zone = ZoneInfo(timezone)
    posts_by_year: dict[int, list[Post]] = defaultdict(list)
    for post in posts:
        posts_by_year[post.date.astimezone(zone).year].append(post)
    return tuple(
        PostList(str(year), f"{year}/index.html", tuple(posts_by_year[year]))
        for year in sorted(posts_by_year, reverse=True)
    )


def tag_lists(posts: Iterable[Post]) -> tuple[PostList, ...]:
    """Return the tags of the posts."""
    return tuple(PostList(tag.name, tag_path(tag.name), tag.posts) for tag in collect_tags(posts))


def build_tag_pages(tags: Iterable[PostList], timezone: str) -> tuple[TagPages, ...]:
    """Return the pages of each tag: one where it has at most 500 posts, and where it has more, also one a year.

    A phone takes seconds to show a list of thousands, and the list changes with each of its posts.
    """
    return tuple(_build_tag_page(tag, timezone) for tag in tags)


def _build_tag_page(tag: PostList, timezone: str) -> TagPages:
    if tag.count <= MAX_TAG_POSTS:
        return TagPages(tag, tag.posts, ())
    folder = tag.path.removesuffix("index.html")
    years = (year._replace(path=f"{folder}{year.name}.html") for year in group_by_year(tag.posts, timezone))
    return TagPages(tag, tag.posts[:LATEST_TAG_POSTS], tuple(years))


def tag_path(name: str) -> str:
    """Return the path of the page of a tag, the same for all spellings of the tag."""
    return f"tags/{encode_path(tag_slug(name))}/index.html"


def group_by_newsletter(editions: Iterable[StoredEdition], settings: Settings) -> tuple[Issues, ...]:
    """Return the newsletters that have editions, in the order of the settings; those that the settings lost come last."""
    issues_by_name: dict[str, list[Issue]] = {name: [] for name in settings.newsletters}
    for edition in editions:
        issue = Issue(f"archive/{edition.slot.edition}.html", edition)
        issues_by_name.setdefault(edition.slot.newsletter, []).append(issue)
    return tuple(_issues(name, issues, settings) for name, issues in issues_by_name.items() if issues)


def pair_neighbors(items: Sequence[_T]) -> Iterator[tuple[_T, _T | None, _T | None]]:
    """Yield each item of a list that is newest first, with the newer and the older one beside it; None at the ends."""
    return zip(items, [None, *items], [*items[1:], None], strict=False)


def _issues(name: str, issues: Iterable[Issue], settings: Settings) -> Issues:
    newsletter = settings.newsletters.get(name)
    if newsletter is None:
        return Issues(name, settings.site.timezone, tuple(issues))
    return Issues(newsletter.title, settings.newsletter_zone(newsletter), tuple(issues))
