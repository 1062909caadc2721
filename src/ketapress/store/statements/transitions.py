"""The statements of the ledger: which arrows deliveries take, and how rows end with their edition or their person.

Part of the edge: everything here works on a connection, inside a transaction that somebody else opened. The arrows
are guards in SQL, so that a row which somebody else moved meanwhile stays where it is.
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
"""`next_at` of a delivery that may go out at any time: in the past, whatever moment one asks about."""

ALLOWED_FROM = {
    target: tuple(state for state, targets in TRANSITIONS.items() if target in targets)
    for target in DeliveryState
}
"""The arrows backwards: from where a delivery may come into a state."""

_delivery = deliveries.c

# Worked out from where the row is before the update: a first try goes back to the queue, a later one among the late.
_RETURN_STATE = case(
    (_delivery.attempts == 0, literal(DeliveryState.QUEUED, DeliveryCode)),
    else_=literal(DeliveryState.DEFERRED, DeliveryCode),
)

IS_ACTIVE = exists().where(
    subscriptions.c.id == _delivery.subscription_id, subscriptions.c.state == SubscriptionState.ACTIVE
)
"""Whether the subscriber of a delivery still wants it."""


# Statements of every commit are made once: building one takes longer than running it.
_SELECT_STATE = (
    select(editions.c.state).where(editions.c.id == bindparam("edition")).with_for_update(read=True)
)


def lock_edition_state(connection: Connection, edition_id: int) -> EditionState | None:
    """Where the edition stands, and there it stays until this transaction ends (PostgreSQL: FOR SHARE)."""
    state: EditionState | None = connection.scalar(_SELECT_STATE, {"edition": edition_id})
    return state


def match_deliveries(edition_id: int, subscription_ids: Collection[int]) -> ColumnElement[bool]:
    return and_(_delivery.edition_id == edition_id, _delivery.subscription_id.in_(subscription_ids))


def held_by(worker_ids: Sequence[int]) -> ColumnElement[bool]:
    """In the hands of one of these workers."""
    return _equals_any(_delivery.worker_id, worker_ids)


def _equals_any(column: ColumnElement[Any], values: Iterable[object]) -> ColumnElement[bool]:
    """Like IN, but spelled out: a list cannot be part of a statement that runs for many rows at once."""
    return or_(false(), *(column == value for value in values))


def transition(target: DeliveryState, condition: ColumnElement[bool], **values: Any) -> Update:
    """The rows of `where` go along an arrow to `target`, out of everybody's hands and not to be tried by themselves."""
    return (
        update(deliveries)
        .where(condition, _equals_any(_delivery.state, ALLOWED_FROM[target]))
        .values({"state": target, "next_at": null(), "worker_id": null()} | values)
    )


def return_claimed(
    connection: Connection, state: EditionState | None, condition: ColumnElement[bool], now: datetime
) -> int:
    """Claimed rows that nothing was sent for go back to where they came from, or end with a cancelled edition."""
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
    """What waits in this edition ends as `target`; what is in doubt stays so, and is not sent again by itself."""
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
    """Whether a message of this edition may have reached anybody."""
    is_sent = or_(
        _delivery.state.in_((DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.IN_DOUBT)),
        _delivery.dated.is_not(None),
    )
    return bool(connection.scalar(select(exists().where(_delivery.edition_id == edition_id, is_sent))))


def match_subscriptions(subscription_ids: Select[Any]) -> ColumnElement[bool]:
    """All deliveries of these subscriptions: found through the editions, as there is no index by subscription alone."""
    newsletters = select(subscriptions.c.newsletter).where(subscriptions.c.id.in_(subscription_ids))
    edition_ids = select(editions.c.id).where(editions.c.newsletter.in_(newsletters))
    return and_(_delivery.edition_id.in_(edition_ids), _delivery.subscription_id.in_(subscription_ids))


def erase_deliveries(connection: Connection, subscription_ids: Select[Any]) -> None:
    """A person is erased: what waits is suppressed, and what relays said is wiped, for they repeat the address."""
    condition = match_subscriptions(subscription_ids)
    is_waiting = _delivery.state.in_((DeliveryState.QUEUED, DeliveryState.DEFERRED, DeliveryState.IN_DOUBT))
    statement = transition(DeliveryState.SUPPRESSED, and_(condition, is_waiting)).returning(
        _delivery.edition_id
    )
    for edition_id in connection.scalars(statement).all():
        clear_saved_counts(connection, edition_id)
    connection.execute(update(deliveries).where(condition, _delivery.reply.is_not(None)).values(reply=null()))
