"""Which posts belong to an edition, and of each that does not, why. The same rules compose and `explain`."""

from collections.abc import Collection, Iterable

from ketapress.model.edition import Window
from ketapress.model.post import Post, visible_posts


def chosen(
    posts: Iterable[Post], window: Window, taken: Collection[str], tags: Collection[str]
) -> tuple[Post, ...]:
    """The posts of a window, newest first. `taken` are ids of posts that went out in an earlier edition."""
    fitting = [post for post in posts if exclusion(post, window, taken, tags) is None]
    return visible_posts(fitting, window.until)


def exclusion(post: Post, window: Window, taken: Collection[str], tags: Collection[str]) -> str | None:
    """Why a post is not in the edition of that window, as half a sentence for an editor; None where it is."""
    if post.draft:
        return "is a draft"
    if post.hold:
        return "is on hold"
    if post.id in taken:
        return "went out in an earlier edition"
    if not post.in_editions:
        return "was too old when it was first seen: it is in the archive only"
    if tags and not set(tags) & set(post.tags):
        return f"has none of the tags {', '.join(sorted(tags))}"
    return _outside(post, window)


def _outside(post: Post, window: Window) -> str | None:
    published = post.published or post.date
    if published > window.until:
        return f"is published after this slot, on {published:%Y-%m-%d %H:%M %Z}"
    if published < window.after:
        return f"was published before this window, on {published:%Y-%m-%d %H:%M %Z}"
    if post.expires is not None and post.expires <= window.until:
        return f"had expired, on {post.expires:%Y-%m-%d %H:%M %Z}"
    return None
