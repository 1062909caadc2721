"""Which pages the site has, and the values that their templates are rendered with.

In: the visible posts and the public editions, newest first; the settings; the formats of the feeds, which pages link to;
a `Renderer`. Out: build targets, none of which is rendered yet. Links between pages are relative, so that the site can be
read from disk and served from a sub-folder; addresses that leave it (canonical addresses, feeds, previews) are absolute.

The key of a page is made of what its template shows: the full fingerprint of the page's own post, and the listing
fingerprints of others.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from ketapress.i18n.site_messages import SiteMessages, site_messages
from ketapress.model.build_target import BuildTarget, Fingerprints
from ketapress.model.color import ensure_contrast
from ketapress.model.digests import digest, text_sha256
from ketapress.model.edition import StoredEdition
from ketapress.model.language import text_direction
from ketapress.model.post import Post
from ketapress.model.renderer import Renderer
from ketapress.model.settings import Settings
from ketapress.model.urls import decode_path
from ketapress.site.html import edition_page, post_body, reading_minutes, structured_data
from ketapress.site.indexes import (
    Issue,
    Issues,
    PostList,
    TagPages,
    build_tag_pages,
    group_by_newsletter,
    group_by_year,
    pair_neighbors,
    tag_lists,
    tag_path,
)
from ketapress.site.sitemap import Dates, sitemap_targets

LATEST = 20
"""How many posts the front page shows; the others are listed by year and by tag."""
BACKGROUND = {"light": "#fffdf8", "dark": "#17150f"}
_CONTRAST = {"light": 4.5, "dark": 6.5}  # a dark page is read in dim light, where 4.5 looks dull
_SHARED = ("head", "masthead", "invitation", "colophon")
_INDEX = "index.html"
_MIN_READING_MINUTES = 3  # minutes; the reading time of a shorter post is not shown


class FeedFormat(Protocol):
    """What pages need to know of a feed format: the name of a feed's file, its media type and its title."""

    @property
    def path(self) -> str: ...
    @property
    def media_type(self) -> str: ...
    @property
    def title(self) -> str: ...


class FeedLink(NamedTuple):
    """A feed that a page links to: `title` is the feed's, `name` its format's."""

    url: str
    media_type: str
    title: str
    name: str


def site_targets(
    posts: Sequence[Post],
    editions: Sequence[StoredEdition],
    settings: Settings,
    feeds: Sequence[FeedFormat],
    renderer: Renderer,
    fingerprints: Fingerprints,
    dates: Dates,
) -> Iterator[BuildTarget]:
    """Yield every page of the site.

    The site's own pages come first: where a post has the address of one of them, the site's page is kept. The first of
    the formats is that of the feeds of tags.
    """
    years, tags = group_by_year(posts, settings.site.timezone), tag_lists(posts)
    tag_pages = build_tag_pages(tags, settings.site.timezone)
    newsletters = group_by_newsletter(editions, settings)
    pages = _Pages(settings, renderer, fingerprints, _common_values(settings, feeds, newsletters, tags))
    yield from _front_targets(pages, posts, years, tags)
    lists = [*years, *(page for tag in tag_pages for page in tag.pages)]
    yield from sitemap_targets(["", *(page.path for page in lists)], posts, pages.url, dates, fingerprints)
    yield from _year_targets(pages, years)
    yield from _tag_targets(pages, tag_pages, feeds[0])
    yield from _edition_targets(pages, newsletters)
    for post, newer, older in pair_neighbors(posts):
        yield pages.post(post, newer, older)
    yield from _redirect_targets(pages, posts)


