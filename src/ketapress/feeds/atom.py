"""Atom 1.0 (RFC 4287)."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

from ketapress.feeds.model import Entry, Feed
from ketapress.feeds.prerendered import entry_text, feed_text
from ketapress.feeds.xml import HISTORY, add, add_history, is_marked_up
from ketapress.feeds.xml_format import Dialect
from ketapress.model.prerender import Moulds

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def entry(found: Entry, moulds: Moulds) -> str:
    """An entry as an `entry`."""
    return entry_text(found, _ATOM, moulds)


def document(feed: Feed, entries: Sequence[str], moulds: Moulds) -> str:
    """The feed around its entries, with an XML declaration that says UTF-8."""
    return feed_text(feed, entries, _ATOM, moulds)


def _finish_feed(root: "Element", feed: Feed) -> None:
    _type(root, "title", "subtitle")
    add_history(root, feed, "link")


def _finish_entry(element: "Element", entry: Entry) -> None:
    _type(element, "title", "summary")
    for link in element.iterfind("link"):
        link.set("rel", "alternate")
        link.set("type", "text/html")
    add(element, "published", entry.published.isoformat())
    for name in entry.authors:
        add(add(element, "author"), "name", name)
    if entry.lang:
        element.set(_LANG, entry.lang)


def _type(parent: "Element", *names: str) -> None:
    """Says of text that could be taken for markup that it is HTML, escaped, so that nobody has to guess (3.1.1)."""
    for name in names:
        for element in parent.iterfind(name):
            text = element.text or ""
            if is_marked_up(text):
                element.set("type", "html")
                element.text = escape(text, quote=False)


_ATOM = Dialect(
    name="atom",
    media_type="application/atom+xml",
    feed=lambda generator: generator.atom_str(pretty=True),
    entry=lambda entry: entry.atom_entry(),
    finish_feed=_finish_feed,
    finish_entry=_finish_entry,
    namespaces={"fh": HISTORY},
    depth=1,
    opening="  <entry",
    closing="  </entry>\n",
    end="</feed>",
    instant=datetime.isoformat,
    marked_up=is_marked_up,
)
