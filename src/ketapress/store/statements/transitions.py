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

from ketapress.model.delivery import ARROWS, DeliveryState
from ketapress.model.edition import EditionState
from ketapress.model.subscriber import SubscriptionState
from ketapress.store.db.codes import EPOCH
from ketapress.store.db.schema import (
    DeliveryCode,
    deliveries,
    editions,
    instant,
    subscriptions,
)
from ketapress.store.statements.counts import recount

AT_ONCE = EPOCH
"""`next_at` of a delivery that may go out at any time: in the past, whatever moment one asks about."""

SOURCES = {
    target: tuple(state for state, targets in ARROWS.items() if target in targets) for target in DeliveryState
}
"""The arrows backwards: from where a delivery may come into a state."""

_d = deliveries.c

# Worked out from where the row is before the update: a first try goes back to the queue, a later one among the late.
_BACK = case(
    (_d.attempts == 0, literal(DeliveryState.QUEUED, DeliveryCode)),
    else_=literal(DeliveryState.DEFERRED, DeliveryCode),
)

ACTIVE = exists().where(
    subscriptions.c.id == _d.subscription_id, subscriptions.c.state == SubscriptionState.ACTIVE
)
"""Whether the subscriber of a delivery still wants it."""


# Statements of every commit are made once: building one takes longer than running it.
_STATE = select(editions.c.state).where(editions.c.id == bindparam("edition")).with_for_update(read=True)


def edition_state(connection: Connection, edition_id: int) -> EditionState | None:
    """Where the edition stands, and there it stays until this transaction ends (PostgreSQL: FOR SHARE)."""
    state: EditionState | None = connection.scalar(_STATE, {"edition": edition_id})
    return state


def these(edition_id: int, subscription_ids: Collection[int]) -> ColumnElement[bool]:
    return and_(_d.edition_id == edition_id, _d.subscription_id.in_(subscription_ids))


def held_by(workers: Sequence[int]) -> ColumnElement[bool]:
    """In the hands of one of these workers."""
    return _one_of(_d.worker_id, workers)


def _one_of(column: ColumnElement[Any], values: Iterable[object]) -> ColumnElement[bool]:
    """Like IN, but spelled out: a list cannot be part of a statement that runs for many rows at once."""
    return or_(false(), *(column == value for value in values))


def moved(target: DeliveryState, where: ColumnElement[bool], **values: Any) -> Update:
    """The rows of `where` go along an arrow to `target`, out of everybody's hands and not to be tried by themselves."""
    return (
        update(deliveries)
        .where(where, _one_of(_d.state, SOURCES[target]))
        .values({"state": target, "next_at": null(), "worker_id": null()} | values)
    )


def hand_back(
    connection: Connection, edition: EditionState | None, where: ColumnElement[bool], now: datetime
) -> int:
    """Claimed rows that nothing was sent for go back to where they came from, or end with a cancelled edition."""
    if edition is EditionState.CANCELLED:
        return connection.execute(
            moved(DeliveryState.CANCELLED, and_(where, _d.state == DeliveryState.CLAIMED))
        ).rowcount
    return connection.execute(
        update(deliveries)
        .where(where, _d.state == DeliveryState.CLAIMED)
        .values(
            state=_BACK,
            next_at=case((_d.attempts == 0, instant(AT_ONCE)), else_=instant(now)),
            worker_id=null(),
        )
    ).rowcount


def give_up(connection: Connection, edition_id: int, target: DeliveryState) -> int:
    """What waits in this edition ends as `target`; what is in doubt stays so, and is not sent again by itself."""
    waiting = and_(_d.edition_id == edition_id, _d.state.in_((DeliveryState.QUEUED, DeliveryState.DEFERRED)))
    ended = connection.execute(moved(target, waiting)).rowcount
    in_doubt = and_(_d.edition_id == edition_id, _d.state == DeliveryState.IN_DOUBT)
    connection.execute(update(deliveries).where(in_doubt, _d.next_at.is_not(None)).values(next_at=null()))
    return ended


def anything_left(connection: Connection, edition_id: int) -> bool:
    """Whether a message of this edition may have reached anybody."""
    may_have = or_(
        _d.state.in_((DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.IN_DOUBT)),
        _d.dated.is_not(None),
    )
    return bool(connection.scalar(select(exists().where(_d.edition_id == edition_id, may_have))))


def of_person(subscription_ids: Select[Any]) -> ColumnElement[bool]:
    """All deliveries of these subscriptions: found through the editions, as there is no index by subscription alone."""
    newsletters = select(subscriptions.c.newsletter).where(subscriptions.c.id.in_(subscription_ids))
    theirs = select(editions.c.id).where(editions.c.newsletter.in_(newsletters))
    return and_(_d.edition_id.in_(theirs), _d.subscription_id.in_(subscription_ids))


def forget(connection: Connection, subscription_ids: Select[Any]) -> None:
    """A person is erased: what waits is suppressed, and what relays said is wiped, for they repeat the address."""
    mine = of_person(subscription_ids)
    waits = _d.state.in_((DeliveryState.QUEUED, DeliveryState.DEFERRED, DeliveryState.IN_DOUBT))
    suppressed = moved(DeliveryState.SUPPRESSED, and_(mine, waits)).returning(_d.edition_id)
    for edition_id in connection.scalars(suppressed).all():
        recount(connection, edition_id)
    connection.execute(update(deliveries).where(mine, _d.reply.is_not(None)).values(reply=null()))
