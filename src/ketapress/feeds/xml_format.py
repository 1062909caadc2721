"""RSS and Atom by feedgen 1.0: a base class with what the two formats have in common. Nothing else knows of feedgen.

What feedgen does wrong, and what is done about it:

- It takes the moment of the build for every date that it is not given: it is given all of them.
- Titles have no type in Atom, and Atom links lose all but their address. RSS knows no link but rel=self, drops authors
  without an address, and sets the locale of the process to write dates. The subclasses add all of these to the
  elements that feedgen makes.
- The link of an RSS channel is the last one that was given: the home page comes last.
- `guid` has to come after `id`, or permalinks are lost.

There is no CDATA and no XHTML: the one makes Atom invalid, the other cannot hold HTML.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar

from feedgen.entry import FeedEntry
from feedgen.feed import FeedGenerator
from lxml.etree import _Element as Element

from ketapress.feeds.model import Entry, Feed, clean, to_plain_text
from ketapress.feeds.xml import escape_literal

NAME = "Ketapress"
_ADDRESSES = ("id", "home_url", "feed_url", "hub", "logo", "current", "older", "newer")


class XmlFormat(ABC):
    """One of the two XML formats."""

    media_type: ClassVar[str]
    namespaces: ClassVar[Mapping[str, str]]
    """Of the elements that the format adds to feedgen's, by prefix."""

    def render(self, feed: Feed) -> bytes:
        """Return the document of a feed, with an XML declaration that says UTF-8."""
        feed = self.adapt_feed(feed)
        generator = self._generator(feed)
        generator.extension.extend = lambda root: self._complete(root, feed)
        return self.serialize(generator)

    @abstractmethod
    def serialize(self, generator: FeedGenerator) -> bytes:
        """Return what feedgen makes of a feed in this format."""

    @abstractmethod
    def entry_element(self, entry: FeedEntry) -> Element:
        """Return what feedgen makes of an entry in this format."""

    @abstractmethod
    def parent_of_entries(self, root: Element) -> Element:
        """Return the element that holds the entries of a document."""

    @abstractmethod
    def complete_feed(self, parent: Element, feed: Feed) -> None:
        """Add what feedgen leaves out of a feed; `parent` will hold the entries."""

    @abstractmethod
    def complete_entry(self, element: Element, entry: Entry) -> None:
        """Add what feedgen leaves out of an entry."""

    def adapt_feed(self, feed: Feed) -> Feed:
        """Return a feed with its texts as the format wants them."""
        addresses = {name: clean(getattr(feed, name)) for name in _ADDRESSES}
        return feed._replace(**addresses, author=escape_literal(feed.author))  # type: ignore[arg-type]  # all of them are texts

    def adapt_entry(self, entry: Entry) -> Entry:
        """Return an entry with its texts as the format wants them."""
        image = entry.image
        if image:
            image = image._replace(url=clean(image.url), alt=escape_literal(to_plain_text(image.alt)))
        return entry._replace(
            authors=tuple(map(escape_literal, entry.authors)),
            tags=tuple(map(escape_literal, entry.tags)),
            image=image,
        )

    def _complete(self, root: Element, feed: Feed) -> None:
        parent = self.parent_of_entries(root)
        self.complete_feed(parent, feed)
        for entry in map(self.adapt_entry, feed.entries):
            element = self.entry_element(_feedgen_entry(entry))
            self.complete_entry(element, entry)
            parent.append(element)

    def _generator(self, feed: Feed) -> FeedGenerator:
        """Return feedgen's value of a feed, without entries."""
        generator = FeedGenerator()
        generator.register_extension("extension", _Extension, _Extension)
        generator.extension.namespaces = self.namespaces
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
        generator.link(href=feed.feed_url, rel="self", type=self.media_type)
        generator.link(href=feed.home_url, rel="alternate", type="text/html")
        if feed.logo:
            generator.image(feed.logo, title=feed.title, link=feed.home_url)
        return generator


class _Extension:
    """An extension of feedgen, which makes it without arguments and asks it for namespaces and elements."""

    def __init__(self) -> None:
        self.namespaces: Mapping[str, str] = {}
        self.extend: Callable[[Element], None] = lambda _: None

    def extend_ns(self) -> dict[str, str]:
        return dict(self.namespaces)

    def extend_rss(self, element: Element) -> Element:
        self.extend(element)
        return element

    extend_atom = extend_rss


def _feedgen_entry(entry: Entry) -> FeedEntry:
    """Return feedgen's value of an entry."""
    feedgen_entry = FeedEntry()
    feedgen_entry.title(entry.title)
    feedgen_entry.link(href=entry.url)
    feedgen_entry.content(entry.html, type="html")
    if entry.summary:
        feedgen_entry.summary(entry.summary)
    for tag in entry.tags:
        feedgen_entry.category(term=tag)
    feedgen_entry.updated(entry.updated)
    feedgen_entry.guid(entry.id, permalink=entry.id == entry.url)
    return feedgen_entry
