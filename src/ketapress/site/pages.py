"""Which pages the archive has, and with what values their templates are filled.

In: the visible posts and the public editions, newest first; the settings; the formats of the feeds that stand beside the
pages; a `Fill`. Out: outputs, none of which is made yet. Links between pages are relative, so that the archive can be
read from disk and served from a sub-folder; what leaves the site (canonical addresses, feeds, previews) is absolute.

The key of a page stands for what its template shows: of the page's own post everything, of others their faces.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from ketapress.i18n.site_messages import SiteMessages, site_messages
from ketapress.model.colour import ensure_contrast
from ketapress.model.edition import StoredEdition
from ketapress.model.language import text_direction
from ketapress.model.output import Keys, Output, digest, text_sha256
from ketapress.model.post import Post
from ketapress.model.renderer import Fill
from ketapress.model.settings import Settings
from ketapress.model.urls import decode_path
from ketapress.site.html import edition_page, post_body, reading_minutes, structured
from ketapress.site.indexes import (
    Issue,
    Issues,
    Listed,
    Subject,
    newsletters_of,
    subjects_of,
    tag_pages,
    tag_path,
    with_neighbours,
    years_of,
)
from ketapress.site.sitemap import Dates, sitemaps

LATEST = 20
"""How many posts the front page shows; the others are found by year and by tag."""
PAPER = {"light": "#fffdf8", "dark": "#17150f"}
_CONTRAST = {"light": 4.5, "dark": 6.5}  # a dark page is read in dim light, where 4.5 looks dull
_SHARED = ("head", "masthead", "invitation", "colophon")
_INDEX = "index.html"
_ALIASES = attrgetter("aliases")
_LONG = 3  # minutes: from here on it helps to know before one begins


class FeedFormat(Protocol):
    """What the archive has to know of a format of the feeds: how a feed's file is called, and what it is."""

    @property
    def path(self) -> str: ...
    @property
    def media_type(self) -> str: ...
    @property
    def title(self) -> str: ...


class FeedLink(NamedTuple):
    """A feed that a page points to: `title` is the feed's, `name` its format's."""

    url: str
    media_type: str
    title: str
    name: str


def site_pages(
    posts: Sequence[Post],
    editions: Sequence[StoredEdition],
    settings: Settings,
    feeds: Sequence[FeedFormat],
    fill: Fill,
    keys: Keys,
    dates: Dates,
) -> Iterator[Output]:
    """Every page of the archive.

    The site's own pages come first, so that where a post asks for the address of one of them, the site's is kept. The
    first of the formats is the one that the feeds of tags are in.
    """
    years, tags = years_of(posts, settings.site.timezone), tag_pages(posts)
    subjects = subjects_of(tags, settings.site.timezone)
    newsletters = newsletters_of(editions, settings)
    common = _common(settings, feeds, newsletters, tags)
    press = _Press(settings, fill, keys, common, {})
    yield from _front(press, posts, years, tags)
    lists = [*years, *(page for subject in subjects for page in subject.pages)]
    yield from sitemaps(["", *(each.path for each in lists)], posts, press.url, dates, keys)
    yield from _year_pages(press, years)
    yield from _tag_pages(press, subjects, feeds[0])
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


_Values = Callable[[], Mapping[str, Any]]


class _Press(NamedTuple):
    """Fills templates: with what all pages have, what those of one depth share, and what is the page's own."""

    settings: Settings
    fill: Fill
    keys: Keys
    common: Mapping[str, Any]
    frames: dict[str, Mapping[str, Any]]

    def page(self, path: str, template: str, values: _Values, *shown: object) -> Output:
        """A page at an encoded path, of values that are asked for when it is made; `shown` tells them apart."""
        return self._output(decode_path(path), template, lambda: {**self._framed(path), **values()}, shown)

    def file(self, path: str, template: str, values: _Values, *shown: object) -> Output:
        """A file of any kind."""
        return self._output(path, template, values, shown)

    def article(self, post: Post, newer: Post | None, older: Post | None) -> Output:
        """The page of a post."""
        keys, values = self.keys, partial(_post_values, self, post, newer, older)
        return self.page(post.url, "post.html", values, keys.whole(post), keys.face(newer), keys.face(older))

    def edition(self, issue: Issue) -> Output:
        """The page that was made of an edition when it was composed, with more in its head."""
        key = self.keys.of(
            "edition", issue.edition._replace(web_html=""), text_sha256(issue.edition.web_html)
        )
        return Output(issue.path, key, partial(self._edition, issue))

    def frame(self, root: str) -> Mapping[str, Any]:
        """What the pages have in common from which `root` leads to the top: filled once."""
        if root not in self.frames:
            filled = {part: self._filled(f"{part}.html", {"root": root}) for part in _SHARED}
            self.frames[root] = {"root": root} | filled
        return self.frames[root]

    def url(self, path: str) -> str:
        """The full address of a page, without `index.html`, as web servers know it."""
        return self.settings.page_url(path.removesuffix(_INDEX))

    def _output(self, path: str, template: str, values: _Values, shown: tuple[object, ...]) -> Output:
        return Output(path, self._key(template, shown), lambda: _encoded(self._filled(template, values())))

    def _key(self, template: str, shown: tuple[object, ...]) -> str:
        return self.keys.of(template, self.common["has_editions"], self.common["has_tags"], *shown)

    def _filled(self, template: str, values: Mapping[str, Any]) -> str:
        return self.fill(f"archive/{template}", {**self.common, **values})

    def _framed(self, path: str) -> Mapping[str, Any]:
        """What a page has for where it stands."""
        return {**self.frame("../" * path.count("/") or "./"), "url": self.url(path)}

    def _edition(self, issue: Issue) -> bytes:
        head, bar = (
            self._filled(f"edition-{part}.html", self._framed(issue.path)) for part in ("head", "bar")
        )
        return _encoded(edition_page(issue.edition.web_html, head, bar))


