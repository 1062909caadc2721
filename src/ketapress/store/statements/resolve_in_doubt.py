"""What a person says about deliveries of which nobody knows whether they arrived.

Part of the edge: works on a connection, inside a transaction that somebody else opened.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, literal, null, select, true, update

from ketapress.model.address import address_key
from ketapress.model.delivery import FINAL_STATES, DeliveryState
from ketapress.store.db.schema import deliveries, instant, subscribers, subscriptions
from ketapress.store.statements.counts import recount
from ketapress.store.statements.transitions import moved

_d = deliveries.c


def in_doubt(edition_id: int, addresses: Sequence[str]) -> ColumnElement[bool]:
    """The deliveries in doubt that wait for a person, of the whole edition or of some addresses."""
    waiting = and_(_d.edition_id == edition_id, _d.state == DeliveryState.IN_DOUBT, _d.next_at.is_(None))
    return and_(waiting, _to(addresses) if addresses else true())


def resolve_sent(connection: Connection, where: ColumnElement[bool], edition_id: int, evidence: str) -> int:
    """They arrived, on somebody's word; how many."""
    arrived = moved(DeliveryState.SENT, where, reply=evidence)
    count = connection.execute(arrived).rowcount
    recount(connection, edition_id)
    return count


def resolve_resend(connection: Connection, where: ColumnElement[bool], now: datetime) -> int:
    """They may be claimed again, from now on: the same message, to the byte; how many."""
    again = update(deliveries).where(where).values(next_at=instant(now), worker_id=null())
    return connection.execute(again).rowcount


def believe_sent(connection: Connection, edition_id: int, evidence: str) -> int:
    """An older copy's edition: its deliveries were over when the outbox says so; how many were not in this copy."""
    return _settle_copy(connection, edition_id, state=DeliveryState.SENT, reply=literal(evidence))


def doubt_everything(connection: Connection, edition_id: int) -> int:
    """An older copy's edition: whatever is not over here may have gone out since; how many. They wait for a person.

    No arrow of sending leads here from `queued`: the rows are those of another time.
    """
    return _settle_copy(connection, edition_id, state=DeliveryState.IN_DOUBT)


def _settle_copy(connection: Connection, edition_id: int, **values: object) -> int:
    open_ones = and_(_d.edition_id == edition_id, _d.state.not_in(FINAL_STATES))
    settled = update(deliveries).where(open_ones).values(next_at=null(), worker_id=null(), **values)
    count = connection.execute(settled).rowcount
    recount(connection, edition_id)
    return count


def _to(addresses: Sequence[str]) -> ColumnElement[bool]:
    theirs = (
        select(subscriptions.c.id)
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(subscribers.c.address_key.in_([address_key(each) for each in addresses]))
    )
    return _d.subscription_id.in_(theirs)
