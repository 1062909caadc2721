"""A post, and the rule which posts are visible.

A post is a value: an edit in `posts/` makes another value with the same id.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple


class Image(NamedTuple):
    """The picture of a post: an absolute URL, and its size in CSS pixels; None where the size is not known."""

    url: str
    alt: str = ""
    width: int | None = None
    height: int | None = None


class Post(NamedTuple):
    """One dated article.

    `id` is assigned at first publication and never changes. `path` is the file inside `posts/`, with slashes. `url` is
    the path of its page under the site's URL, percent-encoded, without a leading slash; it is assigned with the id.
    `html` is a sanitized fragment with absolute URLs whose headings start at h2; `summary` is plain text.
    `date` is what the author wrote. `published` is the instant at which the post became visible; None while it is a
    draft, held, or in the future. `updated` changes only when title or body change, and differs for each post.
    `in_editions` is False for a file that was already too old when it was first read: it is on the site, in no mail.
    `files` are paths in `posts/` of the attachments that are copied to the site with it.
    `sha256` is of the title (where it is explicit) and the body as they were written, in hexadecimal. `html_sha256` is of
    `html`, and `face` is the digest of all but the body (`digests.listing_fingerprint`); empty where they are not known.
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
        """Return whether it may appear at `now` in a page, a feed, a tag or a digest."""
        if self.draft or self.hold or self.published is None or max(self.published, self.date) > now:
            return False
        return self.expires is None or now < self.expires


def visible_posts(posts: Iterable[Post], now: datetime) -> tuple[Post, ...]:
    """Return the posts that are visible at `now`, newest first; those of one instant by their ids, backwards."""
    visible = [post for post in posts if post.visible(now)]
    return tuple(
        sorted(visible, key=lambda post: ((post.published or post.date).timestamp(), post.id), reverse=True)
    )


def next_change(posts: Iterable[Post], now: datetime) -> datetime | None:
    """Return the next instant at which other posts are visible because of their dates; None where there is none."""
    instants = (instant for post in posts for instant in (post.date, post.published, post.expires))
    return min((instant for instant in instants if instant and instant > now), default=None)
