"""Build URLs: slugs, joins, percent-encoding, and references resolved against a base."""

import re
import unicodedata
from urllib.parse import quote, unquote, urljoin, urlsplit

_NOT_IN_SLUG = re.compile(r"[\W_]+")
_MAX_SLUG_BYTES = 80  # UTF-8: file names may have 255 bytes, with `.html.gz` and a temporary suffix on top
SAFE_IN_PATH = "/~!$&'()*+,;=:@-._"  # RFC 3986, 3.3: not encoded in a path segment; and the slash
SAFE_IN_URL = SAFE_IN_PATH + "?#[]%"


def slugify(text: str) -> str:
    """Return a name for a URL and a file: lower-case letters and digits of any script, joined by hyphens; may be empty."""
    normal_form = unicodedata.normalize("NFKC", text).casefold()
    words = _NOT_IN_SLUG.sub("-", unicodedata.normalize("NFC", normal_form)).strip("-")
    while len(words.encode()) > _MAX_SLUG_BYTES:
        head, hyphen, _ = words.rpartition("-")
        words = head if hyphen else words[:-1]
    return words


def encode_path(path: str) -> str:
    """Percent-encode a path for a URL."""
    return quote(path, safe=SAFE_IN_PATH)


def decode_path(path: str) -> str:
    """Decode a URL's path to the file name under `public/`."""
    return unquote(path)


def join_url(base: str, path: str) -> str:
    """Join a path to a base URL, with or without a slash between them: the site may be in a sub-folder."""
    return base.rstrip("/") + "/" + path.lstrip("/")


def resolve_url(base: str, reference: str) -> str | None:
    """Resolve a reference to an absolute URL, with spaces and non-ASCII characters encoded; None where it is invalid."""
    try:
        url = urljoin(base, reference.strip())
        host = urlsplit(url).netloc.rpartition("@")[2].partition(":")[0]
        # A host may be non-ASCII as written, or percent-encoded by a Markdown renderer.
        if host and ("%" in host or not host.isascii()):
            url = url.replace(host, unquote(host).lower().encode("idna").decode("ascii"), 1)
    except ValueError:
        return None
    return quote(url, safe=SAFE_IN_URL)


def is_loopback(host: str) -> bool:
    """Return whether a host name means the loopback interface of this machine."""
    return host in {"localhost", "::1", "[::1]"} or host.startswith("127.")
