"""What RSS and Atom differ in: a value for each."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from ketapress.feeds.document import Entry, Feed

if TYPE_CHECKING:
    from feedgen.entry import FeedEntry
    from feedgen.feed import FeedGenerator
    from lxml.etree import _Element as Element


class Dialect(NamedTuple):
    """What makes a format: what feedgen makes of a feed and of an entry, what is added to both, where entries stand.

    `finish_feed` and `finish_entry` change an element in place; `namespaces` are those of the additions. `depth` is that
    of entries, which begin and end as `opening` and `closing` say; `end` follows the last. `instant` writes a time,
    `title` and `summary` write plain text; `marked_up` says of plain text whether it needs a shape of its own.
    """

    name: str
    media_type: str
    feed: "Callable[[FeedGenerator], bytes]"
    entry: "Callable[[FeedEntry], Element]"
    finish_feed: "Callable[[Element, Feed], None]"
    finish_entry: "Callable[[Element, Entry], None]"
    namespaces: Mapping[str, str]
    depth: int
    opening: str
    closing: str
    end: str
    instant: Callable[[datetime], str]
    title: Callable[[str], str] = str
    summary: Callable[[str], str] = str
    marked_up: Callable[[str], bool] = lambda _: False
