"""A file of `public/` before it is made: where it stands, what its bytes depend on, and how they are made.

So that what has not changed is never made again, whoever makes it has to say beforehand what it shows.
"""

from collections.abc import Callable, Iterable
from hashlib import sha256
from operator import attrgetter
from typing import NamedTuple

from ketapress.model.post import Post

_BODY = {"html", "html_sha256", "sha256", "updated", "face"}
_DATES = ("date", "published", "expires")  # their `repr` takes as long as all the rest
_FACE = attrgetter(*(name for name in Post._fields if name not in {*_BODY, *_DATES}))
_INSTANTS = attrgetter(*_DATES)


class Output(NamedTuple):
    """One file: its path under `public/`, with slashes, not encoded.

    Outputs of one path and one key have the same bytes.
    """

    path: str
    key: str
    make: Callable[[], bytes]


class Keys:
    """The keys of one build's outputs, each from the site and from what the output shows.

    `site` stands for what all outputs depend on: settings, templates, programs. Of a post there are two revisions, each
    reckoned once: the whole of it, and its face, which is all but the body and changes less often. Lists show faces,
    unless templates are the editors' own, which may show whole posts anywhere.
    """

    def __init__(self, site: str, *, own_templates: bool = True) -> None:
        self._site = site
        self.own_templates = own_templates
        self._wholes: dict[str, str] = {}
        self._faces: dict[str, str] = {}

    def of(self, *shown: object) -> str:
        """A key from values whose `repr` tells all: texts, revisions, settings."""
        return digest(self._site, *shown)

    def wholes(self, posts: Iterable[Post]) -> str:
        """The revision of a list of posts, each as a whole."""
        return text_sha256("\n".join(map(self.whole, posts)))

    def faces(self, posts: Iterable[Post]) -> str:
        """The revision of what a list shows of posts."""
        return text_sha256("\n".join(map(self.face, posts)))

    def whole(self, post: Post) -> str:
        """The revision of all of a post."""
        found = self._wholes.get(post.id)
        if found is None:
            body = post.html_sha256 or text_sha256(post.html)
            found = f"{self._own_face(post)} {post.sha256} {post.updated.timestamp()} {body}"
            self._wholes[post.id] = found
        return found

    def face(self, post: Post | None) -> str:
        """The revision of what lists show of a post; empty for none."""
        if post is None:
            return ""
        return self.whole(post) if self.own_templates else self._own_face(post)

    def _own_face(self, post: Post) -> str:
        if post.face:
            return post.face
        if post.id not in self._faces:
            self._faces[post.id] = face(post)
        return self._faces[post.id]


def face(post: Post) -> str:
    """The revision of all of a post but its body."""
    return digest(_FACE(post), [each and each.timestamp() for each in _INSTANTS(post)])


def digest(*values: object) -> str:
    """32 hexadecimal digits that two lists of values have in common only where their `repr`s are the same."""
    return sha256(repr(values).encode(errors="backslashreplace")).hexdigest()[:32]


def text_sha256(text: str) -> str:
    """Of a long text, whose `repr` would take five times as long, as hexadecimal."""
    return sha256(text.encode(errors="surrogatepass")).hexdigest()
