"""OPML 2.0 (opml.org/spec2): a list of the feeds, as readers import it."""

from collections.abc import Sequence

from lxml.etree import Element, SubElement, _Element, tostring

from ketapress.feeds.model import Feed


def render_opml(site: Feed, tags: Sequence[Feed]) -> bytes:
    """Return the list of the site's feed and, in a group of their own, those of its tags."""
    root = Element("opml", version="2.0")
    SubElement(SubElement(root, "head"), "title").text = site.title
    body = SubElement(root, "body")
    _add(body, site)
    if tags:
        group = SubElement(body, "outline", text=f"{site.title}: subjects")
        for feed in tags:
            _add(group, feed)
    document: bytes = tostring(root, pretty_print=True, encoding="UTF-8", xml_declaration=True)
    return document


def _add(parent: _Element, feed: Feed) -> None:
    SubElement(
        parent,
        "outline",
        type="rss",
        text=feed.title,
        title=feed.title,
        xmlUrl=feed.feed_url,
        htmlUrl=feed.home_url,
    )
