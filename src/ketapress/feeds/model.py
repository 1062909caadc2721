"""What a feed holds in any format: plain values, already clean, absolute and in UTC.

In: visible posts, newest first, and the settings. Out: a `Feed`. Everything that has to be the same in all formats is
decided here: which entries, in which order, their ids, their dates, which characters are legal in them.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape, unescape
from typing import NamedTuple
from urllib.parse import quote, unquote

from ketapress.model.language import text_direction
from ketapress.model.post import Image, Post
from ketapress.model.settings import Settings
from ketapress.model.urls import SAFE_IN_URL

DATE_OF_EMPTY_FEED = datetime(2000, 1, 1, tzinfo=UTC)
"""When a feed without entries was updated: Atom requires a date, and it has to be the same in each build."""

# Characters that XML 1.0 (2.2) cannot hold; the other control characters and noncharacters, which HTML cannot hold; and
# U+FFFD, which validators take for bytes that were no text. They are dropped and not replaced: a replacement character
# would be the next warning. Only the C1 controls have a known meaning: the quotation marks and dashes of Windows, as HTML
# reads them too (13.2.5.80).
_PLANES = "".join(f"{chr(plane << 16)}-{chr((plane << 16) + 0xFFFD)}" for plane in range(1, 17))
_ILLEGAL = re.compile(f"[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffc{_PLANES}]")
_WINDOWS_CHARACTERS = {chr(code): bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
_ILLEGAL_ASCII = bytes(code for code in [*range(0x20), 0x7F] if chr(code) not in "\t\n\r")


# Ids that are URIs of a registered scheme and follow its rules (RFC 9110; RFC 2141 and 4122; RFC 4151)
_URI = re.compile(
    r"(?:https?://|info:|mailto:).+"
    r"|urn:(?!uuid:)[a-z0-9][a-z0-9-]{1,31}:(?:[a-z0-9()+,.:=@;$_!*'-]|%[0-9a-f]{2})+"
    r"|urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|tag:(?:[a-z0-9._-]+@)?[a-z0-9.-]+,\d{4}(?:-\d\d){0,2}:.*",
    re.IGNORECASE,
)
_NO_BRACKETS = SAFE_IN_URL.translate({ord("["): None, ord("]"): None})

_MEDIA = re.compile(r"<(audio|video)(?: [^>]*)?>.*?</\1>", re.DOTALL)
_SOURCE = re.compile(r" src=\"(https?://[^\"]*)\"")


class Entry(NamedTuple):
    """One post in a feed. `html` is the whole of it; `lang` is set only where it is not the feed's."""

    id: str
    url: str
    title: str
    html: str
    summary: str
    published: datetime
    updated: datetime
    authors: tuple[str, ...]
    tags: tuple[str, ...] = ()
    image: Image | None = None
    lang: str | None = None


class Feed(NamedTuple):
    """One document of a feed. `updated` is the date of its newest entry, never the moment of the build.

    `id` is the same in all documents of a feed, which are its newest entries at `current` and its archives (RFC 5005, 4).
    `older` and `newer` are the addresses of the archives before and after this document, empty where there are none.
    """

    id: str
    title: str
    home_url: str
    feed_url: str
    description: str
    language: str
    author: str
    published: datetime
    updated: datetime
    hub: str = ""
    logo: str = ""
    current: str = ""
    older: str = ""
    newer: str = ""
    entries: tuple[Entry, ...] = ()

    @property
    def is_archive(self) -> bool:
        """Whether this document is an archive, complete and final, and not what readers poll."""
        return self.current != self.feed_url


