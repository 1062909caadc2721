"""Rows of people and subscriptions, read as the nouns of the house; and how a consent ends.

Part of the edge: everything here works on a connection, inside a transaction that somebody else opened.
"""

import hmac
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, insert, literal, select, update

from ketapress.model.subscriber import ConsentEvent, Subscriber, Subscription, SubscriptionState
from ketapress.store.db.schema import consents, instant, properties, subscribers, subscriptions

_ENDS = {
    SubscriptionState.LEFT: (
        SubscriptionState.PENDING,
        SubscriptionState.ACTIVE,
        SubscriptionState.UNREACHABLE,
    ),
    SubscriptionState.UNREACHABLE: (SubscriptionState.PENDING, SubscriptionState.ACTIVE),
}
"""Into each end of a consent: from where."""


def people(newsletter: str | None = None) -> Select[Any]:
    """Subscribers with their subscriptions, to all newsletters or to one; for `persons`."""
    of_them = subscriptions.c.subscriber_id == subscribers.c.id
    if newsletter is not None:
        of_them = and_(of_them, subscriptions.c.newsletter == newsletter)
    return (
        select(
            subscribers.c.id,
            subscribers.c.address,
            subscribers.c.name,
            subscribers.c.lang,
            subscriptions.c.id.label("subscription_id"),
            subscriptions.c.newsletter,
            subscriptions.c.state,
            subscriptions.c.since,
        )
        .select_from(subscribers.outerjoin(subscriptions, of_them))
        .order_by(subscribers.c.id, subscriptions.c.id)
    )


def persons(rows: Iterable[Row[Any]]) -> Iterator[Subscriber]:
    """One subscriber for all the rows of `people` that are theirs."""
    for _, theirs in groupby(rows, key=lambda row: row.id):
        first, *more = theirs
        yield Subscriber(
            id=first.id,
            address=first.address,
            name=first.name,
            lang=first.lang,
            subscriptions=tuple(
                Subscription(
                    id=row.subscription_id, newsletter=row.newsletter, state=row.state, since=row.since
                )
                for row in (first, *more)
                if row.subscription_id is not None
            ),
        )


def end_consent(
    connection: Connection, ids: Select[Any], end: SubscriptionState, by: str, now: datetime
) -> int:
    """These subscriptions have left, or are unreachable, and it is written down; how many had not ended before."""
    open_ones = and_(subscriptions.c.id.in_(ids), subscriptions.c.state.in_(_ENDS[end]))
    record_consent(connection, open_ones, ConsentEvent(end.value), by, now)
    return connection.execute(update(subscriptions).where(open_ones).values(state=end, since=now)).rowcount


def record_consent(
    connection: Connection, which: ColumnElement[bool], event: ConsentEvent, by: str, now: datetime
) -> None:
    """Writes down what happened to the consent of these subscriptions, and on whose word."""
    said = (literal(event, consents.c.event.type), instant(now), literal(by))
    connection.execute(
        insert(consents).from_select(
            ["subscriber_id", "newsletter", "event", "at", "by"],
            select(subscriptions.c.subscriber_id, subscriptions.c.newsletter, *said)
            .where(which)
            .order_by(subscriptions.c.id),
        )
    )


def erasure_key(connection: Connection) -> str:
    """The key of the hashes that stand for erased people; made with the schema, never shown."""
    key: str = connection.execute(
        select(properties.c.value).where(properties.c.name == "erasure")
    ).scalar_one()
    return key


def erased_hash(erasure: str, address_key: str) -> str:
    """What is kept of an erased address: enough to know it again, useless without the key."""
    return hmac.digest(bytes.fromhex(erasure), address_key.encode(), "sha256").hex()
