"""Explain why each post is in an edition or not, with the rules that compose it."""

from collections.abc import Sequence
from typing import NamedTuple

from ketapress.compose import ComposeContext, load_history
from ketapress.editions.planner import edition_window
from ketapress.editions.selection import exclusion_reason
from ketapress.model.edition import Decision, Slot, StoredEdition, Window
from ketapress.model.post import Post
from ketapress.model.settings import NewsletterSettings

_IN_WINDOW = "was published in this window, and in no earlier edition"
_TOO_LATE = "is in this window, but was added after the send time was processed"


class PostExplanation(NamedTuple):
    """A post, whether the edition includes it, and the reason as a predicate ("was published ...")."""

    post: Post
    is_included: bool
    reason: str


class EditionExplanation(NamedTuple):
    """The decision on a slot, its window, and an explanation of every post, newest first.

    The window is None where it is unknown: for a slot without an edition of a newsletter that the settings no longer have.
    """

    slot: Slot
    decision: Decision | None
    window: Window | None
    post_explanations: tuple[PostExplanation, ...]
    stored_edition: StoredEdition | None


def explain_edition(
    context: ComposeContext, newsletter: NewsletterSettings | None, slot: Slot, posts: Sequence[Post]
) -> EditionExplanation:
    """Explain a decided slot by its row in the store, and a future one by what composing it now would do.

    `newsletter` is None where the settings no longer have it; then only the row is known.
    """
    stored_edition = context.store.editions.get(slot.newsletter, slot.key)
    window = stored_edition.window if stored_edition else None
    if window is None and newsletter:
        zone = context.settings.newsletter_zone(newsletter)
        window = edition_window(newsletter, zone, load_history(context.store, newsletter), slot.at)
    edition_post_ids = frozenset(stored_edition.post_ids) if stored_edition else frozenset()
    other_post_ids = context.store.editions.list_taken_post_ids(slot.newsletter) - edition_post_ids
    tags = newsletter.tags if newsletter else ()

    def explain_post(post: Post) -> PostExplanation:
        if post.id in edition_post_ids:
            return PostExplanation(post, is_included=True, reason="was selected for this edition")
        reason = (
            exclusion_reason(post, window, other_post_ids, tags)
            if window
            else "was not selected for this edition"
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
