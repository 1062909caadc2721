"""What a feed holds, whatever its format: plain values, already clean, absolute and in UTC.

In: visible posts, newest first, and the settings. Out: a `Feed`. Everything that has to be the same in all formats is
decided here: which entries, in which order, their ids, their instants, which characters may stand in them.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape, unescape
from typing import NamedTuple
from urllib.parse import quote, unquote

from ketapress.model.language import text_direction
from ketapress.model.lazy_regex import pattern
from ketapress.model.post import Image, Post
from ketapress.model.settings import Settings
from ketapress.model.urls import SAFE_IN_URL

NEVER = datetime(2000, 1, 1, tzinfo=UTC)
"""When a feed without entries changed last: Atom asks for an instant, and it has to be the same in each build."""

# What XML 1.0 (2.2) cannot hold, the other controls and noncharacters, which HTML cannot, and U+FFFD, which tells a
# validator of bytes that were no text. They are dropped, not replaced: a replacement character would be the next warning. Only for the controls it is
# known what was meant: the quotation marks and dashes of Windows, as HTML reads them too (13.2.5.80).
_PLANES = "".join(f"{chr(plane << 16)}-{chr((plane << 16) + 0xFFFD)}" for plane in range(1, 17))
_ILLEGAL = pattern(f"[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffc{_PLANES}]")
_MEANT = {chr(code): bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
_ILLEGAL_ASCII = bytes(code for code in [*range(0x20), 0x7F] if chr(code) not in "\t\n\r")


# Ids that are URIs of a registered scheme and keep its rules (RFC 9110; RFC 2141 and 4122; RFC 4151)
_URI = pattern(
    r"(?:https?://|info:|mailto:).+"
    r"|urn:(?!uuid:)[a-z0-9][a-z0-9-]{1,31}:(?:[a-z0-9()+,.:=@;$_!*'-]|%[0-9a-f]{2})+"
    r"|urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|tag:(?:[a-z0-9._-]+@)?[a-z0-9.-]+,\d{4}(?:-\d\d){0,2}:.*",
    re.IGNORECASE,
)
_NO_BRACKETS = SAFE_IN_URL.translate({ord("["): None, ord("]"): None})

_MEDIA = pattern(r"<(audio|video)(?: [^>]*)?>.*?</\1>", re.DOTALL)
_SOURCE = pattern(r" src=\"(https?://[^\"]*)\"")


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
    """A feed at one URL. `updated` is its newest entry's, never the moment of the build.

    `id` stays the same over all documents of a feed, which are its newest entries at `current` and its archives
    (RFC 5005, 4): `older` and `newer` are the archives before and after this document, where there are any.
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
    def archived(self) -> bool:
        """Whether this document is an archive, complete and at rest, and not what readers poll."""
        return self.current != self.feed_url


def feed_of(entries: Sequence[Entry], settings: Settings, path: str, **values: str) -> Feed:
    """A feed of these entries at `path` (`feed.xml`); `values` are what differs from the site's own."""
    site = settings.site
    title = plain(site.title) or site.url  # a title that is blank once it is clean would cost the whole feed
    url = settings.page_url(path)
    whole = {
        "id": url,
        "title": title,
        "home_url": settings.page_url(""),
        "description": plain(site.description) or title,
        "hub": settings.feeds.hub,
        "current": url,
    }
    return Feed(
        **(whole | values),
        feed_url=url,
        language=site.language,
        author=_site_author(settings),
        published=max((entry.published for entry in entries), default=NEVER),
        updated=max((entry.updated for entry in entries), default=NEVER),
        logo=site.logo,
        entries=tuple(entries),
    )


def clean(text: str) -> str:
    """Text without the characters that XML cannot hold; JSON readers do not want them either."""
    if text.isascii():  # most bodies are: ten times as fast
        legal = text.encode().translate(None, _ILLEGAL_ASCII)
        return text if len(legal) == len(text) else legal.decode()
    return _ILLEGAL.sub(lambda found: _MEANT.get(found[0], ""), text)


def plain(text: str) -> str:
    """Clean text on one line."""
    return " ".join(clean(text).split())


def entry_of(post: Post, settings: Settings) -> Entry:
    """A post as an entry of every feed that holds it."""
    url = settings.page_url(post.url)
    lang = plain(post.lang or "")
    return Entry(
        id=_uri(post.id),
        url=url,
        title=plain(post.title) or url,
        html=_directed(_with_links_to_media(clean(post.html)), lang or settings.site.language, post.dir),
        summary=plain(post.summary),
        published=_utc(post.published or post.date),
        updated=_utc(post.updated),
        authors=_words(post.authors) or (_site_author(settings),),
        tags=_words(post.tags),
        image=post.image,
        lang=lang if lang.lower() not in {"", settings.site.language.lower()} else None,
    )


def _with_links_to_media(html: str) -> str:
    """A body whose sounds and films can be reached in any reader: the validator takes `controls` for a risk.

    Many readers show controls of their own; a link behind each serves the others.
    """
    return _MEDIA.sub(_without_controls, html) if ' controls=""' in html else html


def _without_controls(media: re.Match[str]) -> str:
    shown = media[0].replace(' controls=""', "")
    source = _SOURCE.search(shown)
    if not source or media.string.count("<a ", 0, media.start()) > media.string.count(
        "</a>", 0, media.start()
    ):
        return shown
    name = unquote(unescape(source[1])).rstrip("/").rpartition("/")[2]
    return f'{shown} <a href="{source[1]}">{escape(name, quote=False)}</a>'


def _uri(identifier: str) -> str:
    """An id as Atom wants it, an absolute URI (RFC 4287, 4.2.6): a permalink as it is, a bare word as a URN of ours."""
    encoded = quote(clean(identifier), safe=_NO_BRACKETS)
    scheme, _, rest = encoded.partition("://")
    if (scheme in {"https", "http"} and rest) or _URI.fullmatch(encoded):
        return encoded
    return f"urn:x-ketapress:{quote(clean(identifier), safe='').replace('~', '%7E')}"  # RFC 2141 has no tilde


def _directed(html: str, lang: str, written: str | None) -> str:
    """A body that is read from right to left says so itself: feed readers take no notice of `xml:lang`."""
    if (written or text_direction(lang)) != "rtl":
        return html
    return f'<div dir="rtl" lang="{escape(lang)}">{html}</div>'


def _words(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(filter(None, map(plain, texts)))


def _site_author(settings: Settings) -> str:
    author = settings.site.author
    return plain(author.name if author else "") or plain(settings.site.title) or settings.site.url


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
