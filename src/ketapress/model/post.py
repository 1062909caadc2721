"""A post, and which posts may be seen.

A post never changes: an edit in `posts/` makes another value with the same id.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple


class Image(NamedTuple):
    """A picture that stands for a post: an absolute URL, and its size in CSS pixels where it is known."""

    url: str
    alt: str = ""
    width: int | None = None
    height: int | None = None


class Post(NamedTuple):
    """One dated article.

    `id` is pinned at first publication. `path` is the file inside `posts/`, with slashes. `url` is the page's path
    under the site's URL, percent-encoded, without a leading slash; it is pinned with the id.
    `html` is a sanitised fragment with absolute URLs whose headings start at h2; `summary` is plain text.
    `date` is what the author wrote. `published` is the instant at which the post became visible, None as long as it
    is a draft, held, or in the future. `updated` moves only when title or body change, and is distinct for each post.
    `in_editions` is False for a file that was already too old when it was first seen: it is on the web, in no mail.
    `files` are paths in `posts/` of what lies beside it and is copied to the site with it.
    `sha256` is of the title (when it is explicit) and the body as they were written, as hexadecimal. `html_sha256` is of
    `html`, and `face` stands for all but the body (`output.face`), where these are known already.
    """

    id: str
    path: str
    url: str
    title: str
    summary: str
    html: str
    date: datetime
    published: datetime | None
    updated: datetime
    sha256: str
    tags: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    lang: str | None = None
    dir: str | None = None
    image: Image | None = None
    canonical: str | None = None
    expires: datetime | None = None
    draft: bool = False
    hold: bool = False
    in_editions: bool = True
    aliases: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    html_sha256: str = ""
    face: str = ""

    def visible(self, now: datetime) -> bool:
        """Whether anybody but the editors may see it at `now`: in a page, a feed, a tag, a digest."""
        if self.draft or self.hold or self.published is None or self.published > now:
            return False
        return self.expires is None or now < self.expires


def visible_posts(posts: Iterable[Post], now: datetime) -> tuple[Post, ...]:
    """The posts that may be seen at `now`, newest first; equal instants in the order of their ids."""
    seen = [post for post in posts if post.visible(now)]
    return tuple(
        sorted(seen, key=lambda post: ((post.published or post.date).timestamp(), post.id), reverse=True)
    )


def next_change(posts: Iterable[Post], now: datetime) -> datetime | None:
    """The next instant at which other posts may be visible because of their dates; None where there is none."""
    moments = (moment for post in posts for moment in (post.date, post.published, post.expires))
    return min((moment for moment in moments if moment and moment > now), default=None)
