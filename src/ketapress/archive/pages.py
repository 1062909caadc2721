"""Which pages the archive has, and with what values their templates are filled.

In: the visible posts and the public editions, newest first; the settings; the formats of the feeds that stand beside the
pages; a `Fill`. Out: paths under `public/` and bytes. Links between pages are relative, so that the archive can be read
from disk and served from a sub-folder; what leaves the site (canonical addresses, feeds, previews) is absolute.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from ketapress.archive.colour import readable
from ketapress.model.edition import StoredEdition
from ketapress.model.fill import Fill
from ketapress.model.language import direction
from ketapress.model.post import Post
from ketapress.model.settings import Settings
from ketapress.model.tags import Tag, tag_slug, tags_of
from ketapress.model.urls import decoded_path, encoded_path

LATEST = 20
"""How many posts the front page shows; the others are found by year and by tag."""
PAPER = {"light": "#fffdf8", "dark": "#17150f"}
_CONTRAST = {"light": 4.5, "dark": 6.5}  # a dark page is read in dim light, where 4.5 looks dull

_HEAD_END = re.compile(r"</head\s*>", re.IGNORECASE)
_SCROLLED = re.compile(r"<(?:table|pre)\b")
# A table or a listing that is wider than a phone scrolls, and whoever has no mouse has to be able to reach it.
_SCROLLING = {"<pre": '<pre tabindex="0"', "<table": '<div class="scroll" tabindex="0" role="group"><table'}

_JSON = json.JSONEncoder(ensure_ascii=False).encode
_SHARED = ("head", "masthead", "colophon")


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


@dataclass(frozen=True, slots=True)
class Listed:
    """A page that lists posts: a tag's or a year's. `path` is encoded and relative to the site."""

    name: str
    path: str
    posts: tuple[Post, ...]


@dataclass(frozen=True, slots=True)
class Issue:
    """An edition as the archive lists it."""

    path: str
    edition: StoredEdition


@dataclass(frozen=True, slots=True)
class NewsletterIssues:
    """A newsletter and its editions, newest first."""

    title: str
    timezone: str
    issues: tuple[Issue, ...]


def site_pages(
    posts: Sequence[Post],
    editions: Sequence[StoredEdition],
    settings: Settings,
    feeds: Sequence[FeedFormat],
    fill: Fill,
) -> Iterator[tuple[str, bytes]]:
    """Every page of the archive: path under `public/`, and its bytes.

    The site's own pages come first, so that where a post asks for the address of one of them, the site's is kept.
    """
    return _Archive(posts, editions, settings, feeds, fill).pages()


class _Archive:
    def __init__(
        self,
        posts: Sequence[Post],
        editions: Sequence[StoredEdition],
        settings: Settings,
        feeds: Sequence[FeedFormat],
        fill: Fill,
    ) -> None:
        self.posts, self.settings, self.fill = posts, settings, fill
        self.tags = [_tag_page(tag) for tag in tags_of(posts)]
        self.years = _years(posts, settings.site.timezone)
        self.newsletters = _newsletters(editions, settings)
        self.feed_file = feeds[0]
        self.feeds = [
            FeedLink(settings.page(feed.path), feed.media_type, f"{settings.site.title} ({feed.title})")
            for feed in feeds
        ]
        self.common: Mapping[str, Any] = {
            "site": settings.site,
            "dir": direction(settings.site.language),
            "has_editions": bool(self.newsletters),
            "feeds": self.feeds,
        }
        self.frames: dict[int, Mapping[str, Any]] = {}

    def pages(self) -> Iterator[tuple[str, bytes]]:
        return chain(self._front(), self._lists(), self._editions(), self._posts(), self._redirects())

    def _front(self) -> Iterator[tuple[str, bytes]]:
        accent = self.settings.site.accent
        colours = {
            name: {"paper": paper, "accent": readable(accent, paper, _CONTRAST[name])}
            for name, paper in PAPER.items()
        }
        yield "style.css", self.fill("archive/style.css", colours).encode(errors="replace")
        yield self._page(
            "index.html", "archive/index.html", posts=self.posts[:LATEST], years=self.years, tags=self.tags
        )
        newsletters = [(self.settings.zone(each), each) for each in self.settings.newsletters.values()]
        yield self._page(
            "subscribe.html",
            "archive/subscribe.html",
            newsletters=newsletters,
            door=self.settings.web.url,
            tags=self.tags,
        )
        yield (
            "sitemap.xml",
            self.fill("archive/sitemap.xml", {**self.common, "pages": self._places()}).encode(
                errors="replace"
            ),
        )

    def _lists(self) -> Iterator[tuple[str, bytes]]:
        for number, year in enumerate(self.years):
            newer = self.years[number - 1] if number else None
            older = self.years[number + 1] if number + 1 < len(self.years) else None
            yield self._page(year.path, "archive/year.html", year=year, newer=newer, older=older)
        if self.tags:
            yield self._page("tags/index.html", "archive/tags.html", tags=self.tags)
        for tag in self.tags:
            own = FeedLink(
                self._beside(tag.path), self.feed_file.media_type, f"{self.settings.site.title}: {tag.name}"
            )
            yield self._page(tag.path, "archive/tag.html", tag=tag, tag_feed=own)

    def _editions(self) -> Iterator[tuple[str, bytes]]:
        if not self.newsletters:
            return
        yield self._page("archive/index.html", "archive/editions.html", newsletters=self.newsletters)
        head = self.fill("archive/edition-head.html", self.common)
        for newsletter in self.newsletters:
            for issue in newsletter.issues:
                yield issue.path, _with_head(issue.edition.web, head).encode(errors="replace")

    def _posts(self) -> Iterator[tuple[str, bytes]]:
        for number, post in enumerate(self.posts):
            newer = self.posts[number - 1] if number else None
            older = self.posts[number + 1] if number + 1 < len(self.posts) else None
            yield self._page(
                post.url,
                "archive/post.html",
                post=post,
                body=_scrolling(post.html),
                structured=_structured(post, self.settings),
                tags=[(name, f"tags/{encoded_path(tag_slug(name))}/index.html") for name in post.tags],
                newer=newer,
                older=older,
            )

    def _redirects(self) -> Iterator[tuple[str, bytes]]:
        for post in self.posts:
            for alias in post.aliases:
                path = alias_path(alias)
                if path:
                    moved = {"url": self.settings.page(post.url), "title": post.title}
                    yield (
                        path,
                        self.fill("archive/redirect.html", {**self.common, **moved}).encode(errors="replace"),
                    )

    def _page(self, path: str, template: str, **values: Any) -> tuple[str, bytes]:
        """One page. `path` is encoded; the page's address leaves out `index.html`, as web servers do."""
        depth = path.count("/")
        if depth not in self.frames:
            self.frames[depth] = self._frame("../" * depth or "./")
        url = self.settings.page(path.removesuffix("index.html"))
        page = self.fill(template, {**self.frames[depth], "url": url, **values})
        return decoded_path(path), page.encode(errors="replace")

    def _frame(self, root: str) -> Mapping[str, Any]:
        """What all pages of one depth share, filled once: half of a page's time would go into it."""
        shared = {**self.common, "root": root}
        return shared | {part: self.fill(f"archive/{part}.html", shared) for part in _SHARED}

    def _beside(self, path: str) -> str:
        return self.settings.page(path.removesuffix("index.html") + self.feed_file.path)

    def _places(self) -> Iterator[tuple[str, Any]]:
        """What the sitemap names: address, and when it last changed where a post says so."""
        newest = max((post.updated for post in self.posts), default=None)
        yield self.settings.page(""), newest
        for listed in chain(self.years, self.tags):
            yield self.settings.page(listed.path.removesuffix("index.html")), None
        for post in self.posts:
            if not post.canonical:
                yield self.settings.page(post.url), post.updated


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
    return path if path.endswith((".html", ".htm")) else f"{path}/index.html"


