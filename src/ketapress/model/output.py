"""A file of `public/` before it is made: where it stands, what its bytes depend on, and how they are made.

So that what has not changed is never made again, whoever makes it has to say beforehand what it shows.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from hashlib import sha256
from operator import attrgetter

from ketapress.model.post import Post

_ABOUT = attrgetter(*(each.name for each in fields(Post) if each.name != "html"))


@dataclass(frozen=True, slots=True)
class Output:
    """One file: its path under `public/`, with slashes, not encoded.

    Outputs of one path and one key have the same bytes.
    """

    path: str
    key: str
    make: Callable[[], bytes]


class Keys:
    """The keys of one build's outputs, each from the site and from what the output shows.

    `site` stands for what all outputs depend on: settings, templates, programs. What an output shows of a post may be
    all of it, because templates belong to the editors; so a post has one revision, and it is reckoned once.
    """

    def __init__(self, site: str) -> None:
        self._site = site
        self._revisions: dict[str, str] = {}

    def of(self, *shown: object) -> str:
        """A key from values whose `repr` tells all: texts, revisions, settings."""
        return digest(self._site, *shown)

    def post(self, post: Post | None) -> str:
        """The revision of a post; empty for none."""
        if post is None:
            return ""
        if post.id not in self._revisions:
            self._revisions[post.id] = digest(_ABOUT(post), text=post.html)
        return self._revisions[post.id]

    def posts(self, posts: Iterable[Post]) -> str:
        """The revision of a list of posts."""
        return digest(*map(self.post, posts))


def digest(*values: object, text: str = "") -> str:
    """32 hexadecimal digits that two lists of values have in common only where their `repr`s are the same.

    `text` is a long text beside them: its `repr` would take five times as long as its hash.
    """
    found = sha256(repr(values).encode(errors="backslashreplace"))
    found.update(text.encode(errors="surrogatepass"))
    return found.hexdigest()[:32]
