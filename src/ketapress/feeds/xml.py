"""Elements of XML: what both formats add to those that feedgen makes, without loading a library of XML for it.

In: an element of lxml. Out: the same, with more in it.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from ketapress.feeds.model import Feed

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

ATOM = "http://www.w3.org/2005/Atom"
HISTORY = "http://purl.org/syndication/history/1.0"


def is_marked_up(text: str) -> bool:
    """Whether plain text could be taken for HTML, also for sloppy HTML: `</b>`, `&amp;`, `&copy`, but not `AT&T`."""
    return ("<" in text or "&" in text) and _markup().search(text) is not None


def literal(text: str) -> str:
    """Text that is the same for readers who take it for plain text, as the RSS profile says, and for HTML.

    A word joiner, which is not seen, keeps `<b>` and `&amp;` from being read as markup.
    """
    return _markup().sub("\\g<0>\N{WORD JOINER}", text) if "<" in text or "&" in text else text


@cache
def _markup() -> re.Pattern[str]:
    """Where text could be taken for markup. Few titles have a sign of it, and the names of entities are many."""
    from html.entities import name2codepoint  # noqa: PLC0415 - see above

    names = "|".join([*name2codepoint, "apos"])
    return re.compile(rf"<(?=[A-Za-z/!?])|&(?=#?\w)(?!(?!(?:{names})(?!\w))[A-Za-z]+(?!\w))")


def add(parent: "Element", name: str, text: str | None = None, **attributes: str) -> "Element":
    """One more child, at the end."""
    child = parent.makeelement(name, attributes)
    child.text = text
    parent.append(child)
    return child


def add_history(parent: "Element", feed: Feed, link: str) -> None:
    """Where the other documents of the feed are (RFC 5005, 4), the hub that tells of new ones, and whether this is one.

    `link` is the name of an Atom link in this format.
    """
    for rel, href in _links(feed):
        add(parent, link, rel=rel, href=href)
    if feed.archived:
        add(parent, f"{{{HISTORY}}}archive")


def _links(feed: Feed) -> Iterator[tuple[str, str]]:
    links = [("prev-archive", feed.older), ("next-archive", feed.newer), ("hub", feed.hub)]
    if feed.archived:
        links.append(("current", feed.current))
    return ((rel, href) for rel, href in links if href)
