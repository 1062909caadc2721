"""Change the state of deliveries, and end them with their edition or subscriber.

Each statement checks in SQL that the transition is allowed, so that a row that another process has changed stays as
it is.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Update,
    and_,
    bindparam,
    case,
    exists,
    false,
    literal,
    null,
    or_,
    select,
    update,
)

from ketapress.model.delivery import TRANSITIONS, DeliveryState
from ketapress.model.edition import EditionState
from ketapress.model.subscriber import SubscriptionState
from ketapress.store.db.codes import EPOCH
from ketapress.store.db.schema import (
    DeliveryCode,
    deliveries,
    editions,
    instant_literal,
    subscriptions,
)
from ketapress.store.statements.counts import clear_saved_counts

DUE_NOW = EPOCH
"""`next_at` of a delivery that is due at once: earlier than any moment of a query."""

ALLOWED_FROM = {
    target: tuple(state for state, targets in TRANSITIONS.items() if target in targets)
    for target in DeliveryState
}
"""The transitions backwards: for each state, the states that lead to it."""

_delivery = deliveries.c

# The state of a returned claim: QUEUED before the first attempt, DEFERRED after it.
_RETURN_STATE = case(
    (_delivery.attempts == 0, literal(DeliveryState.QUEUED, DeliveryCode)),
    else_=literal(DeliveryState.DEFERRED, DeliveryCode),
)

IS_ACTIVE = exists().where(
    subscriptions.c.id == _delivery.subscription_id, subscriptions.c.state == SubscriptionState.ACTIVE
)
"""The condition that the subscription of a delivery is active."""

# Built once: building a statement takes longer than running it.
_SELECT_STATE = (
    select(editions.c.state).where(editions.c.id == bindparam("edition")).with_for_update(read=True)
)


def lock_edition_state(connection: Connection, edition_id: int) -> EditionState | None:
    """Return an edition's state, and lock it until the transaction ends (FOR SHARE on PostgreSQL)."""
    state: EditionState | None = connection.scalar(_SELECT_STATE, {"edition": edition_id})
    return state


def match_deliveries(edition_id: int, subscription_ids: Collection[int]) -> ColumnElement[bool]:
    """Return the condition for an edition's deliveries to these subscriptions."""
    return and_(_delivery.edition_id == edition_id, _delivery.subscription_id.in_(subscription_ids))


def held_by(worker_ids: Sequence[int]) -> ColumnElement[bool]:
    """Return the condition for deliveries that one of these workers holds."""
    return _equals_any(_delivery.worker_id, worker_ids)


def _equals_any(column: ColumnElement[Any], values: Iterable[object]) -> ColumnElement[bool]:
    """Return the condition that a column equals a value, as OR: statements that run for many rows reject an IN list."""
    return or_(false(), *(column == value for value in values))


def transition(target: DeliveryState, condition: ColumnElement[bool], **values: Any) -> Update:
    """Return the update of matching deliveries to `target`, where that is allowed: no worker, no next attempt."""
    return (
        update(deliveries)
        .where(condition, _equals_any(_delivery.state, ALLOWED_FROM[target]))
        .values({"state": target, "next_at": null(), "worker_id": null()} | values)
    )


def return_claimed(
    connection: Connection, state: EditionState | None, condition: ColumnElement[bool], now: datetime
) -> int:
    """Return claimed deliveries to QUEUED or DEFERRED, or end them with a cancelled edition. Return how many."""
    if state is EditionState.CANCELLED:
        return connection.execute(
            transition(DeliveryState.CANCELLED, and_(condition, _delivery.state == DeliveryState.CLAIMED))
        ).rowcount
    return connection.execute(
        update(deliveries)
        .where(condition, _delivery.state == DeliveryState.CLAIMED)
        .values(
            state=_RETURN_STATE,
            next_at=case((_delivery.attempts == 0, instant_literal(DUE_NOW)), else_=instant_literal(now)),
            worker_id=null(),
        )
    ).rowcount


def end_waiting(connection: Connection, edition_id: int, target: DeliveryState) -> int:
    """End the waiting deliveries of an edition as `target`, and return how many.

    Deliveries in doubt stay so, and are not sent again automatically.
    """
    is_waiting = and_(
        _delivery.edition_id == edition_id,
        _delivery.state.in_((DeliveryState.QUEUED, DeliveryState.DEFERRED)),
    )
    ended_count = connection.execute(transition(target, is_waiting)).rowcount
    is_in_doubt = and_(_delivery.edition_id == edition_id, _delivery.state == DeliveryState.IN_DOUBT)
    connection.execute(
        update(deliveries).where(is_in_doubt, _delivery.next_at.is_not(None)).values(next_at=null())
    )
    return ended_count


def may_have_sent(connection: Connection, edition_id: int) -> bool:
    """Return whether a message of this edition may have been sent."""
    is_sent = or_(
        _delivery.state.in_((DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.IN_DOUBT)),
        _delivery.dated.is_not(None),
    )
    return bool(connection.scalar(select(exists().where(_delivery.edition_id == edition_id, is_sent))))


def match_subscriptions(subscription_ids: Select[Any]) -> ColumnElement[bool]:
    """Return the condition for all deliveries of subscriptions, by their editions: the primary key begins with them."""
    newsletters = select(subscriptions.c.newsletter).where(subscriptions.c.id.in_(subscription_ids))
    edition_ids = select(editions.c.id).where(editions.c.newsletter.in_(newsletters))
    return and_(_delivery.edition_id.in_(edition_ids), _delivery.subscription_id.in_(subscription_ids))


def erase_deliveries(connection: Connection, subscription_ids: Select[Any]) -> None:
    """Suppress the waiting deliveries of an erased subscriber, and delete the replies, which may quote the address."""
    condition = match_subscriptions(subscription_ids)
    is_waiting = _delivery.state.in_((DeliveryState.QUEUED, DeliveryState.DEFERRED, DeliveryState.IN_DOUBT))
    statement = transition(DeliveryState.SUPPRESSED, and_(condition, is_waiting)).returning(
        _delivery.edition_id
    )
    for edition_id in connection.scalars(statement).all():
        clear_saved_counts(connection, edition_id)
    connection.execute(update(deliveries).where(condition, _delivery.reply.is_not(None)).values(reply=null()))
