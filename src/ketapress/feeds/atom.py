"""Atom 1.0 (RFC 4287)."""

from html import escape

from lxml.etree import SubElement, _Element as Element

from ketapress.feeds.document import Entry, Feed
from ketapress.feeds.generator import Additions, generated

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def atom(feed: Feed) -> bytes:
    """The feed in Atom: UTF-8 without a BOM, with an XML declaration."""
    document: bytes = generated(feed, _ADDITIONS).atom_str(pretty=True)
    return document


def _finish_root(root: Element, feed: Feed) -> None:
    _type(root, "title", "subtitle")
    if feed.hub:
        SubElement(root, "link", rel="hub", href=feed.hub)


def _finish_entry(element: Element, entry: Entry) -> None:
    _type(element, "title")
    for link in element.iterfind("link"):
        link.set("rel", "alternate")
        link.set("type", "text/html")
    SubElement(element, "published").text = entry.published.isoformat()
    for name in entry.authors:
        SubElement(SubElement(element, "author"), "name").text = name
    if entry.lang:
        element.set(_LANG, entry.lang)


def _type(parent: Element, *names: str) -> None:
    """Says of text that could be taken for markup that it is HTML, escaped, so that nobody has to guess (3.1.1)."""
    for name in names:
        for element in parent.iterfind(name):
            text = element.text or ""
            if "<" in text or "&" in text:
                element.set("type", "html")
                element.text = escape(text, quote=False)


_ADDITIONS = Additions("application/atom+xml", {}, _finish_root, _finish_entry)
