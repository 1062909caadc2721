"""Recover deliveries from dead workers.

A dead worker's id is deleted in the transaction that recovers its deliveries, so that a result that it commits later
changes nothing.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, func, null, or_, select, update

from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import EditionState
from ketapress.store.db.schema import DatabaseClock, deliveries, instant_literal, workers
from ketapress.store.statements.counts import clear_saved_counts
from ketapress.store.statements.transitions import lock_edition_state, return_claimed, transition

_OPEN_STATES = frozenset({EditionState.READY, EditionState.HELD, EditionState.SENDING})
_delivery = deliveries.c


def recover(
    connection: Connection, own_worker_ids: Collection[int], policy: str, now: datetime, *, has_leases: bool
) -> tuple[int, int]:
    """Recover the deliveries of dead workers. Return how many claims were returned, and how many are newly in doubt.

    `policy` decides about deliveries in doubt of open editions: `resend` lets workers claim them, `hold` waits for a
    person.
    """
    dead_worker_ids = _remove_dead_workers(connection, own_worker_ids, has_leases=has_leases)
    returned_count = in_doubt_count = 0
    for worker_id, edition_id in _list_holders(connection):
        state = lock_edition_state(connection, edition_id)
        held_rows = and_(_delivery.worker_id == worker_id, _delivery.edition_id == edition_id)
        if worker_id in dead_worker_ids:
            returned_count += return_claimed(connection, state, held_rows, now)
            in_doubt_count += _mark_in_doubt(connection, held_rows)
        if state in _OPEN_STATES:
            _apply_policy(connection, policy, held_rows, now)
        if state is EditionState.DONE:
            clear_saved_counts(connection, edition_id)
    return returned_count, in_doubt_count


def _remove_dead_workers(
    connection: Connection, own_worker_ids: Collection[int], *, has_leases: bool
) -> frozenset[int]:
    """Delete the dead workers, so that no other process recovers them, and return their ids.

    With leases, a worker is dead if its lease has expired; without, every worker is. A locked row is skipped: that
    worker is renewing its lease, or was stopped while it did, and waiting for it could take long.
    """
    statement = delete(workers)
    if has_leases:
        is_expired = or_(workers.c.id.in_(own_worker_ids), workers.c.lease_until < DatabaseClock())
        statement = statement.where(
            workers.c.id.in_(select(workers.c.id).where(is_expired).with_for_update(skip_locked=True))
        )
    return frozenset(connection.scalars(statement.returning(workers.c.id)))


def _list_holders(connection: Connection) -> list[tuple[int, int]]:
    """Return the worker and edition ids of deliveries that a worker holds, or held when they came in doubt."""
    query = select(_delivery.worker_id, _delivery.edition_id).where(_delivery.worker_id > 0).distinct()
    return [(row.worker_id, row.edition_id) for row in connection.execute(query)]


def _mark_in_doubt(connection: Connection, held_rows: ColumnElement[bool]) -> int:
    """Mark the SENDING deliveries as in doubt: the relay may have accepted them. Return how many."""
    return connection.execute(
        transition(
            DeliveryState.IN_DOUBT,
            and_(held_rows, _delivery.state == DeliveryState.SENDING),
            worker_id=_delivery.worker_id,
            attempts=_delivery.attempts + 1,
        )
    ).rowcount


def _apply_policy(connection: Connection, policy: str, held_rows: ColumnElement[bool], now: datetime) -> None:
    """Let workers claim the deliveries in doubt (`resend`), or make them wait for a person (`hold`)."""
    next_at = func.coalesce(_delivery.next_at, instant_literal(now)) if policy == "resend" else null()
    in_doubt = and_(held_rows, _delivery.state == DeliveryState.IN_DOUBT)
    connection.execute(update(deliveries).where(in_doubt).values(next_at=next_at))
