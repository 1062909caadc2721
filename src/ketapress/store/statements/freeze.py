"""How an edition gets its deliveries: chunk by chunk, from the subscriptions that are active.

Part of the edge: works on a connection, one transaction a step. How far it has come stands in the edition's row, so
that who is killed goes on, and two who freeze at once take turns instead of doubling. Whoever is passed is counted:
by a delivery, or in `left_out` by the state of their consent.
"""

from collections import Counter
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, exists, func, insert, literal, select, update

from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import EditionState
from ketapress.model.subscriber import SubscriptionState
from ketapress.store.db.schema import DeliveryCode, deliveries, editions, instant, subscriptions
from ketapress.store.statements.transitions import AT_ONCE

_NOT_ACTIVE = tuple(state for state in SubscriptionState if state is not SubscriptionState.ACTIVE)
_d, _e, _s = deliveries.c, editions.c, subscriptions.c


def anybody_active(connection: Connection, newsletter: str) -> bool:
    """Whether an edition of this newsletter would go to anybody."""
    return bool(connection.scalar(select(exists().where(_of(newsletter, SubscriptionState.ACTIVE)))))


def start_freeze(connection: Connection, edition_id: int, newsletter: str, now: datetime) -> None:
    """The edition is sending from here on; what a freeze before it has set stays as it was.

    With nobody active it stays as it is, and the others are counted.
    """
    mine = and_(_e.id == edition_id, _e.state == EditionState.READY)
    begun = _e.freeze_to.is_not(None)
    if not anybody_active(connection, newsletter):
        left_out = _left_out(connection, newsletter, _s.id > 0)
        connection.execute(update(editions).where(mine, ~begun).values(left_out=left_out))
        mine = and_(mine, begun)
    highest = select(func.max(_s.id)).scalar_subquery()
    connection.execute(
        update(editions)
        .where(mine)
        .values(
            state=EditionState.SENDING,
            changed_at=now,
            freeze_to=func.coalesce(_e.freeze_to, highest),
            frozen_to=func.coalesce(_e.frozen_to, 0),
        )
    )


def freeze_chunk(connection: Connection, edition_id: int, newsletter: str, chunk: int) -> bool:
    """Freezes the next subscriptions; False when there were none left, or the edition is not sending any more."""
    ahead = and_(_e.id == edition_id, _e.state == EditionState.SENDING, _e.frozen_to < _e.freeze_to)
    if not connection.scalar(select(exists().where(ahead))):
        return False  # known without the lock: who was stopped in its commit keeps that for a while
    edition = connection.execute(
        select(_e.frozen_to, _e.freeze_to, _e.left_out).where(ahead).with_for_update()
    ).first()
    if edition is None:
        return False
    rest = and_(_s.id > edition.frozen_to, _s.id <= edition.freeze_to)
    active = _of(newsletter, SubscriptionState.ACTIVE)
    next_ones = select(_s.id).where(active, rest).order_by(_s.id).offset(chunk - 1).limit(1)
    last = connection.scalar(next_ones) or edition.freeze_to
    passed = and_(_s.id > edition.frozen_to, _s.id <= last)
    left_out = Counter(edition.left_out if edition.frozen_to else {}) + Counter(
        _left_out(connection, newsletter, passed)
    )
    written = _write_queued(connection, edition_id, and_(active, passed))
    connection.execute(
        update(editions)
        .where(_e.id == edition_id)
        .values(frozen_to=last, frozen=_e.frozen + written, left_out=left_out)
    )
    return True


def _write_queued(connection: Connection, edition_id: int, wanted: ColumnElement[bool]) -> int:
    """A queued delivery for each of these subscriptions; how many."""
    rows = select(
        literal(edition_id),
        _s.id,
        literal(DeliveryState.QUEUED, DeliveryCode),
        literal(0),
        instant(AT_ONCE),
    ).where(wanted)
    columns = [_d.edition_id, _d.subscription_id, _d.state, _d.attempts, _d.next_at]
    return connection.execute(insert(deliveries).from_select(columns, rows)).rowcount


def _left_out(connection: Connection, newsletter: str, passed: ColumnElement[bool]) -> dict[str, int]:
    """How many of the newsletter's subscriptions there get no mail, by state; a state of none is not there.

    One range of the index for each state: reading everybody to group them would cost more than freezing them.
    """
    counts = {
        state.value: connection.scalar(select(func.count()).where(_of(newsletter, state), passed)) or 0
        for state in _NOT_ACTIVE
    }
    return {state: count for state, count in counts.items() if count}


def _of(newsletter: str, state: SubscriptionState) -> ColumnElement[bool]:
    return and_(_s.newsletter == newsletter, _s.state == state)
