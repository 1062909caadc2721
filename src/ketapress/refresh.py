"""Compare editions that wait with their inputs, and render them again before they are sent.

What an author withdraws is not sent: a post that is missing, a draft, on hold or expired leaves, changed words are taken,
and one that left may return; no other joins. What looks like an accident holds the edition until it is mended. An edition
that a person held stays held. One that was approved needs approval again if its text has changed.

The outbox folder is replaced first, then one commit changes message, state and hash of the inputs: after a crash between
the two the hash is still the old one, and the next comparison does both again.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from ketapress.compose import (
    ComposeContext,
    ComposedEdition,
    input_hash,
    outbox_files,
    render_edition,
    with_initial_state,
)
from ketapress.editions.planner import send_deadline
from ketapress.editions.selection import Candidates, exclusion_reason
from ketapress.model.edition import EditionState, StoredEdition, Window
from ketapress.model.errors import KetapressError, Problem, RefusedError, Severity
from ketapress.model.post import Post
from ketapress.model.settings import NewsletterSettings
from ketapress.outbox.writer import has_edition_folder, read_edition_files, write_edition
from ketapress.posts.identity.registry import read_registry
from ketapress.posts.library import Library, is_error
from ketapress.system.git import has_git_lock

REFRESHABLE_STATES = (EditionState.READY, EditionState.HELD, EditionState.AWAITING_APPROVAL)
_FAULT_PREFIX = "its posts cannot be trusted now: "
"""How the reason of a hold begins that the comparison made, and that it lifts once the cause is gone."""
_OLD_REFRESH_REASON = "it is being refreshed; if no command is running, run `outbox refresh` again"
"""The reason of a hold by an older version, whose refresh was killed."""


class _Members(NamedTuple):
    """The posts of an edition that belong in it now, and why others are in doubt; empty if none are."""

    posts: tuple[Post, ...]
    fault: str = ""


def refresh_waiting(
    context: ComposeContext, library: Library, now: datetime, *, dry_run: bool = False
) -> tuple[Problem, ...]:
    """Compare the waiting editions that this folder composed with their inputs, and refresh what has changed.

    Return a problem for each edition that this holds. A dry run changes nothing.
    """
    problems: list[Problem] = []
    for stored_edition in context.store.editions.list_unfrozen(REFRESHABLE_STATES):
        newsletter = context.settings.newsletters.get(stored_edition.slot.newsletter)
        if newsletter and stored_edition.window and is_own(context, stored_edition):
            try:
                members = _find_members(
                    context, newsletter, stored_edition, stored_edition.window, library, now
                )
                if members.fault:
                    fault = members.fault
                elif not dry_run and _is_changed(context, newsletter, stored_edition, members.posts):
                    _take_changes(
                        context, newsletter, stored_edition, stored_edition.window, members.posts, now
                    )
                    continue
                else:
                    continue
            except RefusedError:
                continue  # another process changed the edition first
            except KetapressError as error:
                fault = error.problems[0].message.rstrip(".")
            problems += hold_for_fault(context, stored_edition, fault, now, dry_run=dry_run)
    return tuple(problems)


def is_own(context: ComposeContext, stored_edition: StoredEdition) -> bool:
    """Return whether an edition waits, and this folder composed it; without a record, whether its outbox folder is here."""
    if stored_edition.state not in REFRESHABLE_STATES:
        return False
    if stored_edition.folder is None:
        return has_edition_folder(context.root, stored_edition.slot)
    return stored_edition.folder == context.folder_id


def hold_for_fault(
    context: ComposeContext,
    stored_edition: StoredEdition,
    fault: str,
    now: datetime,
    *,
    dry_run: bool = False,
) -> tuple[Problem, ...]:
    """Hold an edition because of what looks like an accident. Return the problem; none if it is held already."""
    if stored_edition.state is EditionState.HELD and not _is_held_for_fault(stored_edition):
        return ()
    reason = f"{_FAULT_PREFIX}{fault}"
    if not dry_run and not context.store.editions.transition(
        stored_edition.id,
        [stored_edition.state or EditionState.READY],
        EditionState.HELD,
        reason=reason,
        now=now,
    ):
        return ()
    name = stored_edition.slot.edition
    return (
        Problem(
            code="edition.fault",
            severity=Severity.WARNING,
            needs_answer=True,
            path=f"outbox/{name}",
            message=f"{name} is held: {reason}.",
            cure=f"Restore the posts; the next `publish` goes on. Or run `ketapress outbox release {name}` to send what "
            f"was composed, or `ketapress outbox cancel {name}`.",
        ),
    )


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
    if newsletter is None or stored_edition.window is None or stored_edition.state not in REFRESHABLE_STATES:
        raise RefusedError(_too_late_problem(stored_edition))
    remaining_posts = _select_members(context, newsletter, stored_edition, stored_edition.window, posts, now)
    if not remaining_posts:
        name = stored_edition.slot.edition
        raise RefusedError(
            Problem(
                code="edition.empty",
                message=f"{name} has no posts any more: each is missing, a draft, on hold or expired.",
                cure=f"Cancel it with `ketapress outbox cancel {name}`, or restore a post and refresh it again.",
            )
        )
    composed_edition = _render(
        context, newsletter, stored_edition, stored_edition.window, remaining_posts, now
    )
    if stored_edition.is_held_by_person:
        composed_edition = composed_edition._replace(state=EditionState.HELD, reason=stored_edition.reason)
    if not dry_run:
        _replace_edition(context, newsletter, stored_edition, composed_edition, now)
    return composed_edition


def _find_members(
    context: ComposeContext,
    newsletter: NewsletterSettings,
    stored_edition: StoredEdition,
    window: Window,
    library: Library,
    now: datetime,
) -> _Members:
    """Return the posts that belong in the edition now, or what looks like an accident."""
    if has_git_lock(context.root):
        return _Members((), "git is changing the folder (.git/index.lock)")
    library_ids = {post.id for post in library.posts}
    missing_ids = [post_id for post_id in stored_edition.post_ids if post_id not in library_ids]
    if missing_ids:
        paths = {entry.id: f"posts/{entry.path}" for entry in read_registry(context.root).entries}
        for problem in library.problems:
            if is_error(problem) and problem.path:
                for post_id in missing_ids:
                    path = paths.get(post_id, "")
                    if path == problem.path or path.startswith(f"{problem.path}/"):
                        return _Members((), f"{problem.where}: {problem.message.rstrip('.')}")
    if len(missing_ids) > 1 and 2 * len(missing_ids) > len(stored_edition.post_ids):
        return _Members((), f"{len(missing_ids)} of its {len(stored_edition.post_ids)} posts are missing")
    posts = _select_members(context, newsletter, stored_edition, window, library.posts, now)
    if not posts:
        return _Members((), "none of them is left: each is missing, a draft, on hold or expired")
    return _Members(posts)


def _select_members(
    context: ComposeContext,
    newsletter: NewsletterSettings,
    stored_edition: StoredEdition,
    window: Window,
    posts: Sequence[Post],
    now: datetime,
) -> tuple[Post, ...]:
    """Return the posts of the first choice that still belong in the edition, and are in no other."""
    by_id = {post.id: post for post in posts}
    post_slots = context.store.editions.list_post_slots(newsletter.name)
    other_ids = {post_id for post_id, slot in post_slots.items() if slot != stored_edition.slot}
    candidates = Candidates(returned_ids=stored_edition.chosen_ids, now=now)
    return tuple(
        by_id[post_id]
        for post_id in stored_edition.chosen_ids
        if post_id in by_id
        and exclusion_reason(by_id[post_id], window, other_ids, newsletter.tags, candidates) is None
    )


def _is_changed(
    context: ComposeContext,
    newsletter: NewsletterSettings,
    stored_edition: StoredEdition,
    posts: Sequence[Post],
) -> bool:
    """Return whether the inputs differ from those of the message, or a hold of the comparison has no cause any more."""
    if _is_held_for_fault(stored_edition):
        return True
    return input_hash(context, newsletter, posts) != stored_edition.input_hash


def _is_held_for_fault(stored_edition: StoredEdition) -> bool:
    return stored_edition.state is EditionState.HELD and (
        stored_edition.reason.startswith(_FAULT_PREFIX) or stored_edition.reason == _OLD_REFRESH_REASON
    )


def _take_changes(
    context: ComposeContext,
    newsletter: NewsletterSettings,
    stored_edition: StoredEdition,
    window: Window,
    posts: Sequence[Post],
    now: datetime,
) -> None:
    """Render an edition from changed inputs. A hold for another reason stays; the same message keeps its state."""
    # An edition past its deadline stays public; it is held when its sending would start.
    moment = min(now, stored_edition.send_deadline or now)
    composed_edition = _render(context, newsletter, stored_edition, window, posts, moment)
    is_lifted = _is_held_for_fault(stored_edition)
    template = context.store.editions.get_message_template(stored_edition.id)
    if template == composed_edition.digest.message_template and not is_lifted:
        new_hash = input_hash(context, newsletter, composed_edition.edition.posts)
        context.store.editions.save_input_hash(stored_edition.id, new_hash, context.folder_id)
        return
    if stored_edition.state is EditionState.HELD and not is_lifted:
        composed_edition = composed_edition._replace(state=EditionState.HELD, reason=stored_edition.reason)
    _replace_edition(context, newsletter, stored_edition, composed_edition, now)


def _render(
    context: ComposeContext,
    newsletter: NewsletterSettings,
    stored_edition: StoredEdition,
    window: Window,
    posts: Sequence[Post],
    now: datetime,
) -> ComposedEdition:
    edition_and_digest = render_edition(context, newsletter, stored_edition.slot, window, posts)
    deadline = stored_edition.send_deadline or send_deadline(
        newsletter, context.settings.newsletter_zone(newsletter), stored_edition.slot
    )
    return with_initial_state(context, newsletter, edition_and_digest, deadline, now)


def _replace_edition(
    context: ComposeContext,
    newsletter: NewsletterSettings,
    stored_edition: StoredEdition,
    composed_edition: ComposedEdition,
    now: datetime,
) -> None:
    """Replace the outbox folder, then message, posts, state and hash in one commit.

    Raises RefusedError, and restores the folder, if the edition was changed or frozen meanwhile.
    """
    old_files = read_edition_files(context.root, stored_edition.slot)
    write_edition(
        context.root, stored_edition.slot, outbox_files(context.settings, newsletter, composed_edition)
    )
    is_saved = context.store.editions.save_message(
        stored_edition.id,
        composed_edition.state,
        from_states=[stored_edition.state or EditionState.HELD],
        subject=composed_edition.digest.subject,
        digest=composed_edition.digest,
        post_ids=[post.id for post in composed_edition.edition.posts],
        reason=composed_edition.reason,
        input_hash=input_hash(context, newsletter, composed_edition.edition.posts),
        folder=context.folder_id,
        expected_hash=stored_edition.input_hash,
        now=now,
    )
    if not is_saved:
        if old_files:
            write_edition(context.root, stored_edition.slot, old_files)
        raise RefusedError(_too_late_problem(stored_edition))


def _too_late_problem(stored_edition: StoredEdition) -> Problem:
    return Problem(
        code="edition.refresh",
        message=f"{stored_edition.slot.edition} is {stored_edition.state}; an edition can be refreshed only before it is sent.",
        cure="Sent messages cannot be changed; write a post with the correction for the next edition.",
    )
