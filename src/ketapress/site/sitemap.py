"""The list of pages for search engines (sitemaps.org/protocol.html)."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from html import escape
from typing import Protocol

from ketapress.model.build_target import BuildTarget, Fingerprints
from ketapress.model.post import Post

MAX_URLS = 50_000
"""In one file; a site that has more gets an index of such files (sitemaps.org/protocol.html#index)."""
SITEMAP = "sitemap.xml"
_SPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_Url = Callable[[str], str]


class Dates(Protocol):
    """How pages write instants, in the zone of the site."""

    def timestamp(self, moment: datetime) -> str: ...


def sitemap_targets(
    lists: Sequence[str],
    posts: Sequence[Post],
    url: _Url,
    dates: Dates,
    fingerprints: Fingerprints,
    max_urls: int = MAX_URLS,
) -> Iterator[BuildTarget]:
    """Yield `sitemap.xml`, and where there are too many addresses for one file, the files that it is an index of.

    `lists` are the paths of pages that list posts; `posts` are newest first, and those with a canonical address elsewhere
    are left out; `url` makes an address of a path. The files of an index begin with the oldest post, so that a new post
    changes the last of them only.
    """
    own_posts = [post for post in posts if not post.canonical]
    if len(own_posts) + len(lists) <= max_urls:
        yield _sitemap(SITEMAP, lists, own_posts, url, dates, fingerprints)
        return
    own_posts.reverse()
    portions: list[tuple[Sequence[str], Sequence[Post]]] = [
        *(((), own_posts[first : first + max_urls]) for first in range(0, len(own_posts), max_urls)),
        *((lists[first : first + max_urls], ()) for first in range(0, len(lists), max_urls)),
    ]
    names = [f"sitemap-{number}.xml" for number in range(1, len(portions) + 1)]
    urls = [url(name) for name in names]
    yield BuildTarget(SITEMAP, fingerprints.key(SITEMAP, names), partial(_render_index, urls))
    for name, (paths, portion) in zip(names, portions, strict=True):
        yield _sitemap(name, paths, portion, url, dates, fingerprints)


def _sitemap(
    path: str,
    lists: Sequence[str],
    posts: Sequence[Post],
    url: _Url,
    dates: Dates,
    fingerprints: Fingerprints,
) -> BuildTarget:
    key = fingerprints.key(path, lists, fingerprints.full_list(posts))
    return BuildTarget(path, key, partial(_render_sitemap, lists, posts, url, dates))


def _render_sitemap(lists: Iterable[str], posts: Iterable[Post], url: _Url, dates: Dates) -> bytes:
    pages = (f"<url><loc>{escape(url(path))}</loc></url>" for path in lists)
    articles = (
        f"<url><loc>{escape(url(post.url))}</loc><lastmod>{dates.timestamp(post.updated)}</lastmod></url>"
        for post in posts
    )
    return _render_document("urlset", [*pages, *articles])


def _render_index(urls: Iterable[str]) -> bytes:
    return _render_document("sitemapindex", [f"<sitemap><loc>{escape(url)}</loc></sitemap>" for url in urls])


def _render_document(root: str, entries: Iterable[str]) -> bytes:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<{root} xmlns="{_SPACE}">', *entries, f"</{root}>"]
    return ("\n".join(lines) + "\n").encode()
