"""Every file of the feeds.

In all formats what readers poll, and its archives; in RSS a feed for each tag; and the list of them all. In: visible
posts, newest first, and the settings. Out: paths under `public/` and bytes.
"""

import gzip
from collections.abc import Iterator, Sequence

from ketapress.feeds.document import Entry, entry_of
from ketapress.feeds.formats import FORMATS, Format
from ketapress.feeds.history import Placed, site_documents, tag_document
from ketapress.feeds.opml import opml
from ketapress.model.post import Post
from ketapress.model.settings import Settings
from ketapress.model.tags import tags_of

OPML = "feeds.opml"


def feed_files(posts: Sequence[Post], settings: Settings) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of each file.

    Beside each feed of the site stands the same, compressed, for web servers that can hand it out as it is: a feed is
    polled far more often than it changes.
    """
    entries = {post.id: entry_of(post, settings) for post in posts}
    tags = [tag_document(tag, entries, settings, FORMATS[0].path) for tag in tags_of(posts)]
    for form in FORMATS:
        site = list(site_documents(list(entries.values()), settings, form.path))
        for path, content in _written([*site, *(tags if form is FORMATS[0] else ())], entries, form):
            yield path, content
            if path == form.path:
                yield f"{path}.gz", gzip.compress(content, mtime=0)
        if form is FORMATS[0]:
            yield OPML, opml(site[0].feed, (placed.feed for placed in tags))


def _written(
    documents: Sequence[Placed], entries: dict[str, Entry], form: Format
) -> Iterator[tuple[str, bytes]]:
    printed = dict(
        zip((e.id for e in entries.values()), form.writer.entries(list(entries.values())), strict=True)
    )
    for placed in documents:
        yield (
            placed.path,
            form.writer.document(placed.feed, [printed[entry.id] for entry in placed.feed.entries]),
        )
