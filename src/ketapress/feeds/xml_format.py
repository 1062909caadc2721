"""What RSS and Atom differ in: a value for each."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ketapress.feeds.model import Entry, Feed


class Dialect(NamedTuple):
    """What makes a format: what a `FeedGenerator` and a `FeedEntry` make, what is added to both, where entries stand.

    An entry is an element of lxml; `finish_feed` and `finish_entry` change one in place; `namespaces` are those of the additions. `depth` is that
    of entries, which begin and end as `opening` and `closing` say; `end` follows the last. `instant` writes a time,
    `title` and `summary` write plain text; `marked_up` says of plain text whether it needs a shape of its own.
    """

    name: str
    media_type: str
    feed: Callable[[Any], bytes]
    entry: Callable[[Any], Any]
    finish_feed: Callable[[Any, Feed], None]
    finish_entry: Callable[[Any, Entry], None]
    namespaces: Mapping[str, str]
    depth: int
    opening: str
    closing: str
    end: str
    instant: Callable[[datetime], str]
    title: Callable[[str], str] = str
    summary: Callable[[str], str] = str
    marked_up: Callable[[str], bool] = lambda _: False
