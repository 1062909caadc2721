"""The one place that knows feedgen 1.0: what RSS and Atom have in common, and the way around its traps.

In: an entry or a `Feed`, and what a format adds to feedgen's elements. Out: each as it is printed; the entries of a feed
are put in later.

What feedgen does wrong, and the answer here. It takes the moment of the build for every instant that it is not told:
all are told. Its Atom entries lose all but the address of a link, its RSS knows no link but rel=self, drops authors
without an address, sets the process's locale to write each entry's date, and titles have no type in Atom: a format adds
all of these itself, to the elements that feedgen made. Its RSS channel's link is the last that was named: the home page
comes last. `guid` after `id`, or permalinks are lost. No CDATA and no XHTML: the one makes Atom invalid, the other
cannot hold HTML.
"""

from collections.abc import Callable, Mapping

from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator
from lxml.etree import Element, SubElement, _Element, tostring

from ketapress.feeds.model import Entry, Feed
from ketapress.feeds.xml_format import Dialect

NAME = "Ketapress"
_OF_FEEDGEN = {"content": "http://purl.org/rss/1.0/modules/content/"}


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


def printed_entry(entry: Entry, dialect: Dialect) -> str:
    """An entry as it stands in every feed of this format."""
    root = parent = Element("feed", nsmap={**_OF_FEEDGEN, **dialect.namespaces})
    for _ in range(1, dialect.depth):
        parent = SubElement(parent, "channel")
    element = dialect.entry(_entry(entry))
    dialect.finish_entry(element, entry)
    parent.append(element)
    printed: str = tostring(root, pretty_print=True, encoding="unicode")
    return printed[printed.index(dialect.opening) :].partition(dialect.closing)[0] + dialect.closing


def printed_feed(feed: Feed, dialect: Dialect) -> str:
    """The feed without its entries."""
    generator = _generator(feed, dialect)
    generator.addition.finish = lambda root: dialect.finish_feed(root, feed)
    return dialect.feed(generator).decode()


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
