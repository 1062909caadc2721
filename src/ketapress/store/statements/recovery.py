"""What the dead leave behind, and who takes it over.

Part of the edge: works on a connection, inside a transaction that somebody else opened. A worker that is declared
dead loses its number in the same transaction in which its deliveries go to others, so that nothing it says later
counts for them.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, func, null, or_, select, update

from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import EditionState
from ketapress.store.db.schema import DatabaseClock, deliveries, instant, workers
from ketapress.store.statements.counts import recount
from ketapress.store.statements.transitions import edition_state, hand_back, moved

_GOING_ON = frozenset({EditionState.READY, EditionState.HELD, EditionState.SENDING})
_d = deliveries.c


def recover(
    connection: Connection, mine: Collection[int], policy: str, now: datetime, *, leased: bool
) -> tuple[int, int]:
    """Takes over from the dead: how many deliveries were handed back, how many are in doubt since now.

    What is in doubt in editions that go on may be claimed by itself, or waits for a person, as the policy says.
    """
    dead = _buried(connection, mine, leased=leased)
    handed_back = doubted = 0
    for worker, edition_id in _hands(connection):
        edition = edition_state(connection, edition_id)
        held = and_(_d.worker_id == worker, _d.edition_id == edition_id)
        if worker in dead:
            handed_back += hand_back(connection, edition, held, now)
            doubted += _doubt(connection, held)
        if edition in _GOING_ON:
            _apply(connection, policy, held, now)
        if edition is EditionState.DONE:
            recount(connection, edition_id)
    return handed_back, doubted


def _buried(connection: Connection, mine: Collection[int], *, leased: bool) -> frozenset[int]:
    """The numbers of workers that are dead, struck from the list so that nobody else takes over from them.

    One whose row is locked is passed over: it is saying that it lives, or was stopped while it did, and nobody waits.
    """
    dead = delete(workers)
    if leased:
        late = or_(workers.c.id.in_(mine), workers.c.lease_until < DatabaseClock())
        dead = dead.where(
            workers.c.id.in_(select(workers.c.id).where(late).with_for_update(skip_locked=True))
        )
    return frozenset(connection.scalars(dead.returning(workers.c.id)))


def _hands(connection: Connection) -> list[tuple[int, int]]:
    """Whoever holds something, or held it when it came in doubt, and of which editions."""
    held = select(_d.worker_id, _d.edition_id).where(_d.worker_id > 0).distinct()
    return [(row.worker_id, row.edition_id) for row in connection.execute(held)]


def _doubt(connection: Connection, held: ColumnElement[bool]) -> int:
    """What was being sent when its worker died may have been accepted."""
    return connection.execute(
        moved(
            DeliveryState.IN_DOUBT,
            and_(held, _d.state == DeliveryState.SENDING),
            worker_id=_d.worker_id,
            attempts=_d.attempts + 1,
        )
    ).rowcount


def _apply(connection: Connection, policy: str, held: ColumnElement[bool], now: datetime) -> None:
    next_at = func.coalesce(_d.next_at, instant(now)) if policy == "resend" else null()
    in_doubt = and_(held, _d.state == DeliveryState.IN_DOUBT)
    connection.execute(update(deliveries).where(in_doubt).values(next_at=next_at))
