"""Addresses of pages: slugs, joining, and making what is written in a post absolute."""

import re
import unicodedata
from urllib.parse import quote, unquote, urljoin, urlsplit

_NOT_IN_SLUG = re.compile(r"[\W_]+")
_SLUG_LENGTH = (
    80  # bytes of UTF-8: a file name has room for 255, and `.html.gz` and a temporary suffix come on top
)
SAFE_IN_PATH = "/~!$&'()*+,;=:@-._"  # RFC 3986, 3.3: what a path segment may hold unencoded, and the slash
SAFE_IN_URL = SAFE_IN_PATH + "?#[]%"


def slugify(text: str) -> str:
    """A name for a URL and a file: letters and digits of any script in lower case, joined by hyphens; may be empty."""
    normal_form = unicodedata.normalize("NFKC", text).casefold()
    words = _NOT_IN_SLUG.sub("-", unicodedata.normalize("NFC", normal_form)).strip("-")
    while len(words.encode()) > _SLUG_LENGTH:
        head, hyphen, _ = words.rpartition("-")
        words = head if hyphen else words[:-1]
    return words


def encode_path(path: str) -> str:
    """A path of readable characters, percent-encoded as it stands in a URL."""
    return quote(path, safe=SAFE_IN_PATH)


def decode_path(path: str) -> str:
    """The file that a URL's path names under `public/`."""
    return unquote(path)


def join_url(base: str, path: str) -> str:
    """`path` under `base`, whether or not the base ends in a slash: the site may live in a sub-folder."""
    return base.rstrip("/") + "/" + path.lstrip("/")


def resolve_url(base: str, reference: str) -> str | None:
    """`reference` as a full URL with blanks and non-ASCII encoded; None where it is none that can be joined."""
    try:
        url = urljoin(base, reference.strip())
        host = urlsplit(url).netloc.rpartition("@")[2].partition(":")[0]
        if host and (
            "%" in host or not host.isascii()
        ):  # as written, or as a renderer of Markdown encoded it
            url = url.replace(host, unquote(host).lower().encode("idna").decode("ascii"), 1)
    except ValueError:
        return None
    return quote(url, safe=SAFE_IN_URL)


def is_loopback(host: str) -> bool:
    """Whether a host name means the loopback interface of this machine."""
    return host in {"localhost", "::1", "[::1]"} or host.startswith("127.")
