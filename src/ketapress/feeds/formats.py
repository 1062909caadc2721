"""The formats that feeds are written in: a table that is light to import, for those who only need to point at feeds."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from ketapress.feeds.document import Feed


@dataclass(frozen=True, slots=True)
class Format:
    """One format: its module and function (`rss`), the file name of a feed in it, its media type, its name for people."""

    name: str
    path: str
    media_type: str
    title: str

    @property
    def write(self) -> "Callable[[Feed], bytes]":
        """The function that turns a feed into this format's bytes. Its module, and lxml with it, is imported now."""
        return cast(
            "Callable[[Feed], bytes]", getattr(import_module(f"ketapress.feeds.{self.name}"), self.name)
        )


FORMATS = (
    Format("rss", "feed.xml", "application/rss+xml", "RSS"),
    Format("atom", "atom.xml", "application/atom+xml", "Atom"),
    Format("jsonfeed", "feed.json", "application/feed+json", "JSON Feed"),
)
"""RSS first: it is the one that every reader knows, and the first that a page names is the one that readers take."""
