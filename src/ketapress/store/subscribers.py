"""The subscribers repository: subscribers, their subscriptions, and a record of every change of consent.

Only the subscriber can undo leaving a newsletter; no import and no operator can.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, exists, func, insert, null, select, update

from ketapress.model.address import address_key, parse_address
from ketapress.model.subscriber import (
    ConsentEvent,
    HistoryEvent,
    ImportResult,
    ImportRow,
    Subscriber,
    SubscriptionState,
)
from ketapress.store.db.engine import Transactions
from ketapress.store.db.schema import consents, deliveries, editions, subscribers, subscriptions
from ketapress.store.statements.consent import (
    end_consent,
    hash_erased_address,
    read_erasure_key,
    select_subscribers,
    to_subscribers,
)
from ketapress.store.statements.counts import get_driver_cursor
from ketapress.store.statements.counts_sql import count_subscriptions
from ketapress.store.statements.import_subscribers import SubscriberImporter, split_into_chunks
from ketapress.store.statements.transitions import erase_deliveries, match_subscriptions

_PAGE_SIZE = 2000  # subscribers a transaction


class Subscribers:
    """The subscribers and their subscriptions."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def add(
        self,
        rows: Iterable[ImportRow],
        newsletters: Sequence[str],
        origin: str,
        now: datetime,
        *,
        dry_run: bool = False,
    ) -> ImportResult:
        """Add the rows as active subscribers of these newsletters, with `origin` as the evidence of consent.

        A second row with the same address updates the subscriber of the first. Rejected, each with its reason, are
        invalid addresses, and addresses that left, are unreachable, or were erased. One transaction for each thousand
        rows, so that a sender can work meanwhile.
        """
        result = ImportResult()
        for chunk in split_into_chunks(rows):
            with self._transactions.write() as connection:
                chunk_result = SubscriberImporter(connection, newsletters, origin, now).import_rows(
                    chunk, dry_run=dry_run
                )
            result += chunk_result
        return result

    def find(self, address: str) -> Subscriber | None:
        """Return the subscriber with an address, whatever its case; None if there is none."""
        with self._transactions.read() as connection:
            rows = connection.execute(
                select_subscribers().where(subscribers.c.address_key == _lookup_key(address))
            ).all()
        return next(to_subscribers(rows), None)

    def find_by_subscription(self, subscription_id: int) -> Subscriber | None:
        """Return the subscriber who has this subscription; None if it does not exist, or was erased."""
        subscriber_id = select(subscriptions.c.subscriber_id).where(subscriptions.c.id == subscription_id)
        with self._transactions.read() as connection:
            rows = connection.execute(
                select_subscribers().where(subscribers.c.id == subscriber_id.scalar_subquery())
            ).all()
        return next(to_subscribers(rows), None)

    def iter_subscribers(self, newsletter: str | None = None) -> Iterator[Subscriber]:
        """Yield the subscribers by id: all, or those of one newsletter, with only that subscription.

        Each page is a transaction of its own, so that memory use is constant and no other process waits.
        """
        last_id = 0
        while True:
            with self._transactions.read() as connection:
                subscriber_ids = connection.scalars(_select_page(newsletter, last_id)).all()
                rows = connection.execute(
                    select_subscribers(newsletter).where(subscribers.c.id.in_(subscriber_ids))
                ).all()
            if not rows:
                return
            yield from to_subscribers(rows)
            last_id = rows[-1].id

    def counts(self) -> Mapping[tuple[str, SubscriptionState], int]:
        """Return the subscriptions by newsletter and state, without zeros."""
        with self._transactions.read() as connection:
            return count_subscriptions(get_driver_cursor(connection), self._transactions.dialect)

    def remove(self, address: str, newsletter: str | None, origin: str, now: datetime) -> int:
        """End an address's subscriptions, to one newsletter or all, and return how many. Queued messages are not sent."""
        subscription_ids = _select_subscription_ids(address)
        if newsletter is not None:
            subscription_ids = subscription_ids.where(subscriptions.c.newsletter == newsletter)
        with self._transactions.write() as connection:
            return end_consent(connection, subscription_ids, SubscriptionState.LEFT, origin, now)

    def unsubscribe(self, subscription_id: int, now: datetime) -> bool:
        """End one subscription by the link in a message. Return False if it does not exist or has ended before."""
        subscription = select(subscriptions.c.id).where(subscriptions.c.id == subscription_id)
        with self._transactions.write() as connection:
            return bool(end_consent(connection, subscription, SubscriptionState.LEFT, "subscriber", now))

    def erase(self, address: str, origin: str, now: datetime) -> bool:
        """Erase a subscriber: the address is nowhere in the database then. Return False if it is not subscribed.

        The deliveries stay, so that counts still match, but waiting ones are not sent. The consent records stay with a
        keyed hash of the address, which also stops an import of an old list from adding it again.
        """
        with self._transactions.write() as connection:
            subscriber_id = connection.scalar(
                select(subscribers.c.id).where(subscribers.c.address_key == _lookup_key(address))
            )
            if subscriber_id is None:
                return False
            _erase_subscriber(
                connection,
                subscriber_id,
                hash_erased_address(read_erasure_key(connection), _lookup_key(address)),
                origin,
                now,
            )
        self._transactions.purge_deleted()
        return True

    def list_history(self, address: str) -> tuple[HistoryEvent, ...]:
        """Return the consent events and deliveries of an address, oldest first; empty if it is not subscribed."""
        with self._transactions.read() as connection:
            events = [*_consent_events(connection, address), *_delivery_events(connection, address)]
        return tuple(sorted(events, key=lambda event: event.time))


