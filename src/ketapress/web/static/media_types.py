"""What a file of `public/` is, by its name: the media type that a browser and a feed reader are told."""

from mimetypes import MimeTypes
from pathlib import PurePosixPath

from ketapress.feeds.formats import FORMATS

_FEEDS = {each.path: each.media_type for each in FORMATS}
_BY_SUFFIX = {
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
_IN_UTF8 = ("text/", "application/xml", "application/json", "image/svg+xml")
_OTHERS = MimeTypes()  # the table that comes with Python, not the machine's: the same answer everywhere
_UNKNOWN = "application/octet-stream"


def media_type(path: str) -> str:
    """The value of Content-Type. A feed is known by its name, wherever it stands: `tags/care/feed.xml`.

    The archives of a feed carry their month before it: `feeds/2023-05.feed.xml`.
    """
    name = PurePosixPath(path).name
    kind = _feed_type(name) or _BY_SUFFIX.get(PurePosixPath(name).suffix.lower())
    if kind is None:
        kind, packed = _OTHERS.guess_type(name)
        kind = "application/gzip" if packed == "gzip" else kind or _UNKNOWN
    return f"{kind}; charset=utf-8" if kind.startswith(_IN_UTF8) or kind in _FEEDS.values() else kind


def is_polled_feed(path: str) -> bool:
    """Whether the file is a feed that readers poll: an archive of one never changes again."""
    name = PurePosixPath(path).name
    return name in _FEEDS


def _feed_type(name: str) -> str | None:
    return next((kind for feed, kind in _FEEDS.items() if name == feed or name.endswith(f".{feed}")), None)
