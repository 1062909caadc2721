"""Atom 1.0 (RFC 4287)."""

from html import escape
from typing import ClassVar

from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator
from lxml.etree import _Element as Element

from ketapress.feeds.model import Entry, Feed
from ketapress.feeds.xml import HISTORY, add, add_history, has_markup
from ketapress.feeds.xml_format import XmlFormat

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


class Atom(XmlFormat):
    """A feed as `feed`, its entries as `entry`."""

    media_type = "application/atom+xml"
    namespaces: ClassVar = {"fh": HISTORY}

    def serialize(self, generator: FeedGenerator) -> bytes:
        document: bytes = generator.atom_str(pretty=True)
        return document

    def entry_element(self, entry: FeedEntry) -> Element:
        element: Element = entry.atom_entry()
        return element

    def parent_of_entries(self, root: Element) -> Element:
        return root

    def complete_feed(self, parent: Element, feed: Feed) -> None:
        _declare_html(parent, "title", "subtitle")
        add_history(parent, feed, "link")

    def complete_entry(self, element: Element, entry: Entry) -> None:
        _declare_html(element, "title", "summary")
        for link in element.iterfind("link"):
            link.set("rel", "alternate")
            link.set("type", "text/html")
        add(element, "published", entry.published.isoformat())
        for name in entry.authors:
            add(add(element, "author"), "name", name)
        if entry.lang:
            element.set(_LANG, entry.lang)


def _declare_html(parent: Element, *names: str) -> None:
    """Declare plain text that could be taken for markup as HTML and escape it, so that no reader has to guess (3.1.1)."""
    for name in names:
        for element in parent.iterfind(name):
            text = element.text or ""
            if has_markup(text):
                element.set("type", "html")
                element.text = escape(text, quote=False)


render = Atom().render
