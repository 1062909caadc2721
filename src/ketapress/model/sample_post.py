"""The post that `init` writes, and the hashes by which one that was not edited is recognized."""

from datetime import date
from hashlib import sha256

_TITLE = "Welcome"
_BODY = """This is a sample post. It is a plain file in `posts/`, and everything else is built from it: a page, three feeds,
and the next edition of the newsletter.

Replace it with your own first post: edit this file, or delete it and add another. A post's date is in its header, its
first line or its file name; `ketapress check` reports problems.
"""
_BODY_OF_0_1 = """This is the first post of a new publication. It stands in `posts/` as a plain file, and everything else is made of it:
a page, three feeds, and the next edition of the newsletter.

Write another beside it. Its name or its first line says when it appears, and `ketapress check` says what is wrong.
"""


def sample_post(day: date) -> tuple[str, str]:
    """Return the name and the text of the sample post of a new publication."""
    header = f"---\ntitle: {_TITLE}\ndate: {day.isoformat()} 00:00\ntags: [news]\n---\n"
    return f"{day.isoformat()}-welcome.md", header + _BODY


SAMPLE_POST_HASHES = frozenset(
    sha256(f"{_TITLE}\0{body}".encode()).hexdigest() for body in (_BODY, _BODY_OF_0_1)
)
"""The content hashes, as in the registry of IDs, of sample posts that were not edited."""
