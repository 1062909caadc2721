"""Which feeds there are, and which document of a feed holds which posts: what readers poll, and the archives behind it.

In: visible posts, newest first. Out: `Document`s. Readers poll the newest posts, as many as the settings say and no more
than is quickly read. Where there are more, each month that has one of the others is an archive as a whole (RFC 5005, 4):
an archive has its month in its address, so that address and content stay when new posts come.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from itertools import accumulate
from types import MappingProxyType
from typing import NamedTuple

from ketapress.feeds.model import to_plain_text
from ketapress.model.post import Post
from ketapress.model.settings import Settings
from ketapress.model.tags import Tag
from ketapress.model.urls import encode_path

MAX_HTML_LENGTH = 256 * 1024
"""Characters of HTML in what readers poll: JSON Feed's authors call 250 KB fine, and 1 MB a burden."""
MIN_ENTRIES = 10
"""This many entries are always there, however large: a reader that polls once a week should miss none."""


class Document(NamedTuple):
    """One document of a feed: its path under the site's URL, encoded, and its posts.

    `fields` are those of its `Feed` that differ from the site's feed.
    """

    path: str
    posts: Sequence[Post]
    fields: Mapping[str, str] = MappingProxyType({})


class Archives(NamedTuple):
    """The posts of the site's feed: those that readers poll, and those of its archives by month, newest first."""

    latest: Sequence[Post]
    months: Mapping[str, Sequence[Post]]


def split_into_archives(posts: Sequence[Post], settings: Settings) -> Archives:
    """Divide the visible posts, newest first, into the documents that hold them in any format.

    An archive is the whole of a month, in UTC, that has a post which readers who poll do not see.
    """
    latest = _select_latest(posts, settings)
    months: dict[str, list[Post]] = defaultdict(list)
    for post in posts:
        months[_month_key(post)].append(post)
    archived = {_month_key(post) for post in posts[len(latest) :]}
    return Archives(latest, {month: months[month] for month in sorted(archived, reverse=True)})


def site_documents(archives: Archives, settings: Settings, path: str) -> Iterator[Document]:
    """Yield the site's feed at `path` (`feed.xml`), then its archives, newest first (`feeds/2023-05.feed.xml`)."""
    paths = [f"feeds/{month}.{path}" for month in archives.months]
    urls = ["", *map(settings.page_url, paths), ""]
    current = settings.page_url(path)
    yield Document(path, archives.latest, {"older": urls[1]})
    for number, (archive_path, posts) in enumerate(zip(paths, archives.months.values(), strict=True)):
        fields = {
            "id": current,
            "current": current,
            "hub": "",
            "newer": urls[number],
            "older": urls[number + 2],
        }
        yield Document(archive_path, posts, fields)


def tag_document(tag: Tag, settings: Settings, file: str) -> Document:
    """Return the feed of the newest posts of a tag."""
    folder = f"tags/{encode_path(tag.slug)}/"
    title = f"{to_plain_text(settings.site.title)}: {to_plain_text(tag.name) or tag.slug}"
    return Document(
        folder + file,
        _select_latest(tag.posts, settings),
        {"title": title, "home_url": settings.page_url(folder)},
    )


def _select_latest(posts: Sequence[Post], settings: Settings) -> Sequence[Post]:
    newest = posts[: settings.feeds.entries]
    sizes = accumulate(len(post.html) for post in newest)
    return newest[: max(MIN_ENTRIES, sum(size <= MAX_HTML_LENGTH for size in sizes))]


def _month_key(post: Post) -> str:
    date = (post.published or post.date).astimezone(UTC)
    return f"{date.year:04}-{date.month:02}"
