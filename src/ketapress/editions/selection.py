"""Select the posts of an edition, and say why others are excluded. `compose` and `explain` use the same rules."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from ketapress.model.edition import Window
from ketapress.model.post import Post, visible_posts
from ketapress.model.tags import has_tag
from ketapress.model.visibility import PostVisibility


class Candidates(NamedTuple):
    """What is known of posts beside their files: their visibility, and which an earlier edition returned.

    `starts` is the newsletter's first moment: older posts are its archive. So are those that were visible before
    `added_at`, when the newsletter was added to a publication that had others or posts already. `now` is the moment of
    composing, at which a post has to be visible as well as at the slot; None where only the slot counts.
    """

    records: Mapping[str, PostVisibility] = {}
    returned_ids: Collection[str] = ()
    starts: datetime | None = None
    added_at: datetime | None = None
    now: datetime | None = None


NO_RECORDS = Candidates()


def select_posts(
    posts: Iterable[Post],
    window: Window,
    sent_post_ids: Collection[str],
    tags: Collection[str],
    candidates: Candidates = NO_RECORDS,
) -> tuple[Post, ...]:
    """Return the posts of a window, newest first. `sent_post_ids` are in an earlier edition."""
    members = [
        post for post in posts if exclusion_reason(post, window, sent_post_ids, tags, candidates) is None
    ]
    return visible_posts(members, window.end)


def exclusion_reason(
    post: Post,
    window: Window,
    sent_post_ids: Collection[str],
    tags: Collection[str],
    candidates: Candidates = NO_RECORDS,
) -> str | None:
    """Return why a post is not in the edition of that window, as a predicate for an editor; None if it is."""
    if post.draft:
        return "is a draft"
    if post.hold:
        return "is on hold"
    if post.id in sent_post_ids:
        return "was sent in an earlier edition"
    if not post.in_editions:
        return "was too old when it was first seen: it is only on the site"
    if tags and not has_tag(post.tags, tags):
        return f"has none of the tags {', '.join(sorted(tags))}"
    return _date_exclusion(post, window, candidates) or _window_exclusion(post, window, candidates)


def visible_since(post: Post, records: Mapping[str, PostVisibility]) -> datetime:
    """Return since when a post is visible, or when it will be: its date, unless it was hidden after that."""
    moment = max(post.edition_date or post.published or post.date, post.date)
    record = records.get(post.id)
    return record.since if record and record.hidden_at is None else moment


def _date_exclusion(post: Post, window: Window, candidates: Candidates) -> str | None:
    """Return why the post's own dates exclude it."""
    if candidates.starts is not None and post.date < candidates.starts:
        return f"is older than the newsletter, which starts on {candidates.starts:%Y-%m-%d %H:%M %Z}"
    if post.date > window.end:
        return f"is published after this window, on {post.date:%Y-%m-%d %H:%M %Z}"
    if post.expires is not None and post.expires <= max(window.end, candidates.now or window.end):
        return f"expired on {post.expires:%Y-%m-%d %H:%M %Z}"
    return None


def _window_exclusion(post: Post, window: Window, candidates: Candidates) -> str | None:
    """Return why the post became visible too late or too early."""
    since = visible_since(post, candidates.records)
    if since > window.end:
        return f"was published after this window, on {since:%Y-%m-%d %H:%M %Z}"
    if post.id in candidates.returned_ids:
        return None
    if since < window.start:
        return f"was published before this window, on {since:%Y-%m-%d %H:%M %Z}"
    record = candidates.records.get(post.id)
    if record and candidates.added_at is not None and record.first_at < candidates.added_at:
        return f"was published before this newsletter was added, on {candidates.added_at:%Y-%m-%d %H:%M %Z}"
    return None
