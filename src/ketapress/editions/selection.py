"""Select the posts of an edition, and say why others are excluded. `compose` and `explain` use the same rules."""

from collections.abc import Collection, Iterable

from ketapress.model.edition import Window
from ketapress.model.post import Post, visible_posts


def select_posts(
    posts: Iterable[Post], window: Window, sent_post_ids: Collection[str], tags: Collection[str]
) -> tuple[Post, ...]:
    """Return the posts of a window, newest first. `sent_post_ids` were sent in an earlier edition."""
    members = [post for post in posts if exclusion_reason(post, window, sent_post_ids, tags) is None]
    return visible_posts(members, window.end)


def exclusion_reason(
    post: Post, window: Window, sent_post_ids: Collection[str], tags: Collection[str]
) -> str | None:
    """Return why a post is not in the edition of a window, as a predicate for an editor; None where it is."""
    if post.draft:
        return "is a draft"
    if post.hold:
        return "is on hold"
    if post.id in sent_post_ids:
        return "was sent in an earlier edition"
    if not post.in_editions:
        return "was too old when it was first seen: it is only on the site"
    if tags and not set(tags) & set(post.tags):
        return f"has none of the tags {', '.join(sorted(tags))}"
    return _window_exclusion(post, window)


def _window_exclusion(post: Post, window: Window) -> str | None:
    moment = post.edition_date or post.published or post.date
    if moment > window.end:
        return f"is published after this window, on {moment:%Y-%m-%d %H:%M %Z}"
    if moment < window.start:
        return f"was published before this window, on {moment:%Y-%m-%d %H:%M %Z}"
    if post.expires is not None and post.expires <= window.end:
        return f"expired on {post.expires:%Y-%m-%d %H:%M %Z}"
    return None
