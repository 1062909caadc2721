"""The formats of feeds: a table that is quick to import, for code that only needs to point at feeds."""

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

if TYPE_CHECKING:
    from ketapress.feeds.model import Feed


class Renderer(Protocol):
    """What the module of a format provides."""

    def render(self, feed: "Feed") -> bytes:
        """Return the document of a feed."""


class Format(NamedTuple):
    """One format: the name of its module, the file name of a feed in it, its media type, its name for people."""

    name: str
    path: str
    media_type: str
    title: str

    @property
    def renderer(self) -> Renderer:
        """The module of this format, imported at the first use."""
        return _renderer(self.name)


@cache
def _renderer(name: str) -> Renderer:
    return cast("Renderer", import_module(f"ketapress.feeds.{name}"))


FORMATS = (
    Format("rss", "feed.xml", "application/rss+xml", "RSS"),
    Format("atom", "atom.xml", "application/atom+xml", "Atom"),
    Format("jsonfeed", "feed.json", "application/feed+json", "JSON Feed"),
)
"""RSS first: every reader knows it, and readers take the first feed that a page names. Tags have feeds in RSS alone."""
