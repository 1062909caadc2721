"""Render an edition again before it is sent, after its posts, settings or templates were corrected.

The edition keeps its posts, except those that are missing, drafts, on hold or expired, which the next edition may have.
An edition that a person held stays held. One that was approved needs approval again, because its text has changed.
"""

from collections.abc import Sequence
from datetime import datetime

from ketapress.compose import (
    ComposeContext,
    ComposedEdition,
    outbox_files,
    render_edition,
    with_initial_state,
)
from ketapress.editions.planner import send_deadline
from ketapress.editions.selection import exclusion_reason
from ketapress.model.edition import EditionState, StoredEdition, Window
from ketapress.model.errors import Problem, RefusedError
from ketapress.model.post import Post
from ketapress.model.settings import NewsletterSettings
from ketapress.outbox.writer import write_edition

_REFRESHABLE_STATES = (EditionState.READY, EditionState.HELD, EditionState.AWAITING_APPROVAL)
_REFRESH_IN_PROGRESS = "it is being refreshed; if no command is running, run `outbox refresh` again"


def refresh_edition(
    context: ComposeContext,
    posts: Sequence[Post],
    stored_edition: StoredEdition,
    now: datetime,
    *,
    dry_run: bool = False,
) -> ComposedEdition:
    """Replace the edition's message and outbox folder, and return the new edition. A dry run writes nothing.

    Raises RefusedError if sending has started, or no post is left.
    """
    newsletter = context.settings.newsletters.get(stored_edition.slot.newsletter)
    if newsletter is None or stored_edition.window is None or stored_edition.state not in _REFRESHABLE_STATES:
        raise RefusedError(_too_late_problem(stored_edition))
    remaining_posts = _select_remaining_posts(newsletter, stored_edition, stored_edition.window, posts)
    edition_and_digest = render_edition(
        context, newsletter, stored_edition.slot, stored_edition.window, remaining_posts
    )
    deadline = stored_edition.send_deadline or send_deadline(
        newsletter, context.settings.newsletter_zone(newsletter), stored_edition.slot
    )
    composed_edition = with_initial_state(context, newsletter, edition_and_digest, deadline, now)
    if stored_edition.is_held_by_person:
        composed_edition = composed_edition._replace(state=EditionState.HELD, reason=stored_edition.reason)
    if not dry_run:
        _replace_edition(context, newsletter, stored_edition, composed_edition, now)
    return composed_edition


def _select_remaining_posts(
    newsletter: NewsletterSettings, stored_edition: StoredEdition, window: Window, posts: Sequence[Post]
) -> list[Post]:
    """Return the edition's posts that still belong in it. Raises RefusedError if there are none."""
    by_id = {post.id: post for post in posts}
    existing_posts = [by_id[post_id] for post_id in stored_edition.post_ids if post_id in by_id]
    remaining_posts = [
        post for post in existing_posts if exclusion_reason(post, window, (), newsletter.tags) is None
    ]
    if not remaining_posts:
        name = stored_edition.slot.edition
        raise RefusedError(
            Problem(
                code="edition.empty",
                message=f"{name} has no posts any more: each is missing, a draft, on hold or expired.",
                cure=f"Cancel it with `ketapress outbox cancel {name}`, or restore a post and refresh it again.",
            )
        )
    return remaining_posts


def _replace_edition(
    context: ComposeContext,
    newsletter: NewsletterSettings,
    stored_edition: StoredEdition,
    composed_edition: ComposedEdition,
    now: datetime,
) -> None:
    """Hold the edition while folder and row differ, so that no process sends it meanwhile, or after a crash."""
    hold_reason = stored_edition.reason if stored_edition.is_held_by_person else _REFRESH_IN_PROGRESS
    editions = context.store.editions
    if not editions.transition(
        stored_edition.id, _REFRESHABLE_STATES, EditionState.HELD, reason=hold_reason, now=now
    ):
        raise RefusedError(_too_late_problem(stored_edition))
    write_edition(
        context.root, stored_edition.slot, outbox_files(context.settings, newsletter, composed_edition)
    )
    is_saved = editions.save_message(
        stored_edition.id,
        composed_edition.state,
        from_states=(EditionState.HELD,),
        subject=composed_edition.digest.subject,
        digest=composed_edition.digest,
        post_ids=[post.id for post in composed_edition.edition.posts],
        reason=composed_edition.reason,
        now=now,
    )
    if not is_saved:
        raise RefusedError(_too_late_problem(stored_edition))


def _too_late_problem(stored_edition: StoredEdition) -> Problem:
    return Problem(
        code="edition.refresh",
        message=f"{stored_edition.slot.edition} is {stored_edition.state}; an edition can be refreshed only before it is sent.",
        cure="Sent messages cannot be changed; write a post with the correction for the next edition.",
    )