def alias_path(alias: str) -> str | None:
    """Return the path of the page that redirects from an old address; None where no file can have that address.

    `/old/` and `/old` become `old/index.html`, `/old.html` stays itself; of a full URL the path counts.
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


class _Pages:
    """Defines targets and renders their templates, with values that all pages have, all pages of one depth, and one page."""

    def __init__(
        self, settings: Settings, renderer: Renderer, fingerprints: Fingerprints, common: Mapping[str, Any]
    ) -> None:
        self.settings = settings
        self.fingerprints = fingerprints
        self.common = common
        self._renderer = renderer
        self._shared: dict[str, Mapping[str, Any]] = {}

    def page(self, path: str, template: str, values: _Values, *inputs: object) -> BuildTarget:
        """Return a page at an encoded path, of values that are asked for when it is rendered; `inputs` make its key."""
        return self.file(
            decode_path(path), template, lambda: {**self._place_values(path), **values()}, *inputs
        )

    def file(self, path: str, template: str, values: _Values, *inputs: object) -> BuildTarget:
        """Return a file of any kind."""
        key = self.fingerprints.key(template, self.common["has_editions"], self.common["has_tags"], *inputs)
        return BuildTarget(path, key, lambda: _encode(self._render(template, values())))

    def post(self, post: Post, newer: Post | None, older: Post | None) -> BuildTarget:
        """Return the page of a post."""
        values = partial(_post_values, self, post, newer, older)
        listing = self.fingerprints.listing
        inputs = (self.fingerprints.full(post), listing(newer), listing(older))
        return self.page(post.url, "post.html", values, *inputs)

    def edition(self, issue: Issue) -> BuildTarget:
        """Return the page that was made of an edition when it was composed, with the head and the bar of the site."""
        edition = issue.edition
        key = self.fingerprints.key("edition", edition._replace(web_html=""), text_sha256(edition.web_html))
        return BuildTarget(issue.path, key, partial(self._render_edition, issue))

    def shared_values(self, root: str) -> Mapping[str, Any]:
        """Return the parts that all pages have from which `root` leads to the top; they are rendered once."""
        if root not in self._shared:
            parts = {part: self._render(f"{part}.html", {"root": root}) for part in _SHARED}
            self._shared[root] = {"root": root} | parts
        return self._shared[root]

    def url(self, path: str) -> str:
        """Return the full address of a page, without `index.html`, as web servers know it."""
        return self.settings.page_url(path.removesuffix(_INDEX))

    def _place_values(self, path: str) -> Mapping[str, Any]:
        return {**self.shared_values("../" * path.count("/") or "./"), "url": self.url(path)}

    def _render(self, template: str, values: Mapping[str, Any]) -> str:
        return self._renderer(f"archive/{template}", {**self.common, **values})

    def _render_edition(self, issue: Issue) -> bytes:
        values = self._place_values(issue.path)
        head, bar = (self._render(f"edition-{part}.html", values) for part in ("head", "bar"))
        return _encode(edition_page(issue.edition.web_html, head, bar))


def _encode(page: str) -> bytes:
    """Return the bytes of a page. A lone surrogate, which a JSON header can hold, becomes a question mark."""
    return page.encode(errors="replace")


def _common_values(
    settings: Settings,
    feeds: Sequence[FeedFormat],
    newsletters: Sequence[Issues],
    tags: Sequence[PostList],
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


def _front_targets(
    pages: _Pages, posts: Sequence[Post], years: Sequence[PostList], tags: Sequence[PostList]
) -> Iterator[BuildTarget]:
    settings, fingerprint = pages.settings, pages.fingerprints.listing_list(posts)
    newsletters = [
        (settings.newsletter_zone(newsletter), newsletter) for newsletter in settings.newsletters.values()
    ]
    front = {"posts": posts[:LATEST], "years": years, "tags": tags}
    subscribe = {"newsletters": newsletters, "door": settings.web.url, "tags": tags}
    yield pages.file("style.css", "style.css", partial(colors, settings.site.accent))
    yield pages.page(_INDEX, "index.html", front.copy, fingerprint)
    yield pages.page("subscribe.html", "subscribe.html", subscribe.copy, fingerprint)
    # A server shows it at any address: its links are absolute.
    missing = lambda: {**pages.shared_values(pages.url("")), "years": years}  # noqa: E731 - a value for one line
    yield pages.page("404.html", "404.html", missing, fingerprint)
    yield pages.file("robots.txt", "robots.txt", lambda: {"url": pages.url})


def colors(accent: str) -> dict[str, dict[str, str]]:
    """Return the values of the style sheet: the colors of each scheme, with an accent that is readable on its background."""
    return {
        name: {"paper": background, "accent": ensure_contrast(accent, background, _CONTRAST[name])}
        for name, background in BACKGROUND.items()
    }


def _year_targets(
    pages: _Pages, years: Sequence[PostList], subject: PostList | None = None
) -> Iterator[BuildTarget]:
    """Yield a page for each year, of all posts or of those of one tag."""
    for year, newer, older in pair_neighbors(years):
        values = {"year": year, "newer": newer, "older": older, "subject": subject}
        inputs = [_fingerprint(pages, posts) for posts in (year, newer, older)]
        yield pages.page(year.path, "year.html", values.copy, subject and subject.name, *inputs)


def _tag_targets(pages: _Pages, tag_pages: Sequence[TagPages], feed: FeedFormat) -> Iterator[BuildTarget]:
    tags = [pages_of_tag.tag for pages_of_tag in tag_pages]
    fingerprints = [_fingerprint(pages, tag) for tag in tags]
    if tags:
        yield pages.page(f"tags/{_INDEX}", "tags.html", lambda: {"tags": tags}, *fingerprints)
    for (tag, latest, years), fingerprint in zip(tag_pages, fingerprints, strict=True):
        title = f"{pages.settings.site.title}: {tag.name}"
        link = FeedLink(pages.url(tag.path) + feed.path, feed.media_type, title, feed.title)
        values = {"tag": tag, "latest": latest, "years": years, "tag_feed": link}
        yield pages.page(tag.path, "tag.html", values.copy, fingerprint)
        yield from _year_targets(pages, years, tag)


def _fingerprint(pages: _Pages, posts: PostList | None) -> str:
    return digest(posts.name, pages.fingerprints.listing_list(posts.posts)) if posts else ""


def _edition_targets(pages: _Pages, newsletters: Sequence[Issues]) -> Iterator[BuildTarget]:
    editions = [pages.edition(issue) for newsletter in newsletters for issue in newsletter.issues]
    if editions:
        counts = [
            (newsletter.title, newsletter.timezone, len(newsletter.issues)) for newsletter in newsletters
        ]
        values = {"newsletters": newsletters}
        keys = [target.key for target in editions]
        yield pages.page(f"archive/{_INDEX}", "editions.html", values.copy, counts, keys)
    yield from editions


def _post_values(pages: _Pages, post: Post, newer: Post | None, older: Post | None) -> Mapping[str, Any]:
    minutes = reading_minutes(post.html, post.lang or pages.settings.site.language)
    messages: SiteMessages = pages.common["words"]
    return {
        "post": post,
        "body": post_body(post.html, pages.url(post.url)),
        "structured": structured_data(post, pages.settings),
        "minutes": messages.minutes.format(count=minutes) if minutes >= _MIN_READING_MINUTES else "",
        "tags": [(name, tag_path(name)) for name in post.tags],
        "newer": newer,
        "older": older,
    }


def _redirect_targets(pages: _Pages, posts: Sequence[Post]) -> Iterator[BuildTarget]:
    for post in posts:
        values = {"url": pages.url(post.url), "title": post.title}
        for path in filter(None, map(alias_path, post.aliases)):
            yield pages.file(path, "redirect.html", values.copy, values)
