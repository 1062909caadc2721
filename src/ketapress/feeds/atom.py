"""Atom 1.0 (RFC 4287)."""

from collections.abc import Sequence
from html import escape

from lxml.etree import SubElement, _Element as Element

from ketapress.feeds.document import Entry, Feed
from ketapress.feeds.generator import (
    HISTORY,
    MARKUP,
    Dialect,
    history_links,
    mark_archive,
    printed_entries,
    printed_feed,
)

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def entries(found: Sequence[Entry]) -> list[bytes]:
    """Each entry as an `entry`."""
    return list(printed_entries(found, _ATOM))


def document(feed: Feed, printed: Sequence[bytes]) -> bytes:
    """The feed around its entries: UTF-8 without a BOM, with an XML declaration."""
    return printed_feed(feed, printed, _ATOM)


def _finish_feed(root: Element, feed: Feed) -> None:
    _type(root, "title", "subtitle")
    for rel, href in history_links(feed):
        SubElement(root, "link", rel=rel, href=href)
    mark_archive(root, feed)


def _finish_entry(element: Element, entry: Entry) -> None:
    _type(element, "title", "summary")
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
            if MARKUP.search(text):
                element.set("type", "html")
                element.text = escape(text, quote=False)


_ATOM = Dialect(
    media_type="application/atom+xml",
    feed=lambda generator: generator.atom_str(pretty=True),
    entry=lambda entry: entry.atom_entry(),
    finish_feed=_finish_feed,
    finish_entry=_finish_entry,
    namespaces={"fh": HISTORY},
    depth=1,
    opening=b"  <entry",
    closing=b"  </entry>\n",
    end=b"</feed>",
)
