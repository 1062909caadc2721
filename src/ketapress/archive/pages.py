"""Which pages the archive has, and with what values their templates are filled.

In: the visible posts and the public editions, newest first; the settings; the formats of the feeds that stand beside the
pages; a `Fill`. Out: paths under `public/` and bytes. Links between pages are relative, so that the archive can be read
from disk and served from a sub-folder; what leaves the site (canonical addresses, feeds, previews) is absolute.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from ketapress.archive.colour import readable
from ketapress.archive.lists import (
    Issues,
    Listed,
    newsletters_of,
    tag_pages,
    tag_path,
    with_neighbours,
    years_of,
)
from ketapress.archive.markup import edition_page, scrolling, structured
from ketapress.model.edition import StoredEdition
from ketapress.model.fill import Fill
from ketapress.model.language import direction
from ketapress.model.post import Post
from ketapress.model.settings import Settings
from ketapress.model.urls import decoded_path

LATEST = 20
"""How many posts the front page shows; the others are found by year and by tag."""
PAPER = {"light": "#fffdf8", "dark": "#17150f"}
_CONTRAST = {"light": 4.5, "dark": 6.5}  # a dark page is read in dim light, where 4.5 looks dull
_SHARED = ("head", "masthead", "colophon")
_INDEX = "index.html"


class FeedFormat(Protocol):
    """What the archive has to know of a format of the feeds: how a feed's file is called, and what it is."""

    @property
    def path(self) -> str: ...
    @property
    def media_type(self) -> str: ...
    @property
    def title(self) -> str: ...


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A feed that a page points to."""

    url: str
    media_type: str
    title: str


def site_pages(
    posts: Sequence[Post],
    editions: Sequence[StoredEdition],
    settings: Settings,
    feeds: Sequence[FeedFormat],
    fill: Fill,
) -> Iterator[tuple[str, bytes]]:
    """Every page of the archive: path under `public/`, and its bytes.

    The site's own pages come first, so that where a post asks for the address of one of them, the site's is kept. The
    first of the formats is the one that the feeds of tags are in.
    """
    years, tags = years_of(posts, settings.site.timezone), tag_pages(posts)
    newsletters = newsletters_of(editions, settings)
    press = _Press(settings, fill, _common(settings, feeds, newsletters))
    yield from _front(press, posts, years, tags)
    yield from _year_pages(press, years)
    yield from _tag_pages(press, tags, feeds[0])
    yield from _edition_pages(press, newsletters)
    yield from _post_pages(press, posts)
    yield from _redirects(press, posts)


def alias_path(alias: str) -> str | None:
    """Where the page stands that leads from an old address to the new one; None where no file can stand there.

    `/old/` and `/old` are `old/index.html`, `/old.html` is itself; of a full URL the path counts.
    """
    try:
        path = unquote(urlsplit(alias.strip()).path).strip("/")
    except ValueError:
        return None
    parts = path.split("/")
    if not all(parts) or {".", ".."} & set(parts) or re.search(r"[\x00-\x1f\\]", path):
        return None
    return path if path.endswith((".html", ".htm")) else f"{path}/{_INDEX}"


@dataclass(frozen=True, slots=True)
class _Press:
    """Fills templates: with what all pages have, what those of one depth share, and what is the page's own."""

    settings: Settings
    fill: Fill
    common: Mapping[str, Any]
    frames: dict[int, Mapping[str, Any]] = field(default_factory=dict)

    def page(self, path: str, template: str, **values: Any) -> tuple[str, bytes]:
        """A page at an encoded path."""
        return self.file(
            decoded_path(path), template, **self._frame(path.count("/")), url=self.url(path), **values
        )

    def file(self, path: str, template: str, **values: Any) -> tuple[str, bytes]:
        """A file of any kind. A lone surrogate, which a JSON header can hold, becomes a question mark."""
        return path, self.fill(f"archive/{template}", {**self.common, **values}).encode(errors="replace")

    def url(self, path: str) -> str:
        """The full address of a page, without `index.html`, as web servers know it."""
        return self.settings.page(path.removesuffix(_INDEX))

    def _frame(self, depth: int) -> Mapping[str, Any]:
        """What the pages of one depth share, filled once: half of a page's time would go into it."""
        if depth not in self.frames:
            root = {"root": "../" * depth or "./"}
            shared = {part: self.fill(f"archive/{part}.html", {**self.common, **root}) for part in _SHARED}
            self.frames[depth] = root | shared
        return self.frames[depth]


def _common(
    settings: Settings, feeds: Sequence[FeedFormat], newsletters: Sequence[Issues]
) -> Mapping[str, Any]:
    title = settings.site.title
    return {
        "site": settings.site,
        "dir": direction(settings.site.language),
        "has_editions": bool(newsletters),
        "feeds": [
            FeedLink(settings.page(feed.path), feed.media_type, f"{title} ({feed.title})") for feed in feeds
        ],
    }


def _front(
    press: _Press, posts: Sequence[Post], years: Sequence[Listed], tags: Sequence[Listed]
) -> Iterator[tuple[str, bytes]]:
    settings = press.settings
    newsletters = [(settings.zone(each), each) for each in settings.newsletters.values()]
    yield press.file("style.css", "style.css", **_colours(settings.site.accent))
    yield press.page(_INDEX, "index.html", posts=posts[:LATEST], years=years, tags=tags)
    yield press.page(
        "subscribe.html", "subscribe.html", newsletters=newsletters, door=settings.web.url, tags=tags
    )
    yield press.file("sitemap.xml", "sitemap.xml", posts=posts, pages=[*years, *tags], url=press.url)


def _colours(accent: str) -> dict[str, dict[str, str]]:
    return {
        name: {"paper": paper, "accent": readable(accent, paper, _CONTRAST[name])}
        for name, paper in PAPER.items()
    }


def _year_pages(press: _Press, years: Sequence[Listed]) -> Iterator[tuple[str, bytes]]:
    for year, newer, older in with_neighbours(years):
        yield press.page(year.path, "year.html", year=year, newer=newer, older=older)


def _tag_pages(press: _Press, tags: Sequence[Listed], form: FeedFormat) -> Iterator[tuple[str, bytes]]:
    if tags:
        yield press.page(f"tags/{_INDEX}", "tags.html", tags=tags)
    for tag in tags:
        title = f"{press.settings.site.title}: {tag.name}"
        own = FeedLink(press.url(tag.path) + form.path, form.media_type, title)
        yield press.page(tag.path, "tag.html", tag=tag, tag_feed=own)


def _edition_pages(press: _Press, newsletters: Sequence[Issues]) -> Iterator[tuple[str, bytes]]:
    if newsletters:
        yield press.page(f"archive/{_INDEX}", "editions.html", newsletters=newsletters)
    head = press.fill("archive/edition-head.html", press.common)
    for newsletter in newsletters:
        for issue in newsletter.issues:
            yield issue.path, edition_page(issue.edition.web, head).encode(errors="replace")


def _post_pages(press: _Press, posts: Sequence[Post]) -> Iterator[tuple[str, bytes]]:
    for post, newer, older in with_neighbours(posts):
        yield press.page(
            post.url,
            "post.html",
            post=post,
            body=scrolling(post.html),
            structured=structured(post, press.settings),
            tags=[(name, tag_path(name)) for name in post.tags],
            newer=newer,
            older=older,
        )


def _redirects(press: _Press, posts: Sequence[Post]) -> Iterator[tuple[str, bytes]]:
    for post in posts:
        for path in filter(None, map(alias_path, post.aliases)):
            yield press.file(path, "redirect.html", url=press.url(post.url), title=post.title)
