"""The files of the feeds.

In all formats: the feed that readers poll, and its archives. In RSS: a feed of each tag. And the list of all feeds. In:
visible posts, newest first, and the settings. Out: build targets, none of which is rendered yet.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from importlib import import_module
from threading import Thread
from zlib import compress

from ketapress.feeds.archives import Document, site_documents, split_into_archives, tag_document
from ketapress.feeds.formats import FORMATS, Format
from ketapress.feeds.model import Entry, Feed, build_entry, build_feed
from ketapress.model.build_target import BuildTarget, Fingerprints
from ketapress.model.post import Post
from ketapress.model.settings import Settings
from ketapress.model.tags import collect_tags
from ketapress.model.urls import decode_path

OPML = "feeds.opml"
_COMPRESSION = 5  # of 9: the next level makes a tenth less and takes twice as long
_GZIP = 31  # makes zlib write the header of gzip, without a time in it


def feed_targets(
    posts: Sequence[Post], settings: Settings, fingerprints: Fingerprints
) -> Iterator[BuildTarget]:
    """Yield each file of the feeds.

    Each feed of the site is also stored compressed, for web servers that can serve it as it is: a feed is polled far
    more often than it changes.
    """
    tags = [tag_document(tag, settings, FORMATS[0].path) for tag in collect_tags(posts)]
    archives = split_into_archives(posts, settings)
    renderer = _Renderer(settings)
    current, *archive_documents = zip(
        *(site_documents(archives, settings, form.path) for form in FORMATS), strict=True
    )
    fingerprint = fingerprints.full_list(archives.latest)
    compressed = []
    for form, document in zip(FORMATS, current, strict=True):
        target = renderer.target(document, form, _key(document, form, fingerprints, fingerprint))
        pair = _CompressedPair(target.render)
        yield target._replace(render=pair.document)
        compressed.append(BuildTarget(f"{target.path}.gz", target.key, pair.compressed))
    for documents in archive_documents:
        fingerprint = fingerprints.full_list(documents[0].posts)
        for form, document in zip(FORMATS, documents, strict=True):
            yield renderer.target(document, form, _key(document, form, fingerprints, fingerprint))
    for tag in tags:
        fingerprint = fingerprints.full_list(tag.posts)
        yield renderer.target(tag, FORMATS[0], _key(tag, FORMATS[0], fingerprints, fingerprint))
    yield from compressed
    opml_feeds = [Document(FORMATS[0].path, ()), *tags]
    inputs = [(document.path, document.fields) for document in opml_feeds]
    yield BuildTarget(
        OPML,
        fingerprints.key(OPML, inputs),
        lambda: _render_opml([renderer.feed(document) for document in opml_feeds]),
    )


def _key(document: Document, form: Format, fingerprints: Fingerprints, posts: str) -> str:
    """Return the key of a document; `posts` is the fingerprint of its posts, which are the same in all formats."""
    return fingerprints.key(form.name, document.fields, posts)


class _CompressedPair:
    """A document and its compressed copy, which takes longer than the document: a second processor makes it meanwhile."""

    def __init__(self, render: Callable[[], bytes]) -> None:
        self._render = render
        self._copy = b""

    def document(self) -> bytes:
        """Return the document, and begin to compress it."""
        return self._result[0]

    def compressed(self) -> bytes:
        """Return the compressed copy once it is there."""
        document, thread = self._result
        thread.join()
        return self._copy or compress(document, _COMPRESSION, _GZIP)  # without memory, this raises the error

    @cached_property
    def _result(self) -> tuple[bytes, Thread]:
        document = self._render()
        thread = Thread(target=self._compress, args=(document,))
        thread.start()
        return document, thread

    def _compress(self, document: bytes) -> None:
        self._copy = compress(document, _COMPRESSION, _GZIP)


class _Renderer:
    """Renders documents. An entry is made once for all documents that hold it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._entries: dict[str, Entry] = {}

    def target(self, document: Document, form: Format, key: str) -> BuildTarget:
        return BuildTarget(decode_path(document.path), key, partial(self._render, document, form))

    def feed(self, document: Document) -> Feed:
        entries = [self._entry(post) for post in document.posts]
        return build_feed(entries, self._settings, document.path, **document.fields)

    def _render(self, document: Document, form: Format) -> bytes:
        return form.renderer.render(self.feed(document))

    def _entry(self, post: Post) -> Entry:
        if post.id not in self._entries:
            self._entries[post.id] = build_entry(post, self._settings)
        return self._entries[post.id]


def _render_opml(feeds: Sequence[Feed]) -> bytes:
    """Return the list of feeds. Its module, which loads lxml, is imported when it is needed."""
    document: bytes = import_module("ketapress.feeds.opml").render_opml(feeds[0], feeds[1:])
    return document
