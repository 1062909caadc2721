"""Why each post is in an edition, or why not: the very rules that compose."""

from collections.abc import Sequence
from typing import NamedTuple

from ketapress.compose import ComposeContext, load_history
from ketapress.editions.planner import edition_window
from ketapress.editions.selection import exclusion_reason
from ketapress.model.edition import Decision, Slot, StoredEdition, Window
from ketapress.model.post import Post
from ketapress.model.settings import NewsletterSettings

_IN_WINDOW = "was published in this window and in no earlier edition"
_TOO_LATE = "belongs into this window, but came when the slot was decided already"


class PostExplanation(NamedTuple):
    """One post, whether it is in, and why in half a sentence."""

    post: Post
    is_included: bool
    reason: str


class EditionExplanation(NamedTuple):
    """What became of a slot, its window, and a reason for every post, newest first.

    The window is None where nobody knows it any more: of a slot without an edition, of a newsletter that is gone.
    """

    slot: Slot
    decision: Decision | None
    window: Window | None
    post_explanations: tuple[PostExplanation, ...]
    stored_edition: StoredEdition | None


def explain_edition(
    context: ComposeContext, newsletter: NewsletterSettings | None, slot: Slot, posts: Sequence[Post]
) -> EditionExplanation:
    """Of an edition that is decided, what its row says; of one to come, what would happen now.

    No newsletter: the settings have it no more, and only what was decided can be told.
    """
    stored_edition = context.store.editions.get(slot.newsletter, slot.key)
    window = (stored_edition and stored_edition.window) or (
        _compute_window(context, newsletter, slot) if newsletter else None
    )
    edition_post_ids = frozenset(stored_edition.post_ids) if stored_edition else frozenset()
    other_post_ids = context.store.editions.list_taken_post_ids(slot.newsletter) - edition_post_ids
    tags = newsletter.tags if newsletter else ()

    def explain_post(post: Post) -> PostExplanation:
        if post.id in edition_post_ids:
            return PostExplanation(post, is_included=True, reason="was chosen when the slot was decided")
        reason = (
            exclusion_reason(post, window, other_post_ids, tags)
            if window
            else "was not chosen when the slot was decided"
        )
        return PostExplanation(
            post,
            is_included=not (reason or stored_edition),
            reason=reason or (_TOO_LATE if stored_edition else _IN_WINDOW),
        )

    posts_by_date = sorted(posts, key=lambda post: (post.date.timestamp(), post.id), reverse=True)
    return EditionExplanation(
        slot,
        stored_edition.decision if stored_edition else None,
        window,
        tuple(map(explain_post, posts_by_date)),
        stored_edition,
    )


def _compute_window(context: ComposeContext, newsletter: NewsletterSettings, slot: Slot) -> Window:
    return edition_window(
        newsletter,
        context.settings.newsletter_zone(newsletter),
        load_history(context.store, newsletter),
        slot.at,
    )
