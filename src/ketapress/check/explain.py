"""Explain why each post is in an edition or not, with the rules that compose it."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from ketapress.compose import ComposeContext, load_history, load_memory
from ketapress.editions.planner import edition_window
from ketapress.editions.selection import NO_RECORDS, exclusion_reason
from ketapress.editions.slots import local_midnight
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
    context: ComposeContext,
    newsletter: NewsletterSettings | None,
    slot: Slot,
    posts: Sequence[Post],
    now: datetime,
) -> EditionExplanation:
    """Explain a decided slot by its row in the store, and a future one by what composing it would do as of `now`.

    `newsletter` is None where the settings no longer have it; then only the row is known.
    """
    editions = context.store.editions
    stored_edition = editions.get(slot.newsletter, slot.key) or editions.get_range(slot)
    window = stored_edition.window if stored_edition else None
    candidates = NO_RECORDS
    if newsletter:
        zone = context.settings.newsletter_zone(newsletter)
        memory = load_memory(context, posts, now, dry_run=True)
        history = load_history(context.store, newsletter, memory, None if stored_edition else now)
        candidates = history.candidates._replace(starts=local_midnight(newsletter.starts, zone))
        if window is None:
            last_composed = editions.get_newest_composed_at(newsletter.name, before=slot.at)
            window = edition_window(newsletter, zone, history._replace(last_composed=last_composed), slot.at)
    edition_post_ids = frozenset(stored_edition.post_ids) if stored_edition else frozenset()
    post_slots = editions.list_post_slots(slot.newsletter)
    tags = newsletter.tags if newsletter else ()

    def explain_post(post: Post) -> PostExplanation:
        post_slot = post_slots.get(post.id)
        if post.id in edition_post_ids and (post_slot is None or post_slot == slot):
            return PostExplanation(post, is_included=True, reason="was selected for this edition")
        if post_slot:
            order = "a later" if post_slot.at > slot.at else "an earlier"
            reason: str | None = f"was selected for {order} edition, {post_slot.edition}"
        elif window:
            reason = exclusion_reason(post, window, (), tags, candidates)
        else:
            reason = "was not selected for this edition"
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