def _encoded(page: str) -> bytes:
    """A page's bytes. A lone surrogate, which a JSON header can hold, becomes a question mark."""
    return page.encode(errors="replace")


def _common(
    settings: Settings, feeds: Sequence[FeedFormat], newsletters: Sequence[Issues], tags: Sequence[Listed]
) -> Mapping[str, Any]:
    title = settings.site.title
    return {
        "site": settings.site,
        "dir": text_direction(settings.site.language),
        "words": site_messages(settings.site.language),
        "has_editions": bool(newsletters),
        "has_tags": bool(tags),
        "feeds": [
            FeedLink(settings.page_url(feed.path), feed.media_type, f"{title} ({feed.title})", feed.title)
            for feed in feeds
        ],
    }


def _front(
    press: _Press, posts: Sequence[Post], years: Sequence[Listed], tags: Sequence[Listed]
) -> Iterator[Output]:
    settings, faces = press.settings, press.keys.faces(posts)
    newsletters = [(settings.newsletter_zone(each), each) for each in settings.newsletters.values()]
    subscribing = {"newsletters": newsletters, "door": settings.web.url, "tags": tags}
    yield press.file("style.css", "style.css", partial(colours, settings.site.accent))
    yield press.page(
        _INDEX, "index.html", lambda: {"posts": posts[:LATEST], "years": years, "tags": tags}, faces
    )
    yield press.page("subscribe.html", "subscribe.html", lambda: subscribing, faces)
    missing = {"years": years}
    yield press.page("404.html", "404.html", lambda: {**press.frame(press.url("")), **missing}, faces)
    yield press.file("robots.txt", "robots.txt", lambda: {"url": press.url})


def colours(accent: str) -> dict[str, dict[str, str]]:
    """What the style sheet is filled with: the colours of each scheme, the accent readable on its paper."""
    return {
        name: {"paper": paper, "accent": ensure_contrast(accent, paper, _CONTRAST[name])}
        for name, paper in PAPER.items()
    }


def _year_pages(press: _Press, years: Sequence[Listed], subject: Listed | None = None) -> Iterator[Output]:
    """A page for each year, of all posts or of those of one tag."""
    for year, newer, older in with_neighbours(years):
        values = {"year": year, "newer": newer, "older": older}
        revisions = [_revision(press, each) for each in values.values()]
        shown = {**values, "subject": subject}
        yield press.page(year.path, "year.html", shown.copy, subject and subject.name, *revisions)


def _tag_pages(press: _Press, subjects: Sequence[Subject], form: FeedFormat) -> Iterator[Output]:
    tags = [subject.tag for subject in subjects]
    revisions = [_revision(press, tag) for tag in tags]
    if tags:
        yield press.page(f"tags/{_INDEX}", "tags.html", lambda: {"tags": tags}, *revisions)
    for subject, revision in zip(subjects, revisions, strict=True):
        tag = subject.tag
        title = f"{press.settings.site.title}: {tag.name}"
        own = FeedLink(press.url(tag.path) + form.path, form.media_type, title, form.title)
        values = {"tag": tag, "latest": subject.latest, "years": subject.years, "tag_feed": own}
        yield press.page(tag.path, "tag.html", values.copy, revision)
        yield from _year_pages(press, subject.years, tag)


def _revision(press: _Press, listed: Listed | None) -> str:
    return digest(listed.name, press.keys.faces(listed.posts)) if listed else ""


def _edition_pages(press: _Press, newsletters: Sequence[Issues]) -> Iterator[Output]:
    pages = [press.edition(issue) for newsletter in newsletters for issue in newsletter.issues]
    if pages:
        shown = [(each.title, each.timezone, len(each.issues)) for each in newsletters]
        values = {"newsletters": newsletters}.copy
        yield press.page(f"archive/{_INDEX}", "editions.html", values, shown, [page.key for page in pages])
    yield from pages


def _post_pages(press: _Press, posts: Sequence[Post]) -> Iterator[Output]:
    return (press.article(*shown) for shown in with_neighbours(posts))


def _post_values(press: _Press, post: Post, newer: Post | None, older: Post | None) -> Mapping[str, Any]:
    minutes = reading_minutes(post.html, post.lang or press.settings.site.language)
    said: SiteMessages = press.common["words"]
    return {
        "post": post,
        "body": post_body(post.html, press.url(post.url)),
        "structured": structured(post, press.settings),
        "minutes": said.minutes.format(count=minutes) if minutes >= _LONG else "",
        "tags": [(name, tag_path(name)) for name in post.tags],
        "newer": newer,
        "older": older,
    }


def _redirects(press: _Press, posts: Sequence[Post]) -> Iterator[Output]:
    for post in filter(_ALIASES, posts):
        target = {"url": press.url(post.url), "title": post.title}
        for path in filter(None, map(alias_path, post.aliases)):
            yield press.file(path, "redirect.html", target.copy, target)