def _years(posts: Sequence[Post], timezone: str) -> list[Listed]:
    zone = ZoneInfo(timezone)
    found: dict[int, list[Post]] = defaultdict(list)
    for post in posts:
        found[post.date.astimezone(zone).year].append(post)
    return [
        Listed(f"{year}", f"{year}/index.html", tuple(found[year])) for year in sorted(found, reverse=True)
    ]


def _tag_page(tag: Tag) -> Listed:
    return Listed(tag.name, f"tags/{encoded_path(tag.slug)}/index.html", tag.posts)


def _newsletters(editions: Iterable[StoredEdition], settings: Settings) -> list[NewsletterIssues]:
    """The newsletters that have editions, in the order of the settings; one that is no longer there comes last."""
    found: dict[str, list[Issue]] = {name: [] for name in settings.newsletters}
    for edition in editions:
        issue = Issue(f"archive/{edition.slot.edition}.html", edition)
        found.setdefault(edition.slot.newsletter, []).append(issue)
    return [_issues(name, issues, settings) for name, issues in found.items() if issues]


def _issues(name: str, issues: Iterable[Issue], settings: Settings) -> NewsletterIssues:
    newsletter = settings.newsletters.get(name)
    if newsletter is None:
        return NewsletterIssues(name, settings.site.timezone, tuple(issues))
    return NewsletterIssues(newsletter.title, settings.zone(newsletter), tuple(issues))


def _structured(post: Post, settings: Settings) -> str:
    """What search engines read of a post: schema.org in JSON-LD, with nothing in it that could end its element."""
    url = post.canonical or settings.page(post.url)
    names = post.authors or ((settings.site.author.name,) if settings.site.author else ())
    found = {
        "@context": "https://schema.org",
        "@type": "BlogPosting",
        "mainEntityOfPage": url,
        "url": url,
        "headline": post.title,
        "description": post.summary,
        "datePublished": (post.published or post.date).isoformat(),
        "dateModified": post.updated.isoformat(),
        "inLanguage": post.lang or settings.site.language,
        "keywords": list(post.tags),
        "image": post.image.url if post.image else "",
        "author": [{"@type": "Person", "name": name} for name in names],
        "publisher": {"@type": "Organization", "name": settings.site.title, "url": settings.page("")},
    }
    return _JSON({name: value for name, value in found.items() if value}).replace("<", "\\u003c")


def _with_head(page: str, head: str) -> str:
    """An edition's page with what the archive adds to its head: where the feeds are, and nothing for search engines."""
    return _HEAD_END.sub(lambda end: head + end[0], page, count=1)


def _scrolling(html: str) -> str:
    return _SCROLLED.sub(lambda tag: _SCROLLING[tag[0]], html).replace("</table>", "</table></div>")
