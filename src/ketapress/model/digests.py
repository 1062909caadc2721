"""Digests of values, texts and posts: equal where the values are equal."""

from hashlib import sha256
from operator import attrgetter

from ketapress.model.post import Post

_BODY = {"html", "html_sha256", "sha256", "updated", "face"}
_DATES = ("date", "published", "expires")  # their `repr` takes as long as that of all other fields
_LISTING_FIELDS = attrgetter(*(name for name in Post._fields if name not in {*_BODY, *_DATES}))
_DATE_FIELDS = attrgetter(*_DATES)


def listing_fingerprint(post: Post) -> str:
    """Return the listing fingerprint of a post: the digest of all of it but the body."""
    return digest(_LISTING_FIELDS(post), [date and date.timestamp() for date in _DATE_FIELDS(post)])


def digest(*values: object) -> str:
    """Return 32 hexadecimal digits, the same for two lists of values only where their `repr`s are the same."""
    return sha256(repr(values).encode(errors="backslashreplace")).hexdigest()[:32]


def text_sha256(text: str) -> str:
    """Return the SHA-256 of a text as hexadecimal; of a long text its `repr` would take five times as long."""
    return sha256(text.encode(errors="surrogatepass")).hexdigest()
