"""Targets of a build, the files of `public/`, and the fingerprints of what they show.

A target that shows the same as before is not rendered again. So whoever defines one says beforehand what it shows.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from ketapress.model.digests import digest, listing_fingerprint, text_sha256
from ketapress.model.post import Post


class BuildTarget(NamedTuple):
    """One file: its path under `public/`, with slashes, not encoded; the key of its inputs; a function that renders it.

    Targets with the same path and key have the same bytes.
    """

    path: str
    key: str
    render: Callable[[], bytes]


class Fingerprints:
    """The fingerprints of one build's posts, and keys of targets made of them.

    A post has two: the full one, and the listing fingerprint, which is of all but the body and changes less often. Lists
    of posts depend on listing fingerprints, so another body leaves them alone: with one changed post of 1,000 that saves
    a fifth of the CPU time. Custom templates may show whole posts anywhere: with them both fingerprints are the full one.

    `site` is the fingerprint of what all targets depend on: settings, templates, programs.
    """

    def __init__(self, site: str, *, custom_templates: bool = True) -> None:
        self._site = site
        self._custom_templates = custom_templates
        self._full: dict[str, str] = {}
        self._listing: dict[str, str] = {}

    def key(self, *inputs: object) -> str:
        """Return the key of a target from inputs whose `repr` says all: texts, fingerprints, settings."""
        return digest(self._site, *inputs)

    def full_list(self, posts: Iterable[Post]) -> str:
        """Return the fingerprint of a list that shows whole posts."""
        return text_sha256("\n".join(map(self.full, posts)))

    def listing_list(self, posts: Iterable[Post]) -> str:
        """Return the fingerprint of a list that shows no bodies."""
        return text_sha256("\n".join(map(self.listing, posts)))

    def full(self, post: Post) -> str:
        """Return the fingerprint of a whole post."""
        fingerprint = self._full.get(post.id)
        if fingerprint is None:
            body = post.html_sha256 or text_sha256(post.html)
            fingerprint = f"{self._without_body(post)} {post.sha256} {post.updated.timestamp()} {body}"
            self._full[post.id] = fingerprint
        return fingerprint

    def listing(self, post: Post | None) -> str:
        """Return the fingerprint of what lists show of a post; empty for None."""
        if post is None:
            return ""
        return self.full(post) if self._custom_templates else self._without_body(post)

    def _without_body(self, post: Post) -> str:
        if post.face:
            return post.face
        if post.id not in self._listing:
            self._listing[post.id] = listing_fingerprint(post)
        return self._listing[post.id]
