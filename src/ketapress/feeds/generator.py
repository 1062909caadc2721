"""The one place that knows feedgen 1.0: what RSS and Atom have in common, and the way around its traps.

In: entries or a `Feed`, and what a format adds to feedgen's elements. Out: printed entries, and a printed feed with room
for them. An entry stands in the feed that readers poll, in an archive and in the feed of each of its tags; it is printed
once and goes into all of them.

What feedgen does wrong, and the answer here. It takes the moment of the build for every instant that it is not told:
all are told. It puts new entries first: `append`. Its Atom entries lose all but the address of a link, its RSS knows no
link but rel=self, drops authors without an address, sets the process's locale to write each entry's date, and titles
have no type in Atom: a format adds all of these itself, to the elements that feedgen made. Its RSS channel's link is
the last that was named: the home page comes last. `guid` after `id`, or permalinks are lost. No CDATA and no XHTML: the
one makes Atom invalid, the other cannot hold HTML. It keeps a whole feed in memory as a tree: a hundred entries at a time.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator
from lxml.etree import Element, SubElement, _Element, tostring

from ketapress.feeds.document import Entry, Feed

ATOM = "http://www.w3.org/2005/Atom"
HISTORY = "http://purl.org/syndication/history/1.0"
NAME = "Ketapress"
MARKUP = re.compile(r"<(?=[A-Za-z/!?])|&(?=#?\w+;)")
"""Where plain text could be taken for HTML: `</b>`, `&amp;`, but not `Q & A`."""
_AT_ONCE = 100
_OF_FEEDGEN = {"content": "http://purl.org/rss/1.0/modules/content/"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """What makes a format: what feedgen makes of a feed and of an entry, what is added to both, where entries stand.

    `finish_feed` and `finish_entry` change an element in place; `namespaces` are those of the additions. `depth` is that of entries, which begin and end as `opening` and `closing` say; `end` follows the last.
    """

    media_type: str
    feed: Callable[[FeedGenerator], bytes]
    entry: Callable[[FeedEntry], _Element]
    finish_feed: Callable[[_Element, Feed], None]
    finish_entry: Callable[[_Element, Entry], None]
    namespaces: Mapping[str, str]
    depth: int
    opening: bytes
    closing: bytes
    end: bytes


class _Addition:
    """What feedgen takes for an extension: it is made without arguments, then told, then asked."""

    def __init__(self) -> None:
        self.namespaces: Mapping[str, str] = {}
        self.finish: Callable[[_Element], None] = lambda _: None

    def extend_ns(self) -> dict[str, str]:
        return dict(self.namespaces)

    def extend_rss(self, element: _Element) -> _Element:
        self.finish(element)
        return element

    extend_atom = extend_rss


def printed_entries(entries: Sequence[Entry], dialect: Dialect) -> Iterator[bytes]:
    """Each entry as it stands in every feed of this format."""
    for start in range(0, len(entries), _AT_ONCE):
        root = parent = Element("feed", nsmap={**_OF_FEEDGEN, **dialect.namespaces})
        for _ in range(1, dialect.depth):
            parent = SubElement(parent, "channel")
        for entry in entries[start : start + _AT_ONCE]:
            element = dialect.entry(_entry(entry))
            dialect.finish_entry(element, entry)
            parent.append(element)
        printed: bytes = tostring(root, pretty_print=True, encoding="UTF-8")
        *found, _ = printed[printed.index(dialect.opening) :].split(dialect.closing)
        yield from (each + dialect.closing for each in found)


def printed_feed(feed: Feed, printed: Sequence[bytes], dialect: Dialect) -> bytes:
    """The feed, with its printed entries where they belong."""
    generator = _generator(feed, dialect)
    generator.addition.finish = lambda root: dialect.finish_feed(root, feed)
    before, end, after = dialect.feed(generator).rpartition(dialect.end)
    return b"".join([before, *printed, end, after])


def history_links(feed: Feed) -> Iterator[tuple[str, str]]:
    """Where the other documents of the feed are (RFC 5005, 4), and the hub that tells of new ones: rel and address."""
    links = [("prev-archive", feed.older), ("next-archive", feed.newer), ("hub", feed.hub)]
    if feed.archived:
        links.append(("current", feed.current))
    return ((rel, href) for rel, href in links if href)


def mark_archive(parent: _Element, feed: Feed) -> None:
    if feed.archived:
        SubElement(parent, f"{{{HISTORY}}}archive")


def _generator(feed: Feed, dialect: Dialect) -> FeedGenerator:
    """A generator of this feed without its entries, with everything set that one of the two formats prints."""
    generator = FeedGenerator()
    generator.register_extension("addition", _Addition, _Addition)
    generator.addition.namespaces = dialect.namespaces
    generator.id(feed.id)
    generator.title(feed.title)
    generator.subtitle(feed.description)
    generator.language(feed.language)
    generator.author(name=feed.author)
    generator.updated(feed.updated)
    generator.lastBuildDate(feed.updated)
    generator.pubDate(feed.published)
    generator.generator(NAME)
    generator.docs("https://www.rssboard.org/rss-specification")
    generator.ttl(60)
    generator.link(href=feed.feed_url, rel="self", type=dialect.media_type)
    generator.link(href=feed.home_url, rel="alternate", type="text/html")
    if feed.logo:
        generator.image(feed.logo, title=feed.title, link=feed.home_url)
    return generator


def _entry(entry: Entry) -> FeedEntry:
    made = FeedEntry()
    made.title(entry.title)
    made.link(href=entry.url)
    made.content(entry.html, type="html")
    if entry.summary:
        made.summary(entry.summary)
    for tag in entry.tags:
        made.category(term=tag)
    made.updated(entry.updated)
    made.guid(entry.id, permalink=entry.id == entry.url)
    return made
