"""Load editions from their rows, and change their state."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, update

from ketapress.model.edition import EditionState, Slot, StoredEdition, Window
from ketapress.store.db.schema import editions
from ketapress.store.statements.counts import save_counts

_edition = editions.c
EDITION_COLUMNS = (
    _edition.id,
    _edition.newsletter,
    _edition.slot_key,
    _edition.slot_at,
    _edition.decision,
    _edition.state,
    _edition.window_after,
    _edition.window_until,
    _edition.send_by,
    _edition.subject,
    _edition.post_ids,
    _edition.sizes,
    _edition.why,
    _edition.left_out,
    _edition.input_hash,
    _edition.folder,
    _edition.chosen_ids,
)
"""The columns that `load_editions` needs. The web page and the message template are large, and read by other queries."""


def load_editions(connection: Connection, query: Select[Any]) -> tuple[StoredEdition, ...]:
    """Return the editions that a query over `EDITION_COLUMNS` finds."""
    return tuple(_to_edition(row) for row in connection.execute(query))


def transition_edition(
    connection: Connection,
    edition_id: int,
    from_states: Collection[EditionState],
    to_state: EditionState,
    now: datetime,
    **values: Any,
) -> bool:
    """Change an edition's state and other columns. Return False, and change nothing, if it is in no `from_states`."""
    statement = update(editions).where(_edition.id == edition_id, _edition.state.in_(from_states))
    if not connection.execute(statement.values(state=to_state, changed_at=now, **values)).rowcount:
        return False
    if to_state is EditionState.DONE:
        save_counts(connection, edition_id)
    return True


def _to_edition(row: Row[Any]) -> StoredEdition:
    return StoredEdition(
        id=row.id,
        slot=Slot(row.newsletter, row.slot_key, row.slot_at),
        decision=row.decision,
        state=row.state,
        window=Window(row.window_after, row.window_until) if row.window_until else None,
        send_deadline=row.send_by,
        subject=row.subject or "",
        post_ids=tuple(row.post_ids or ()),
        sizes=row.sizes,
        reason=row.why or "",
        skipped_counts=row.left_out,
        input_hash=row.input_hash,
        folder=row.folder,
        chosen_ids=tuple(row.chosen_ids or row.post_ids or ()),
    )
