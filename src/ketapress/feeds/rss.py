"""RSS 2.0, with the names that its readers have agreed on: content:encoded, dc:creator, atom:link, media:content."""

import re
from datetime import datetime
from html import escape
from typing import ClassVar

from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator
from lxml.etree import _Element as Element

from ketapress.feeds.model import Entry, Feed
from ketapress.feeds.xml import ATOM, HISTORY, add, add_history, escape_literal
from ketapress.feeds.xml_format import XmlFormat
from ketapress.model.post import Image

_DC = "http://purl.org/dc/elements/1.1/"
_MEDIA = "http://search.yahoo.com/mrss/"
_NOT_AN_IMAGE = re.compile(r"\.(?!(?:gif|jpe?g|png)\Z)\w+\Z", re.IGNORECASE)
"""How addresses end that RSS 2.0 does not accept as the image of a channel."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Rss(XmlFormat):
    """A feed as `channel`, its entries as `item`."""

    media_type = "application/rss+xml"
    namespaces: ClassVar = {"dc": _DC, "media": _MEDIA, "fh": HISTORY}

    def serialize(self, generator: FeedGenerator) -> bytes:
        document: bytes = generator.rss_str(pretty=True)
        return document

    def entry_element(self, entry: FeedEntry) -> Element:
        element: Element = entry.rss_entry()
        return element

    def parent_of_entries(self, root: Element) -> Element:
        return root[0]

    def adapt_feed(self, feed: Feed) -> Feed:
        feed = super().adapt_feed(feed)
        return feed._replace(
            title=escape_literal(feed.title),
            description=escape_literal(feed.description),
            logo="" if _NOT_AN_IMAGE.search(feed.logo) else feed.logo,
        )

    def adapt_entry(self, entry: Entry) -> Entry:
        entry = super().adapt_entry(entry)
        return entry._replace(title=escape_literal(entry.title), summary=escape(entry.summary, quote=False))

    def complete_feed(self, parent: Element, feed: Feed) -> None:
        add_history(parent, feed, f"{{{ATOM}}}link")

    def complete_entry(self, element: Element, entry: Entry) -> None:
        add(element, "pubDate", format_instant(entry.published))
        for author in entry.authors:
            add(element, f"{{{_DC}}}creator", author)
        if entry.lang:
            add(element, f"{{{_DC}}}language", entry.lang)
        if entry.image:
            _add_image(element, entry.image)


def format_instant(instant: datetime) -> str:
    """Return a time in UTC as RFC 822 has it, with a year of four digits, and in English whatever the locale."""
    day, month = _DAYS[instant.weekday()], _MONTHS[instant.month - 1]
    return f"{day}, {instant.day:02} {month} {instant.year:04} {instant:%H:%M:%S} +0000"


def _add_image(item: Element, image: Image) -> None:
    media = add(item, f"{{{_MEDIA}}}content", url=image.url, medium="image")
    for name, pixels in (("width", image.width), ("height", image.height)):
        if pixels:
            media.set(name, str(pixels))
    if image.alt:
        add(media, f"{{{_MEDIA}}}description", image.alt)


render = Rss().render
