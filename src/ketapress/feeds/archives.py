"""Which feeds there are, and which document of a feed holds which posts: what readers poll, and the archives behind it.

In: visible posts, newest first. Out: `Document`s. What readers poll holds the newest posts, as many as the settings say
and no more than is quickly read. When there are more, the whole of each month that has one of the others is an archive
(RFC 5005, 4): keyed by its month, so that its address and its content stay when new posts come.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from itertools import accumulate
from types import MappingProxyType
from typing import NamedTuple

from ketapress.feeds.model import plain
from ketapress.model.post import Post
from ketapress.model.settings import Settings
from ketapress.model.tags import Tag
from ketapress.model.urls import encode_path

LARGEST = 256 * 1024
"""Characters of HTML in what readers poll: JSON Feed's authors call 250 KB fine, and 1 MB a burden."""
FEWEST = 10
"""As many entries are always there, however large: a reader that polls once a week should miss none."""


class Document(NamedTuple):
    """One document of a feed: its path under the site's URL, encoded, its posts, and what is not the site's own of it.

    `about` are fields of a `Feed`.
    """

    path: str
    posts: Sequence[Post]
    about: Mapping[str, str] = MappingProxyType({})


class Shelves(NamedTuple):
    """The posts of the site's feed: those that readers poll, and by months those of its archives, newest first."""

    latest: Sequence[Post]
    months: Mapping[str, Sequence[Post]]


def shelved(posts: Sequence[Post], settings: Settings) -> Shelves:
    """The visible posts, newest first, in the documents that hold them whatever their format.

    An archive is the whole of a month, in UTC, that has a post which readers who poll do not see.
    """
    latest = _latest(posts, settings)
    months: dict[str, list[Post]] = defaultdict(list)
    for post in posts:
        months[_month(post)].append(post)
    wanted = {_month(post) for post in posts[len(latest) :]}
    return Shelves(latest, {month: months[month] for month in sorted(wanted, reverse=True)})


def site_documents(shelves: Shelves, settings: Settings, path: str) -> Iterator[Document]:
    """The site's feed at `path` (`feed.xml`), then its archives, newest first (`feeds/2023-05.feed.xml`)."""
    places = [f"feeds/{month}.{path}" for month in shelves.months]
    urls = ["", *map(settings.page_url, places), ""]
    current = settings.page_url(path)
    yield Document(path, shelves.latest, {"older": urls[1]})
    for number, (place, posts) in enumerate(zip(places, shelves.months.values(), strict=True)):
        links = {
            "id": current,
            "current": current,
            "hub": "",
            "newer": urls[number],
            "older": urls[number + 2],
        }
        yield Document(place, posts, links)


def tag_document(tag: Tag, settings: Settings, file: str) -> Document:
    """The feed of one tag's newest posts."""
    folder = f"tags/{encode_path(tag.slug)}/"
    title = f"{plain(settings.site.title)}: {plain(tag.name) or tag.slug}"
    about = {"title": title, "home_url": settings.page_url(folder)}
    return Document(folder + file, _latest(tag.posts, settings), about)


def _latest(posts: Sequence[Post], settings: Settings) -> Sequence[Post]:
    newest = posts[: settings.feeds.entries]
    sizes = accumulate(len(post.html) for post in newest)
    return newest[: max(FEWEST, sum(size <= LARGEST for size in sizes))]


def _month(post: Post) -> str:
    moment = (post.published or post.date).astimezone(UTC)
    return f"{moment.year:04}-{moment.month:02}"
