"""Act: an older copy of the database is known, sends nothing, and is brought up to what the outbox knows.

In: what composing needs, the posts, now. Out: what became of each edition. The outbox remembers how often sending was
started, and which editions went out (`outbox/record.py`): a store that remembers less is an older copy, and would
send them again. Nobody is mailed twice by what is done here; where it is not known who got an edition, a person says.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ketapress.compose import ComposeContext, render_edition
from ketapress.model.edition import EditionState, StoredEdition
from ketapress.model.errors import RefusedError
from ketapress.model.message import Digest
from ketapress.model.post import Post
from ketapress.outbox.sent_log import (
    SentLogEntry,
    older_copy_problem,
    raise_outbox_generation,
    read_generation,
    read_sent_log,
)
from ketapress.store.store import Store, restore_backup

_OPEN_STATES = frozenset(EditionState) - {EditionState.DONE, EditionState.CANCELLED}
_REASON_SENT = "it went out after this copy of the database was made, as outbox/ has it"
_REASON_STARTED = (
    "it began to go out after this copy of the database was made, and who got it is not known here"
)
_REASON_RESTORED = "the database was restored from an older copy"


class ReconciledEdition(NamedTuple):
    """What becomes of one edition of an older copy: its state, why, and how many deliveries that settles."""

    edition: str
    state: EditionState
    reason: str
    settled_count: int = 0
    in_doubt: bool = False


def refuse_older_copy(store: Store, root: Path) -> None:
    """Raises RefusedError where the outbox knows of more starts of sending than the store: it is an older copy."""
    if problem := older_copy_problem(root, store.generation):
        raise RefusedError(problem)


def raise_generation(store: Store, root: Path) -> None:
    """A copy of the database that was made before this is an older one from here on."""
    raise_outbox_generation(root, store.raise_generation())


def restore_database(file: Path, url: str, root: Path, now: datetime) -> Path | None:
    """Puts a backup in the place of the database, and marks it as an older copy; where the replaced one is now.

    The caller keeps all others out. Raises RefusedError and StoreError, as `store.restore` does.
    """
    replaced_path, generation = restore_backup(file, url, root, now)
    raise_outbox_generation(root, generation + 1)
    return replaced_path


def reconcile_with_outbox(
    context: ComposeContext, posts: Sequence[Post], now: datetime, *, dry_run: bool = False
) -> tuple[ReconciledEdition, ...]:
    """Brings an older copy up to what the outbox knows; from then on it may compose and send.

    What went out since is done, and its posts are taken. Where an edition was under way, everybody whose message was
    not settled in the copy is in doubt. What had not begun is held. Doing it twice changes nothing more.
    """
    log_entries = {
        edition.slot.edition: edition for edition in read_sent_log(context.root) if edition.has_started
    }
    stored_editions = context.store.editions.list_all()
    missing_editions = [
        edition
        for name, edition in log_entries.items()
        if name not in {stored_edition.slot.edition for stored_edition in stored_editions}
    ]
    open_editions = [edition for edition in reversed(stored_editions) if edition.state in _OPEN_STATES]
    reconciled = [
        _import_sent_edition(context, posts, edition, now, dry_run=dry_run) for edition in missing_editions
    ]
    reconciled += [
        _settle_open_edition(
            context.store, edition, log_entries.get(edition.slot.edition), now, dry_run=dry_run
        )
        for edition in open_editions
    ]
    if not dry_run:
        context.store.skip_ids()
        context.store.raise_generation(read_generation(context.root))
    return tuple(reconciled)


def _import_sent_edition(
    context: ComposeContext, posts: Sequence[Post], log_entry: SentLogEntry, now: datetime, *, dry_run: bool
) -> ReconciledEdition:
    """An edition that the copy has never heard of."""
    if not dry_run:
        context.store.editions.import_sent(
            log_entry.slot,
            window=log_entry.window,
            subject=log_entry.subject,
            post_ids=log_entry.post_ids,
            digest=_rebuild_digest(context, posts, log_entry),
            reason=_REASON_SENT,
            now=now,
        )
    return ReconciledEdition(log_entry.slot.edition, EditionState.DONE, _REASON_SENT)


def _rebuild_digest(context: ComposeContext, posts: Sequence[Post], log_entry: SentLogEntry) -> Digest | None:
    """Its letter and page, where newsletter and posts are still there: the same posts make the same letter."""
    newsletter = context.settings.newsletters.get(log_entry.slot.newsletter)
    by_id = {post.id: post for post in posts}
    edition_posts = [by_id[post_id] for post_id in log_entry.post_ids if post_id in by_id]
    if newsletter is None or log_entry.window is None or len(edition_posts) < len(log_entry.post_ids):
        return None
    _, digest = render_edition(context, newsletter, log_entry.slot, log_entry.window, edition_posts)
    return digest


def _settle_open_edition(
    store: Store,
    stored_edition: StoredEdition,
    log_entry: SentLogEntry | None,
    now: datetime,
    *,
    dry_run: bool,
) -> ReconciledEdition:
    """An edition that was not over when the copy was made."""
    has_started = stored_edition.state is EditionState.SENDING or any(
        store.deliveries.counts(stored_edition.id).values()
    )
    state, reason = _reconcile_state(stored_edition, log_entry, has_started=has_started)
    settled_count = 0
    if has_started and not dry_run:
        store.deliveries.freeze(
            stored_edition.id, stored_edition.slot.newsletter, now
        )  # whom a freeze in the copy had not come to
        settled_count = store.settle_older_copy(
            stored_edition.id, is_done=state is EditionState.DONE, evidence=_REASON_SENT
        )
    if not dry_run and state is not stored_edition.state:
        store.editions.transition(stored_edition.id, _OPEN_STATES, state, reason=reason, now=now)
    return ReconciledEdition(
        stored_edition.slot.edition,
        state,
        reason,
        settled_count,
        has_started and state is not EditionState.DONE,
    )


def _reconcile_state(
    stored_edition: StoredEdition, log_entry: SentLogEntry | None, *, has_started: bool
) -> tuple[EditionState, str]:
    """Where an open edition of the copy stands, after what the outbox knows of it."""
    if log_entry is not None and log_entry.is_finished:
        return EditionState.DONE, _REASON_SENT
    if log_entry is not None and not has_started:
        return EditionState.HELD, _REASON_STARTED
    if stored_edition.state is EditionState.READY:
        return EditionState.HELD, _REASON_RESTORED
    return stored_edition.state or EditionState.BUILDING, stored_edition.reason
