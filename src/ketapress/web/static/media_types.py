"""The media types of the files of `public/`, by their names."""

from mimetypes import MimeTypes
from pathlib import PurePosixPath

from ketapress.feeds.formats import FORMATS

_FEED_TYPES = {feed_format.path: feed_format.media_type for feed_format in FORMATS}
_SUFFIX_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".htm": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".md": "text/markdown",
    ".opml": "text/x-opml",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
    ".xml": "application/xml",
    ".avif": "image/avif",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_UTF8_PREFIXES = ("text/", "application/xml", "application/json", "image/svg+xml")
_MIME_TYPES = MimeTypes()  # Python's own table, not the machine's: the same result everywhere
_DEFAULT_TYPE = "application/octet-stream"


def guess_media_type(path: str) -> str:
    """Return the value of Content-Type for a path.

    A feed is known by its name in any folder (`tags/care/feed.xml`), also as an archive with its month before the name
    (`feeds/2023-05.feed.xml`).
    """
    name = PurePosixPath(path).name
    feed_types = (
        feed_type for feed, feed_type in _FEED_TYPES.items() if name == feed or name.endswith(f".{feed}")
    )
    media_type = next(feed_types, None) or _SUFFIX_TYPES.get(PurePosixPath(name).suffix.lower())
    if media_type is None:
        media_type, coding = _MIME_TYPES.guess_type(name)
        media_type = "application/gzip" if coding == "gzip" else media_type or _DEFAULT_TYPE
    is_utf8 = media_type.startswith(_UTF8_PREFIXES) or media_type in _FEED_TYPES.values()
    return f"{media_type}; charset=utf-8" if is_utf8 else media_type


def is_subscription_feed(path: str) -> bool:
    """Tell whether the file is a feed that readers poll, and not an archive of one (RFC 5005, 4)."""
    return PurePosixPath(path).name in _FEED_TYPES
