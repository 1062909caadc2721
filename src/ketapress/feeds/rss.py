"""RSS 2.0, with the names that its readers have agreed on: content:encoded, dc:creator, atom:link, media:content."""

from collections.abc import Sequence
from dataclasses import replace
from email.utils import format_datetime
from html import escape

from lxml.etree import SubElement, _Element as Element

from ketapress.feeds.document import Entry, Feed, plain
from ketapress.feeds.generator import (
    ATOM,
    HISTORY,
    MARKUP,
    Dialect,
    history_links,
    mark_archive,
    printed_entries,
    printed_feed,
)
from ketapress.model.post import Image

_DC = "http://purl.org/dc/elements/1.1/"
_MEDIA = "http://search.yahoo.com/mrss/"


def entries(found: Sequence[Entry]) -> list[bytes]:
    """Each entry as an `item`."""
    told = [
        replace(each, title=_literal(each.title), summary=escape(each.summary, quote=False)) for each in found
    ]
    return list(printed_entries(told, _RSS))


def document(feed: Feed, items: Sequence[bytes]) -> bytes:
    """The feed around its items: UTF-8 without a BOM, with an XML declaration."""
    literal = replace(feed, title=_literal(feed.title), description=_literal(feed.description))
    return printed_feed(literal, items, _RSS)


def _literal(text: str) -> str:
    """A title that is the same for readers who take it for plain text, as the RSS profile says, and for HTML.

    A word joiner, which is not seen, keeps `<b>` and `&amp;` from being read as markup.
    """
    return MARKUP.sub("\\g<0>\N{WORD JOINER}", text)


def _finish_feed(root: Element, feed: Feed) -> None:
    channel = root[0]
    for rel, href in history_links(feed):
        SubElement(channel, f"{{{ATOM}}}link", rel=rel, href=href)
    mark_archive(channel, feed)


def _finish_entry(item: Element, entry: Entry) -> None:
    _add(item, "pubDate", format_datetime(entry.published))
    for author in entry.authors:
        _add(item, f"{{{_DC}}}creator", author)
    if entry.lang:
        _add(item, f"{{{_DC}}}language", entry.lang)
    if entry.image:
        _add_image(item, entry.image)


def _add_image(item: Element, image: Image) -> None:
    media = SubElement(item, f"{{{_MEDIA}}}content", url=image.url, medium="image")
    for name, pixels in (("width", image.width), ("height", image.height)):
        if pixels:
            media.set(name, str(pixels))
    if image.alt:
        _add(media, f"{{{_MEDIA}}}description", plain(image.alt))


def _add(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text


_RSS = Dialect(
    media_type="application/rss+xml",
    feed=lambda generator: generator.rss_str(pretty=True),
    entry=lambda entry: entry.rss_entry(),
    finish_feed=_finish_feed,
    finish_entry=_finish_entry,
    namespaces={"dc": _DC, "media": _MEDIA, "fh": HISTORY},
    depth=2,
    opening=b"    <item>",
    closing=b"    </item>\n",
    end=b"  </channel>",
)
