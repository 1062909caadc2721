"""Why each post is in an edition, or why not: the very rules that compose."""

from collections.abc import Sequence
from dataclasses import dataclass

from ketapress.compose import Press, history
from ketapress.editions.choose import exclusion
from ketapress.editions.plan import window_for
from ketapress.model.edition import Decision, Slot, StoredEdition, Window
from ketapress.model.post import Post
from ketapress.model.settings import NewsletterSettings


@dataclass(frozen=True, slots=True)
class Reason:
    """One post, whether it is in, and why in half a sentence."""

    post: Post
    included: bool
    why: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What became of a slot, its window, and a reason for every post, newest first."""

    slot: Slot
    decided: Decision | None
    window: Window
    reasons: tuple[Reason, ...]
    stored: StoredEdition | None


def explanation(
    press: Press, newsletter: NewsletterSettings, slot: Slot, posts: Sequence[Post]
) -> Explanation:
    """Of an edition that is decided, what its row says; of one to come, what would happen now."""
    stored = press.store.editions.get(slot.newsletter, slot.key)
    past = history(press.store, newsletter)
    window = (stored and stored.window) or window_for(
        newsletter, press.settings.zone(newsletter), past, slot.at
    )
    mine = frozenset(stored.post_ids) if stored else frozenset()
    ordered = sorted(posts, key=lambda post: (post.date.timestamp(), post.id), reverse=True)
    reasons = tuple(_reason(post, window, mine, past.taken - mine, newsletter) for post in ordered)
    return Explanation(slot, stored.decision if stored else None, window, reasons, stored)


def _reason(
    post: Post, window: Window, mine: frozenset[str], taken: frozenset[str], newsletter: NewsletterSettings
) -> Reason:
    if post.id in mine:
        return Reason(post, included=True, why="was chosen when the slot was decided")
    why = exclusion(post, window, taken, newsletter.tags)
    return Reason(
        post, included=why is None, why=why or "was published in this window and in no earlier edition"
    )
