"""Every file of the feeds.

In all formats what readers poll, and its archives; in RSS a feed for each tag; and the list of them all. In: visible
posts, newest first, and the settings. Out: outputs, none of which is made yet.
"""

import gzip
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from importlib import import_module

from ketapress.feeds.document import Entry, Feed, entry_of, feed_of
from ketapress.feeds.formats import FORMATS, Format
from ketapress.feeds.history import Document, shelved, site_documents, tag_document
from ketapress.model.output import Keys, Output
from ketapress.model.post import Post
from ketapress.model.settings import Settings
from ketapress.model.tags import tags_of
from ketapress.model.urls import decoded_path

OPML = "feeds.opml"
_COMPRESSION = 5  # of 9: the next makes a tenth less and takes twice as long


def feed_files(posts: Sequence[Post], settings: Settings, keys: Keys) -> Iterator[Output]:
    """Each file of the feeds.

    Beside each feed of the site stands the same, compressed, for web servers that can hand it out as it is: a feed is
    polled far more often than it changes.
    """
    entries = _Entries(settings)
    tags = [tag_document(tag, settings, FORMATS[0].path) for tag in tags_of(posts)]
    shelves = shelved(posts, settings)
    for form in FORMATS:
        printer = _Printer(form, entries)
        current, *archives = site_documents(shelves, settings, form.path)
        key, make = _key(current, form, keys), cache(partial(printer.document, current))
        yield Output(form.path, key, make)
        yield Output(f"{form.path}.gz", key, partial(_compressed, make))
        for document in [*archives, *(tags if form is FORMATS[0] else ())]:
            path = decoded_path(document.path)
            yield Output(path, _key(document, form, keys), partial(printer.document, document))
    listed = [Document(FORMATS[0].path, ()), *tags]
    about = [(document.path, document.about) for document in listed]
    yield Output(OPML, keys.of(OPML, about), lambda: _opml([entries.feed(document) for document in listed]))


class _Entries:
    """The posts as entries, each made once and when it is asked for: it stands in many documents of all formats."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: dict[str, Entry] = {}

    def of(self, posts: Sequence[Post]) -> list[Entry]:
        for post in posts:
            if post.id not in self._made:
                self._made[post.id] = entry_of(post, self._settings)
        return [self._made[post.id] for post in posts]

    def feed(self, document: Document) -> Feed:
        return feed_of(self.of(document.posts), self._settings, document.path, **document.about)


class _Printer:
    """Writes documents in one format; each entry is printed once, and goes into every document that holds it."""

    def __init__(self, form: Format, entries: _Entries) -> None:
        self._form = form
        self._entries = entries
        self._printed: dict[str, bytes] = {}

    def document(self, document: Document) -> bytes:
        feed, writer = self._entries.feed(document), self._form.writer
        missing = {
            post.id: entry
            for post, entry in zip(document.posts, feed.entries, strict=True)
            if post.id not in self._printed
        }
        self._printed |= zip(missing, writer.entries(list(missing.values())), strict=True)
        return writer.document(feed, [self._printed[post.id] for post in document.posts])


def _key(document: Document, form: Format, keys: Keys) -> str:
    return keys.of(form.name, document.about, *map(keys.whole, document.posts))


def _compressed(make: Callable[[], bytes]) -> bytes:
    return gzip.compress(make(), _COMPRESSION, mtime=0)


def _opml(feeds: Sequence[Feed]) -> bytes:
    """Made by lxml, which is not loaded before it is needed."""
    written: bytes = import_module("ketapress.feeds.opml").opml(feeds[0], feeds[1:])
    return written
