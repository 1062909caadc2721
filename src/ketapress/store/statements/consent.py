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
from ketapress.store.db.schema import consents, instant_literal, properties, subscribers, subscriptions

_ENDABLE_STATES = {
    SubscriptionState.LEFT: (
        SubscriptionState.PENDING,
        SubscriptionState.ACTIVE,
        SubscriptionState.UNREACHABLE,
    ),
    SubscriptionState.UNREACHABLE: (SubscriptionState.PENDING, SubscriptionState.ACTIVE),
}
"""Into each end of a consent: from where."""


def select_subscribers(newsletter: str | None = None) -> Select[Any]:
    """Subscribers with their subscriptions, to all newsletters or to one; for `persons`."""
    join_condition = subscriptions.c.subscriber_id == subscribers.c.id
    if newsletter is not None:
        join_condition = and_(join_condition, subscriptions.c.newsletter == newsletter)
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
        .select_from(subscribers.outerjoin(subscriptions, join_condition))
        .order_by(subscribers.c.id, subscriptions.c.id)
    )


def to_subscribers(rows: Iterable[Row[Any]]) -> Iterator[Subscriber]:
    """One subscriber for all the rows of `people` that are theirs."""
    for _, subscriber_rows in groupby(rows, key=lambda row: row.id):
        first_row, *other_rows = subscriber_rows
        yield Subscriber(
            id=first_row.id,
            address=first_row.address,
            name=first_row.name,
            lang=first_row.lang,
            subscriptions=tuple(
                Subscription(
                    id=row.subscription_id, newsletter=row.newsletter, state=row.state, since=row.since
                )
                for row in (first_row, *other_rows)
                if row.subscription_id is not None
            ),
        )


def end_consent(
    connection: Connection,
    subscription_ids: Select[Any],
    end_state: SubscriptionState,
    origin: str,
    now: datetime,
) -> int:
    """These subscriptions have left, or are unreachable, and it is written down; how many had not ended before."""
    condition = and_(
        subscriptions.c.id.in_(subscription_ids), subscriptions.c.state.in_(_ENDABLE_STATES[end_state])
    )
    record_consent(connection, condition, ConsentEvent(end_state.value), origin, now)
    return connection.execute(
        update(subscriptions).where(condition).values(state=end_state, since=now)
    ).rowcount


def record_consent(
    connection: Connection, condition: ColumnElement[bool], event: ConsentEvent, origin: str, now: datetime
) -> None:
    """Writes down what happened to the consent of these subscriptions, and on whose word."""
    event_values = (literal(event, consents.c.event.type), instant_literal(now), literal(origin))
    connection.execute(
        insert(consents).from_select(
            ["subscriber_id", "newsletter", "event", "at", "by"],
            select(subscriptions.c.subscriber_id, subscriptions.c.newsletter, *event_values)
            .where(condition)
            .order_by(subscriptions.c.id),
        )
    )


def read_erasure_key(connection: Connection) -> str:
    """The key of the hashes that stand for erased people; made with the schema, never shown."""
    key: str = connection.execute(
        select(properties.c.value).where(properties.c.name == "erasure")
    ).scalar_one()
    return key


def hash_erased_address(hash_key: str, address_key: str) -> str:
    """What is kept of an erased address: enough to know it again, useless without the key."""
    return hmac.digest(bytes.fromhex(hash_key), address_key.encode(), "sha256").hex()
