"""The statements of the ledger: which arrows deliveries take, and how rows end with their edition or their person.

Part of the edge: everything here works on a connection, inside a transaction that somebody else opened. The arrows
are guards in SQL, so that a row which somebody else moved meanwhile stays where it is.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
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
    func,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from ketapress.model.delivery import ARROWS, DeliveryState, Result
from ketapress.model.edition import EditionState
from ketapress.model.subscriber import SubscriptionState
from ketapress.store.counts import recount
from ketapress.store.tables import (
    EPOCH,
    DeliveryCode,
    Instant,
    deliveries,
    editions,
    instant,
    subscribers,
    subscriptions,
)

AT_ONCE = EPOCH
"""`next_at` of a delivery that may go out at any time: in the past, whatever moment one asks about."""

SOURCES = {
    target: tuple(state for state, targets in ARROWS.items() if target in targets) for target in DeliveryState
}
"""The arrows backwards: from where a delivery may come into a state."""

_TRIED = frozenset(ARROWS[DeliveryState.SENDING])  # results that count as a try
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


def due(edition_id: int, limit: int, now: datetime) -> Select[Any]:
    """The next deliveries that may be claimed, with their person, and whether that person still wants them.

    New ones come before those that are late. On PostgreSQL, rows that another worker is taking are passed over.
    """
    return (
        select(
            _d.subscription_id,
            _d.attempts,
            _d.dated,
            subscribers.c.address,
            subscribers.c.name,
            (subscriptions.c.state == SubscriptionState.ACTIVE).label("wanted"),
        )
        .select_from(deliveries)
        .outerjoin(subscriptions, subscriptions.c.id == _d.subscription_id)
        .outerjoin(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(_d.edition_id == edition_id, _d.next_at <= now)
        .order_by(_d.next_at, _d.subscription_id)
        .limit(limit)
        .with_for_update(of=deliveries, skip_locked=True)
    )


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


def write_results(
    connection: Connection, edition_id: int, results: Sequence[Result], workers: Sequence[int]
) -> None:
    """Each result where its delivery is still in these workers' hands: one statement for each kind of result."""
    for target in {result.state for result in results}:
        connection.execute(
            _result_statement(target, tuple(workers)),
            [
                {
                    "edition": edition_id,
                    "subscription": result.subscription_id,
                    "said": result.reply or None,
                    "again_at": result.next_at or (None if target is DeliveryState.IN_DOUBT else AT_ONCE),
                }
                for result in results
                if result.state is target
            ],
        )


@lru_cache(maxsize=64)
def _result_statement(target: DeliveryState, workers: tuple[int, ...]) -> Update:
    """A message that was refused or never left is dated anew next time; one in doubt keeps its date, and its worker."""
    one = and_(_d.edition_id == bindparam("edition"), _d.subscription_id == bindparam("subscription"))
    if target in {DeliveryState.CLAIMED, DeliveryState.SENDING}:
        raise ValueError(f"{target} is no result: only `claim` and `commit` look at who may be sent to")
    known = exists().where(subscriptions.c.id == _d.subscription_id)  # not erased since the message was sent
    values: dict[str, Any] = {
        "reply": case((known, bindparam("said"))),
        "attempts": _d.attempts + int(target in _TRIED),
    }
    if target in {DeliveryState.QUEUED, DeliveryState.DEFERRED, DeliveryState.IN_DOUBT}:
        values["next_at"] = bindparam("again_at")
    if target is DeliveryState.DEFERRED:
        values["dated"] = null()
    if target is DeliveryState.IN_DOUBT:
        values["worker_id"] = _d.worker_id
    return moved(target, and_(one, held_by(workers)), **values)


def write_intents(
    connection: Connection,
    edition_id: int,
    intents: Collection[int],
    workers: Sequence[int],
    now: datetime,
) -> frozenset[int]:
    """Those of the intents that may go out are sending from here on: claimed by these workers, and still wanted."""
    values = {"edition": edition_id, "intents": list(intents), "moment": now}
    return frozenset(connection.scalars(_intent_statement(tuple(workers)), values))


@lru_cache(maxsize=64)
def _intent_statement(workers: tuple[int, ...]) -> ReturningUpdate[Any]:
    asked = and_(
        _d.edition_id == bindparam("edition"), _d.subscription_id.in_(bindparam("intents", expanding=True))
    )
    intent = moved(
        DeliveryState.SENDING,
        and_(asked, held_by(workers), ACTIVE),
        worker_id=_d.worker_id,
        dated=func.coalesce(_d.dated, bindparam("moment", type_=Instant)),
    )
    return intent.returning(_d.subscription_id)


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
