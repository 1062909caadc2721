"""The list of pages for search engines (sitemaps.org/protocol.html): made anew whenever a post changes, so it takes no template."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from html import escape
from typing import Protocol

from ketapress.model.output import Keys, Output
from ketapress.model.post import Post

MOST_ADDRESSES = 50_000
"""In one file; a site that has more gets an index of such files (sitemaps.org/protocol.html#index)."""
SITEMAP = "sitemap.xml"
_SPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_Url = Callable[[str], str]


class Dates(Protocol):
    """How pages write instants, in the zone of the site."""

    def timestamp(self, moment: datetime) -> str: ...


def sitemaps(
    lists: Sequence[str],
    posts: Sequence[Post],
    url: _Url,
    dates: Dates,
    keys: Keys,
    most: int = MOST_ADDRESSES,
) -> Iterator[Output]:
    """`sitemap.xml`, with the files that it is an index of where there are too many addresses for one.

    `lists` are the paths of pages that list posts; `posts` are newest first, and those that are at home elsewhere are
    left out; `url` makes an address of a path. The files of an index are filled from the oldest post on, so that a new
    post changes the last of them only.
    """
    ours = [post for post in posts if not post.canonical]
    if len(ours) + len(lists) <= most:
        yield _sitemap(SITEMAP, lists, ours, url, dates, keys)
        return
    ours.reverse()
    portions: list[tuple[Sequence[str], Sequence[Post]]] = [
        *(((), ours[first : first + most]) for first in range(0, len(ours), most)),
        *((lists[first : first + most], ()) for first in range(0, len(lists), most)),
    ]
    names = [f"sitemap-{number}.xml" for number in range(1, len(portions) + 1)]
    yield Output(SITEMAP, keys.of(SITEMAP, names), partial(_index, [url(name) for name in names]))
    for name, (paths, portion) in zip(names, portions, strict=True):
        yield _sitemap(name, paths, portion, url, dates, keys)


def _sitemap(
    path: str, lists: Sequence[str], posts: Sequence[Post], url: _Url, dates: Dates, keys: Keys
) -> Output:
    return Output(
        path, keys.of(path, lists, keys.wholes(posts)), partial(_addresses, lists, posts, url, dates)
    )


def _addresses(lists: Iterable[str], posts: Iterable[Post], url: _Url, dates: Dates) -> bytes:
    """The posts with the instants when they changed last."""
    pages = (f"<url><loc>{escape(url(path))}</loc></url>" for path in lists)
    articles = (
        f"<url><loc>{escape(url(post.url))}</loc><lastmod>{dates.timestamp(post.updated)}</lastmod></url>"
        for post in posts
    )
    return _document("urlset", [*pages, *articles])


def _index(urls: Iterable[str]) -> bytes:
    return _document("sitemapindex", [f"<sitemap><loc>{escape(url)}</loc></sitemap>" for url in urls])


def _document(root: str, entries: Iterable[str]) -> bytes:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<{root} xmlns="{_SPACE}">', *entries, f"</{root}>"]
    return ("\n".join(lines) + "\n").encode()
