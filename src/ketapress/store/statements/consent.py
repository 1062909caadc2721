"""Read subscribers with their subscriptions, and end and record consent."""

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
"""For each final state of a subscription, the states that it may end from."""


def select_subscribers(newsletter: str | None = None) -> Select[Any]:
    """Select subscribers with their subscriptions, to all newsletters or to one, for `to_subscribers`."""
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
    """Yield the subscribers of the rows that `select_subscribers` finds: one row a subscription."""
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
    """End subscriptions as LEFT or UNREACHABLE, and record it. Return how many were open until now."""
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
    """Record a consent event of the subscriptions that match a condition, with its origin as evidence."""
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
    """Return the secret key of the hashes of erased addresses, in hexadecimal. The first migration creates it."""
    key: str = connection.execute(
        select(properties.c.value).where(properties.c.name == "erasure")
    ).scalar_one()
    return key


def hash_erased_address(hash_key: str, address_key: str) -> str:
    """Return the keyed hash of an erased address, which recognizes the address and does not reveal it."""
    return hmac.digest(bytes.fromhex(hash_key), address_key.encode(), "sha256").hex()
