"""Every file of the feeds.

In all formats what readers poll, and its archives; in RSS a feed for each tag; and the list of them all. In: visible
posts, newest first, and the settings. Out: outputs, none of which is made yet.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from importlib import import_module
from threading import Thread
from zlib import compress

from ketapress.feeds.archives import Document, shelved, site_documents, tag_document
from ketapress.feeds.formats import FORMATS, Format
from ketapress.feeds.model import Entry, Feed, entry_of, feed_of
from ketapress.model.output import Keys, Output
from ketapress.model.post import Post
from ketapress.model.settings import Settings
from ketapress.model.tags import collect_tags
from ketapress.model.urls import decode_path

OPML = "feeds.opml"
_COMPRESSION = 5  # of 9: the next makes a tenth less and takes twice as long
_GZIP = 31  # zlib writes the header of gzip, without a time in it


def feed_files(posts: Sequence[Post], settings: Settings, keys: Keys) -> Iterator[Output]:
    """Each file of the feeds.

    Beside each feed of the site stands the same, compressed, for web servers that can hand it out as it is: a feed is
    polled far more often than it changes.
    """
    tags = [tag_document(tag, settings, FORMATS[0].path) for tag in collect_tags(posts)]
    shelves = shelved(posts, settings)
    printer = _Printer(settings)
    current, *archives = zip(*(site_documents(shelves, settings, form.path) for form in FORMATS), strict=True)
    shown = keys.wholes(shelves.latest)
    polled = [
        (form.path, _key(document, form, keys, shown), _Polled(partial(printer.document, document, form)))
        for form, document in zip(FORMATS, current, strict=True)
    ]
    yield from (Output(path, key, made.document) for path, key, made in polled)
    for documents in archives:
        shown = keys.wholes(documents[0].posts)
        for form, archive in zip(FORMATS, documents, strict=True):
            yield printer.output(archive, form, _key(archive, form, keys, shown))
    for tag in tags:
        yield printer.output(tag, FORMATS[0], _key(tag, FORMATS[0], keys, keys.wholes(tag.posts)))
    yield from (Output(f"{path}.gz", key, made.compressed) for path, key, made in polled)
    listed = [Document(FORMATS[0].path, ()), *tags]
    about = [(document.path, document.about) for document in listed]
    yield Output(OPML, keys.of(OPML, about), lambda: _opml([printer.feed(document) for document in listed]))


class _Polled:
    """A document and the same compressed, which takes longer than to write it: a second processor does it meanwhile."""

    def __init__(self, make: Callable[[], bytes]) -> None:
        self._make = make
        self._small = b""

    def document(self) -> bytes:
        return self._made[0]

    def compressed(self) -> bytes:
        document, compressing = self._made
        compressing.join()
        return self._small or compress(
            document, _COMPRESSION, _GZIP
        )  # where memory was short, the fault shows here

    @cached_property
    def _made(self) -> tuple[bytes, Thread]:
        """The document, and what is compressing it."""
        document = self._make()
        compressing = Thread(target=self._compress, args=(document,))
        compressing.start()
        return document, compressing

    def _compress(self, document: bytes) -> None:
        self._small = compress(document, _COMPRESSION, _GZIP)


class _Printer:
    """Writes documents. What stands in more than one of them is made once: entries."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._entries: dict[str, Entry] = {}

    def output(self, document: Document, form: Format, key: str) -> Output:
        return Output(decode_path(document.path), key, partial(self.document, document, form))

    def document(self, document: Document, form: Format) -> bytes:
        return form.renderer.render(self.feed(document))

    def feed(self, document: Document) -> Feed:
        entries = [self._entry(post) for post in document.posts]
        return feed_of(entries, self._settings, document.path, **document.about)

    def _entry(self, post: Post) -> Entry:
        if post.id not in self._entries:
            self._entries[post.id] = entry_of(post, self._settings)
        return self._entries[post.id]


def _key(document: Document, form: Format, keys: Keys, shown: str) -> str:
    """`shown` is the revision of its posts, which are the same in all formats."""
    return keys.of(form.name, document.about, shown)


def _opml(feeds: Sequence[Feed]) -> bytes:
    """Made by lxml, which is not loaded before it is needed."""
    written: bytes = import_module("ketapress.feeds.opml").opml(feeds[0], feeds[1:])
    return written
