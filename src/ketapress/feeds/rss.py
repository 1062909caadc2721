"""RSS 2.0, with the names that its readers have agreed on: content:encoded, dc:creator, atom:link, media:content."""

import re
from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

from ketapress.feeds.model import Entry, Feed
from ketapress.feeds.prerendered import entry_text, feed_text
from ketapress.feeds.xml import ATOM, HISTORY, add, add_history, literal
from ketapress.feeds.xml_format import Dialect
from ketapress.model.lazy_regex import pattern
from ketapress.model.post import Image
from ketapress.model.prerender import Moulds

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_DC = "http://purl.org/dc/elements/1.1/"
_MEDIA = "http://search.yahoo.com/mrss/"
_NO_PICTURE = pattern(r"\.(?!(?:gif|jpe?g|png)\Z)\w+\Z", re.IGNORECASE)
"""How addresses end of what RSS 2.0 does not take for a channel's image."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def entry(found: Entry, moulds: Moulds) -> str:
    """An entry as an `item`."""
    return entry_text(found, _RSS, moulds)


def document(feed: Feed, items: Sequence[str], moulds: Moulds) -> str:
    """The feed around its items, with an XML declaration that says UTF-8."""
    showable = feed if not _NO_PICTURE.search(feed.logo) else feed._replace(logo="")
    return feed_text(showable, items, _RSS, moulds)


def instant(moment: datetime) -> str:
    """A time in UTC as RFC 822 has it, with a year of four digits, and in English whatever the locale."""
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    clock = (
        f"{moment.hour:02}:{moment.minute:02}:{moment.second:02}"  # by strftime it takes four times as long
    )
    return f"{day}, {moment.day:02} {month} {moment.year:04} {clock} +0000"


def _finish_feed(root: "Element", feed: Feed) -> None:
    add_history(root[0], feed, f"{{{ATOM}}}link")


def _finish_entry(item: "Element", entry: Entry) -> None:
    add(item, "pubDate", instant(entry.published))
    for author in entry.authors:
        add(item, f"{{{_DC}}}creator", author)
    if entry.lang:
        add(item, f"{{{_DC}}}language", entry.lang)
    if entry.image:
        _add_image(item, entry.image)


def _add_image(item: "Element", image: Image) -> None:
    media = add(item, f"{{{_MEDIA}}}content", url=image.url, medium="image")
    for name, pixels in (("width", image.width), ("height", image.height)):
        if pixels:
            media.set(name, str(pixels))
    if image.alt:
        add(media, f"{{{_MEDIA}}}description", image.alt)


_RSS = Dialect(
    name="rss",
    media_type="application/rss+xml",
    feed=lambda generator: generator.rss_str(pretty=True),
    entry=lambda entry: entry.rss_entry(),
    finish_feed=_finish_feed,
    finish_entry=_finish_entry,
    namespaces={"dc": _DC, "media": _MEDIA, "fh": HISTORY},
    depth=2,
    opening="    <item>",
    closing="    </item>\n",
    end="  </channel>",
    instant=instant,
    title=literal,
    summary=lambda text: escape(text, quote=False),
)
