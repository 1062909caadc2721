"""Rows of editions, read as the nouns of the house; and how an edition goes from one state to another.

Part of the edge: everything here works on a connection, inside a transaction that somebody else opened.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, update

from ketapress.model.edition import EditionState, Slot, StoredEdition, Window
from ketapress.store.db.schema import editions
from ketapress.store.statements.counts import remember_counts

_e = editions.c
COLUMNS = (
    _e.id,
    _e.newsletter,
    _e.slot_key,
    _e.slot_at,
    _e.decision,
    _e.state,
    _e.window_after,
    _e.window_until,
    _e.send_by,
    _e.subject,
    _e.post_ids,
    _e.sizes,
    _e.why,
    _e.left_out,
)
"""What `stored` reads of a row; the page (`public`) and the letter are read by themselves."""


def stored(connection: Connection, query: Select[Any]) -> tuple[StoredEdition, ...]:
    """The editions that a query over `COLUMNS` finds."""
    return tuple(_edition(row) for row in connection.execute(query))


def moved(
    connection: Connection,
    edition_id: int,
    frm: Collection[EditionState],
    to: EditionState,
    now: datetime,
    **values: Any,
) -> bool:
    """From one of these states to another, with more values of the row; False when it was in none of them."""
    guarded = update(editions).where(_e.id == edition_id, _e.state.in_(frm))
    if not connection.execute(guarded.values(state=to, changed_at=now, **values)).rowcount:
        return False
    if to is EditionState.DONE:
        remember_counts(connection, edition_id)
    return True


def _edition(row: Row[Any]) -> StoredEdition:
    return StoredEdition(
        id=row.id,
        slot=Slot(row.newsletter, row.slot_key, row.slot_at),
        decision=row.decision,
        state=row.state,
        window=Window(row.window_after, row.window_until) if row.window_until else None,
        send_by=row.send_by,
        subject=row.subject or "",
        post_ids=tuple(row.post_ids or ()),
        sizes=row.sizes,
        why=row.why or "",
        left_out=row.left_out,
    )