def _lookup_key(address: str) -> str:
    """Return the key of an address as a person typed it; for invalid text, a key that no subscriber has."""
    try:
        return address_key(parse_address(address))
    except ValueError:
        return address_key(address)


def _select_subscription_ids(address: str) -> Select[Any]:
    return (
        select(subscriptions.c.id)
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(subscribers.c.address_key == _lookup_key(address))
    )


def _select_page(newsletter: str | None, last_id: int) -> Select[Any]:
    """Select the next page of subscriber ids after `last_id`."""
    query = select(subscribers.c.id).where(subscribers.c.id > last_id)
    if newsletter is not None:
        is_subscribed = (
            subscriptions.c.subscriber_id == subscribers.c.id,
            subscriptions.c.newsletter == newsletter,
        )
        query = query.where(exists().where(*is_subscribed))
    return query.order_by(subscribers.c.id).limit(_PAGE_SIZE)


def _erase_subscriber(
    connection: Connection, subscriber_id: int, address_hash: str, origin: str, now: datetime
) -> None:
    subscription_ids = select(subscriptions.c.id).where(subscriptions.c.subscriber_id == subscriber_id)
    erase_deliveries(connection, subscription_ids)
    connection.execute(
        insert(consents),
        {
            "subscriber_id": subscriber_id,
            "newsletter": "",
            "event": ConsentEvent.ERASED,
            "at": now,
            "by": origin,
        },
    )
    connection.execute(
        update(consents)
        .where(consents.c.subscriber_id == subscriber_id)
        .values(subscriber_id=null(), erased=address_hash)
    )
    connection.execute(delete(subscriptions).where(subscriptions.c.subscriber_id == subscriber_id))
    connection.execute(delete(subscribers).where(subscribers.c.id == subscriber_id))


def _consent_events(connection: Connection, address: str) -> list[HistoryEvent]:
    rows = connection.execute(
        select(consents.c.at, consents.c.event, consents.c.newsletter, consents.c.by)
        .join(subscribers, subscribers.c.id == consents.c.subscriber_id)
        .where(subscribers.c.address_key == _lookup_key(address))
        .order_by(consents.c.id)
    )
    return [
        HistoryEvent(time=row.at, kind=row.event.value, newsletter=row.newsletter, origin=row.by)
        for row in rows
    ]


def _delivery_events(connection: Connection, address: str) -> list[HistoryEvent]:
    rows = connection.execute(
        select(
            func.coalesce(deliveries.c.dated, editions.c.slot_at).label("at"),
            deliveries.c.state,
            deliveries.c.reply,
            editions.c.newsletter,
            editions.c.slot_key,
        )
        .join(editions, editions.c.id == deliveries.c.edition_id)
        .where(match_subscriptions(_select_subscription_ids(address)))
        .order_by(editions.c.slot_at)
    )
    return [
        HistoryEvent(
            time=row.at,
            kind=row.state.value,
            newsletter=row.newsletter,
            edition=f"{row.newsletter}/{row.slot_key}",
            reply=row.reply or "",
        )
        for row in rows
    ]