def build_feed(entries: Sequence[Entry], settings: Settings, path: str, **values: str) -> Feed:
    """Return a feed of these entries at `path` (`feed.xml`); `values` are fields that differ from those of the site's feed."""
    site = settings.site
    title = (
        to_plain_text(site.title) or site.url
    )  # a title that is blank once it is clean would cost the whole feed
    url = settings.page_url(path)
    defaults = {
        "id": url,
        "title": title,
        "home_url": settings.page_url(""),
        "description": to_plain_text(site.description) or title,
        "hub": settings.feeds.hub,
        "current": url,
    }
    return Feed(
        **(defaults | values),
        feed_url=url,
        language=site.language,
        author=_site_author(settings),
        published=max((entry.published for entry in entries), default=DATE_OF_EMPTY_FEED),
        updated=max((entry.updated for entry in entries), default=DATE_OF_EMPTY_FEED),
        logo=site.logo,
        entries=tuple(entries),
    )


def clean(text: str) -> str:
    """Return a text without the characters that XML cannot hold; JSON readers do not want them either."""
    if text.isascii():  # as most bodies are; this is ten times as fast
        legal = text.encode().translate(None, _ILLEGAL_ASCII)
        return text if len(legal) == len(text) else legal.decode()
    return _ILLEGAL.sub(lambda match: _WINDOWS_CHARACTERS.get(match[0], ""), text)


def to_plain_text(text: str) -> str:
    """Return a clean text on one line."""
    return " ".join(clean(text).split())


def build_entry(post: Post, settings: Settings) -> Entry:
    """Return a post as an entry, the same for every feed that holds it."""
    url = settings.page_url(post.url)
    lang = to_plain_text(post.lang or "")
    return Entry(
        id=_uri(post.id),
        url=url,
        title=to_plain_text(post.title) or url,
        html=_declare_direction(_add_media_links(clean(post.html)), lang or settings.site.language, post.dir),
        summary=to_plain_text(post.summary),
        published=_to_utc(post.published or post.date),
        updated=_to_utc(post.updated),
        authors=_to_plain_texts(post.authors) or (_site_author(settings),),
        tags=_to_plain_texts(post.tags),
        image=post.image,
        lang=lang if lang.lower() not in {"", settings.site.language.lower()} else None,
    )


def _add_media_links(html: str) -> str:
    """Replace the `controls` of audio and video, which the W3C validator calls a risk, by a link to the file.

    Many readers show controls of their own; the link serves the others.
    """
    return _MEDIA.sub(_replace_controls, html) if ' controls=""' in html else html


def _replace_controls(media: re.Match[str]) -> str:
    element = media[0].replace(' controls=""', "")
    source = _SOURCE.search(element)
    if not source or media.string.count("<a ", 0, media.start()) > media.string.count(
        "</a>", 0, media.start()
    ):
        return element
    name = unquote(unescape(source[1])).rstrip("/").rpartition("/")[2]
    return f'{element} <a href="{source[1]}">{escape(name, quote=False)}</a>'


def _uri(identifier: str) -> str:
    """Return an id as the absolute URI that Atom requires (RFC 4287, 4.2.6): a permalink as it is, a word as a URN of ours."""
    encoded = quote(clean(identifier), safe=_NO_BRACKETS)
    scheme, _, rest = encoded.partition("://")
    if (scheme in {"https", "http"} and rest) or _URI.fullmatch(encoded):
        return encoded
    return f"urn:x-ketapress:{quote(clean(identifier), safe='').replace('~', '%7E')}"  # RFC 2141 has no tilde


def _declare_direction(html: str, lang: str, post_direction: str | None) -> str:
    """Wrap a right-to-left body in an element that says so: feed readers ignore `xml:lang`."""
    if (post_direction or text_direction(lang)) != "rtl":
        return html
    return f'<div dir="rtl" lang="{escape(lang)}">{html}</div>'


def _to_plain_texts(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(filter(None, map(to_plain_text, texts)))


def _site_author(settings: Settings) -> str:
    author = settings.site.author
    return (
        to_plain_text(author.name if author else "")
        or to_plain_text(settings.site.title)
        or settings.site.url
    )


def _to_utc(date: datetime) -> datetime:
    return date.astimezone(UTC).replace(microsecond=0)
