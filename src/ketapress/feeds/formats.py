"""The formats that feeds are written in: a table that is light to import, for those who only need to point at feeds."""

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

if TYPE_CHECKING:
    from ketapress.feeds.model import Entry, Feed
    from ketapress.model.prerender import Moulds


class Writer(Protocol):
    """What the module of a format has: an entry is written once, and stands in as many feeds as hold it."""

    def entry(self, found: "Entry", moulds: "Moulds") -> str: ...
    def document(self, feed: "Feed", printed: Sequence[str], moulds: "Moulds") -> str: ...


class Format(NamedTuple):
    """One format: the name of its module, the file name of a feed in it, its media type, its name for people."""

    name: str
    path: str
    media_type: str
    title: str

    @property
    def writer(self) -> Writer:
        """The module that writes this format, imported now."""
        return _writer(self.name)


@cache
def _writer(name: str) -> Writer:
    return cast("Writer", import_module(f"ketapress.feeds.{name}"))


FORMATS = (
    Format("rss", "feed.xml", "application/rss+xml", "RSS"),
    Format("atom", "atom.xml", "application/atom+xml", "Atom"),
    Format("jsonfeed", "feed.json", "application/feed+json", "JSON Feed"),
)
"""RSS first: it is the one that every reader knows, and the first that a page names is the one that readers take.
The feeds of single tags are written in it alone."""
