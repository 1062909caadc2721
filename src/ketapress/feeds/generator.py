"""The one place that knows feedgen 1.0: what RSS and Atom have in common, and the way around its traps.

In: a `Feed`, and what a format adds to feedgen's elements. Out: a `FeedGenerator` that has only to be printed.

What feedgen does wrong, and the answer here. It takes the moment of the build for every instant that it is not told:
all are told. It puts new entries first: `append`. Its Atom entries lose all but the address of a link, its RSS knows no
link but rel=self, drops authors without an address, sets the process's locale to write each entry's date, and titles
have no type in Atom: a format adds all of these itself, to the elements that feedgen made. Its RSS channel's link is
the last that was named: the home page comes last. `guid` after `id`, or permalinks are lost. No CDATA and no XHTML: the
one makes Atom invalid, the other cannot hold HTML.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

from feedgen.feed import FeedGenerator
from lxml.etree import _Element as Element

from ketapress.feeds.document import Entry, Feed

ATOM = "{http://www.w3.org/2005/Atom}"
NAME = "Ketapress"


@dataclass(frozen=True, slots=True)
class Additions:
    """What a format adds: namespaces of the root, and functions that finish the root and each entry in place."""

    media_type: str
    namespaces: Mapping[str, str]
    root: Callable[[Element, Feed], None]
    entry: Callable[[Element, Entry], None]


class _Addition:
    """feedgen's idea of an extension: it is made without arguments, then told, then asked."""

    def __init__(self) -> None:
        self.namespaces: Mapping[str, str] = {}
        self.finish: Callable[[Element], None]

    def extend_ns(self) -> dict[str, str]:
        return dict(self.namespaces)

    def extend_rss(self, element: Element) -> Element:
        self.finish(element)
        return element

    extend_atom = extend_rss


def generated(feed: Feed, additions: Additions) -> FeedGenerator:
    """A generator of this feed, with everything set that one of its two formats prints."""
    generator = FeedGenerator()
    generator.register_extension("addition", _Addition, _Addition)
    generator.addition.namespaces = additions.namespaces
    generator.addition.finish = lambda root: additions.root(root, feed)
    generator.id(feed.feed_url)
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
    generator.link(href=feed.feed_url, rel="self", type=additions.media_type)
    generator.link(href=feed.home_url, rel="alternate", type="text/html")
    if feed.logo:
        generator.image(feed.logo, title=feed.title, link=feed.home_url)
    for entry in feed.entries:
        _add(generator, entry, additions)
    return generator


def _add(generator: FeedGenerator, entry: Entry, additions: Additions) -> None:
    made = generator.add_entry(order="append")
    made.addition.finish = lambda element: additions.entry(element, entry)
    made.title(entry.title)
    made.link(href=entry.url)
    made.content(entry.html, type="html")
    if entry.summary:
        made.summary(escape(entry.summary, quote=False), type="html")
    for tag in entry.tags:
        made.category(term=tag)
    made.updated(entry.updated)
    made.guid(entry.id, permalink=entry.id == entry.url)
