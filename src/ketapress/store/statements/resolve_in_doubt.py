"""Resolve deliveries in doubt by a person's decision, and the open deliveries of an older copy of the database."""

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
    """Return the condition for an edition's deliveries that wait for a person: all, or those to some addresses."""
    waits_for_person = and_(
        _delivery.edition_id == edition_id,
        _delivery.state == DeliveryState.IN_DOUBT,
        _delivery.next_at.is_(None),
    )
    return and_(waits_for_person, _has_address(addresses) if addresses else true())


def mark_sent(connection: Connection, condition: ColumnElement[bool], edition_id: int, evidence: str) -> int:
    """Mark deliveries in doubt as SENT, with the evidence as their reply. Return how many."""
    statement = transition(DeliveryState.SENT, condition, reply=evidence)
    count = connection.execute(statement).rowcount
    clear_saved_counts(connection, edition_id)
    return count


def allow_resend(connection: Connection, condition: ColumnElement[bool], now: datetime) -> int:
    """Let workers claim deliveries in doubt from now on, to send the same message again. Return how many."""
    statement = update(deliveries).where(condition).values(next_at=instant_literal(now), worker_id=null())
    return connection.execute(statement).rowcount


def mark_open_sent(connection: Connection, edition_id: int, evidence: str) -> int:
    """Mark all open deliveries of an edition as SENT, since the outbox says that it is done. Return how many."""
    return _end_open_deliveries(connection, edition_id, state=DeliveryState.SENT, reply=literal(evidence))


def mark_open_in_doubt(connection: Connection, edition_id: int) -> int:
    """Mark all open deliveries of an edition as in doubt, since they may have been sent later. Return how many.

    They wait for a person. Sending has no transition from QUEUED to IN_DOUBT, but these rows are out of date.
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
