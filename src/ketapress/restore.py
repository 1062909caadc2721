"""Detect an older copy of the database, stop it from sending, and reconcile it with the outbox.

The outbox records how often sending was started, and which editions were sent (`outbox/sent_log.py`). A database with
a smaller count is an older copy, and would send editions twice. Reconciling sends no message twice: where the outbox
does not say who received an edition, a person decides.
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
_REASON_SENT = "it was sent after this copy of the database was made, according to outbox/"
_REASON_STARTED = "sending started after this copy of the database was made, and its recipients are unknown"
_REASON_RESTORED = "the database was restored from a backup"


class ReconciledEdition(NamedTuple):
    """The new state of an edition in an older copy, the reason, and the number of deliveries that this ends.

    `in_doubt` says that a person has to resolve these deliveries.
    """

    edition: str
    state: EditionState
    reason: str
    settled_count: int = 0
    in_doubt: bool = False


def refuse_older_copy(store: Store, root: Path) -> None:
    """Raise RefusedError if the store is an older copy: the outbox records more starts of sending than it."""
    if problem := older_copy_problem(root, store.generation):
        raise RefusedError(problem)


def raise_generation(store: Store, root: Path) -> None:
    """Raise the generation of store and outbox, so that every earlier copy of the database is an older copy."""
    raise_outbox_generation(root, store.raise_generation())


def restore_database(file: Path, url: str, root: Path, now: datetime) -> Path | None:
    """Replace the database with a backup, and mark it as an older copy. Return the new path of the replaced database.

    None if there was none. The caller locks out other processes. Raises RefusedError and StoreError, as
    `restore_backup` does.
    """
    replaced_path, generation = restore_backup(file, url, root, now)
    raise_outbox_generation(root, generation + 1)
    return replaced_path


def reconcile_with_outbox(
    context: ComposeContext, posts: Sequence[Post], now: datetime, *, dry_run: bool = False
) -> tuple[ReconciledEdition, ...]:
    """Reconcile an older copy with the outbox, after which it may compose and send. Can be repeated.

    Editions that were sent since are DONE, with their posts. Open deliveries of an edition that was being sent are in
    doubt. Editions whose sending had not started are held. A dry run writes nothing.
    """
    log_entries = {
        log_entry.slot.edition: log_entry
        for log_entry in read_sent_log(context.root)
        if log_entry.has_started
    }
    stored_editions = context.store.editions.list_all()
    stored_names = {stored_edition.slot.edition for stored_edition in stored_editions}
    reconciled_editions = [
        _import_sent_edition(context, posts, log_entry, now, dry_run=dry_run)
        for name, log_entry in log_entries.items()
        if name not in stored_names
    ]
    reconciled_editions += [
        _settle_open_edition(
            context.store, stored_edition, log_entries.get(stored_edition.slot.edition), now, dry_run=dry_run
        )
        for stored_edition in reversed(stored_editions)
        if stored_edition.state in _OPEN_STATES
    ]
    if not dry_run:
        context.store.skip_ids()
        context.store.raise_generation(read_generation(context.root))
    return tuple(reconciled_editions)


def _import_sent_edition(
    context: ComposeContext, posts: Sequence[Post], log_entry: SentLogEntry, now: datetime, *, dry_run: bool
) -> ReconciledEdition:
    """Insert an edition that is missing in the copy."""
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
    """Render the message and web page again: the same posts give the same bytes. None if newsletter or posts are gone."""
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
    """Update an edition that was not done or canceled when the copy was made."""
    has_started = stored_edition.state is EditionState.SENDING or any(
        store.deliveries.counts(stored_edition.id).values()
    )
    state, reason = _reconcile_state(stored_edition, log_entry, has_started=has_started)
    settled_count = 0
    if has_started and not dry_run:
        # The copy may hold an unfinished freeze: the remaining recipients may have received the edition, too.
        store.deliveries.freeze(stored_edition.id, stored_edition.slot.newsletter, now)
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
    """Return the new state and reason of an open edition, by what the outbox records about it."""
    if log_entry is not None and log_entry.is_finished:
        return EditionState.DONE, _REASON_SENT
    if log_entry is not None and not has_started:
        return EditionState.HELD, _REASON_STARTED
    if stored_edition.state is EditionState.READY:
        return EditionState.HELD, _REASON_RESTORED
    return stored_edition.state or EditionState.BUILDING, stored_edition.reason
