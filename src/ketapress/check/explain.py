"""Why each post is in an edition, or why not: the very rules that compose."""

from collections.abc import Sequence
from typing import NamedTuple

from ketapress.compose import Press, history
from ketapress.editions.planner import window_for
from ketapress.editions.selection import exclusion
from ketapress.model.edition import Decision, Slot, StoredEdition, Window
from ketapress.model.post import Post
from ketapress.model.settings import NewsletterSettings

_CHOSEN = "was published in this window and in no earlier edition"
_LATER = "belongs into this window, but came when the slot was decided already"


class Reason(NamedTuple):
    """One post, whether it is in, and why in half a sentence."""

    post: Post
    included: bool
    why: str


class Explanation(NamedTuple):
    """What became of a slot, its window, and a reason for every post, newest first.

    The window is None where nobody knows it any more: of a slot without an edition, of a newsletter that is gone.
    """

    slot: Slot
    decided: Decision | None
    window: Window | None
    reasons: tuple[Reason, ...]
    stored: StoredEdition | None


def explanation(
    press: Press, newsletter: NewsletterSettings | None, slot: Slot, posts: Sequence[Post]
) -> Explanation:
    """Of an edition that is decided, what its row says; of one to come, what would happen now.

    No newsletter: the settings have it no more, and only what was decided can be told.
    """
    stored = press.store.editions.get(slot.newsletter, slot.key)
    window = (stored and stored.window) or (_window(press, newsletter, slot) if newsletter else None)
    mine = frozenset(stored.post_ids) if stored else frozenset()
    taken = press.store.editions.taken_posts(slot.newsletter) - mine
    tags = newsletter.tags if newsletter else ()

    def reason(post: Post) -> Reason:
        if post.id in mine:
            return Reason(post, included=True, why="was chosen when the slot was decided")
        why = exclusion(post, window, taken, tags) if window else "was not chosen when the slot was decided"
        return Reason(post, included=not (why or stored), why=why or (_LATER if stored else _CHOSEN))

    ordered = sorted(posts, key=lambda post: (post.date.timestamp(), post.id), reverse=True)
    return Explanation(slot, stored.decision if stored else None, window, tuple(map(reason, ordered)), stored)


def _window(press: Press, newsletter: NewsletterSettings, slot: Slot) -> Window:
    return window_for(newsletter, press.settings.zone(newsletter), history(press.store, newsletter), slot.at)
