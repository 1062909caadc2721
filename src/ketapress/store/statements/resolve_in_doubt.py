"""What a person says about deliveries of which nobody knows whether they arrived.

Part of the edge: works on a connection, inside a transaction that somebody else opened.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, literal, null, select, true, update

from ketapress.model.address import address_key
from ketapress.model.delivery import FINAL_STATES, DeliveryState
from ketapress.store.db.schema import deliveries, instant_literal, subscribers, subscriptions
from ketapress.store.statements.counts import clear_saved_counts
from ketapress.store.statements.transitions import transition

_delivery = deliveries.c


def in_doubt_condition(edition_id: int, addresses: Sequence[str]) -> ColumnElement[bool]:
    """The deliveries in doubt that wait for a person, of the whole edition or of some addresses."""
    waits_for_person = and_(
        _delivery.edition_id == edition_id,
        _delivery.state == DeliveryState.IN_DOUBT,
        _delivery.next_at.is_(None),
    )
    return and_(waits_for_person, _has_address(addresses) if addresses else true())


def mark_sent(connection: Connection, condition: ColumnElement[bool], edition_id: int, evidence: str) -> int:
    """They arrived, on somebody's word; how many."""
    statement = transition(DeliveryState.SENT, condition, reply=evidence)
    count = connection.execute(statement).rowcount
    clear_saved_counts(connection, edition_id)
    return count


def allow_resend(connection: Connection, condition: ColumnElement[bool], now: datetime) -> int:
    """They may be claimed again, from now on: the same message, to the byte; how many."""
    statement = update(deliveries).where(condition).values(next_at=instant_literal(now), worker_id=null())
    return connection.execute(statement).rowcount


def mark_open_sent(connection: Connection, edition_id: int, evidence: str) -> int:
    """An older copy's edition: its deliveries were over when the outbox says so; how many were not in this copy."""
    return _end_open_deliveries(connection, edition_id, state=DeliveryState.SENT, reply=literal(evidence))


def mark_open_in_doubt(connection: Connection, edition_id: int) -> int:
    """An older copy's edition: whatever is not over here may have gone out since; how many. They wait for a person.

    No arrow of sending leads here from `queued`: the rows are those of another time.
    """
    return _end_open_deliveries(connection, edition_id, state=DeliveryState.IN_DOUBT)


def _end_open_deliveries(connection: Connection, edition_id: int, **values: object) -> int:
    condition = and_(_delivery.edition_id == edition_id, _delivery.state.not_in(FINAL_STATES))
    statement = update(deliveries).where(condition).values(next_at=null(), worker_id=null(), **values)
    count = connection.execute(statement).rowcount
    clear_saved_counts(connection, edition_id)
    return count


def _has_address(addresses: Sequence[str]) -> ColumnElement[bool]:
    subscription_ids = (
        select(subscriptions.c.id)
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(subscribers.c.address_key.in_([address_key(address) for address in addresses]))
    )
    return _delivery.subscription_id.in_(subscription_ids)
