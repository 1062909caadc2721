"""Text and elements of XML that RSS and Atom have in common."""

import re
from collections.abc import Iterator
from functools import cache
from html.entities import name2codepoint

from lxml.etree import _Element as Element

from ketapress.feeds.model import Feed

ATOM = "http://www.w3.org/2005/Atom"
HISTORY = "http://purl.org/syndication/history/1.0"


def has_markup(text: str) -> bool:
    """Return whether plain text could be taken for HTML, also for invalid HTML: `</b>`, `&amp;`, `&copy`, but not `AT&T`."""
    return ("<" in text or "&" in text) and _markup().search(text) is not None


def escape_literal(text: str) -> str:
    """Return text that reads the same as plain text, as the RSS profile says, and as HTML.

    A word joiner, which is invisible, keeps `<b>` and `&amp;` from being read as markup.
    """
    return _markup().sub("\\g<0>\N{WORD JOINER}", text) if "<" in text or "&" in text else text


@cache
def _markup() -> re.Pattern[str]:
    """Return the pattern of text that could be taken for markup; compiled when it is needed, as it names all entities."""
    names = "|".join([*name2codepoint, "apos"])
    return re.compile(rf"<(?=[A-Za-z/!?])|&(?=#?\w)(?!(?!(?:{names})(?!\w))[A-Za-z]+(?!\w))")


def add(parent: Element, name: str, text: str | None = None, **attributes: str) -> Element:
    """Add a child at the end and return it."""
    child = parent.makeelement(name, attributes)
    child.text = text
    parent.append(child)
    return child


def add_history(parent: Element, feed: Feed, link: str) -> None:
    """Add links to the other documents of the feed and to its hub, and the mark of an archive (RFC 5005, 4).

    `link` is the name of an Atom link in this format.
    """
    for rel, href in _links(feed):
        add(parent, link, rel=rel, href=href)
    if feed.is_archive:
        add(parent, f"{{{HISTORY}}}archive")


def _links(feed: Feed) -> Iterator[tuple[str, str]]:
    links = [("prev-archive", feed.older), ("next-archive", feed.newer), ("hub", feed.hub)]
    if feed.is_archive:
        links.append(("current", feed.current))
    return ((rel, href) for rel, href in links if href)
