"""Edge: the book of people. Who subscribed to what, on whose word, and what became of it.

In: applicants, addresses, `now`. Out: subscribers, counts, histories. Every change of consent is written down, and
only the subscriber undoes having left: no import and no operator does. It sends nothing, and checks no tokens.
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

_PAGE_SIZE = 2000  # people a read


class Subscribers:
    """People and their subscriptions."""

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
        """Makes them active subscribers of these newsletters, with `by` as the evidence of their consent.

        An applicant whose address comes a second time meets the first one's row. Refused, each with its reason:
        addresses that break the grammar, and people who left, whose mail came back, or who asked to be erased.
        One transaction for each thousand, so that a sender can go on beside it.
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
        """The person with this address, in whatever case it is written."""
        with self._transactions.read() as connection:
            rows = connection.execute(
                select_subscribers().where(subscribers.c.address_key == _lookup_key(address))
            ).all()
        return next(to_subscribers(rows), None)

    def find_by_subscription(self, subscription_id: int) -> Subscriber | None:
        """The person whose subscription that is; None where there is none, or no longer."""
        subscriber_id = select(subscriptions.c.subscriber_id).where(subscriptions.c.id == subscription_id)
        with self._transactions.read() as connection:
            rows = connection.execute(
                select_subscribers().where(subscribers.c.id == subscriber_id.scalar_subquery())
            ).all()
        return next(to_subscribers(rows), None)

    def iter_subscribers(self, newsletter: str | None = None) -> Iterator[Subscriber]:
        """Everybody, or everybody with a subscription to one newsletter, with that one alone; ordered by id.

        Each page is a transaction of its own, so that memory stays flat and nobody else waits.
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
        """How many subscriptions there are, by newsletter and state; what there is none of is not there."""
        with self._transactions.read() as connection:
            return count_subscriptions(get_driver_cursor(connection), self._transactions.dialect)

    def remove(self, address: str, newsletter: str | None, origin: str, now: datetime) -> int:
        """Ends consent, to one newsletter or to all: how many subscriptions that ended. What is queued is not sent."""
        subscription_ids = _select_subscription_ids(address)
        if newsletter is not None:
            subscription_ids = subscription_ids.where(subscriptions.c.newsletter == newsletter)
        with self._transactions.write() as connection:
            return end_consent(connection, subscription_ids, SubscriptionState.LEFT, origin, now)

    def unsubscribe(self, subscription_id: int, now: datetime) -> bool:
        """The subscriber ends one subscription, by the link in a mail. False if it had ended, or never was."""
        subscription = select(subscriptions.c.id).where(subscriptions.c.id == subscription_id)
        with self._transactions.write() as connection:
            return bool(end_consent(connection, subscription, SubscriptionState.LEFT, "subscriber", now))

    def erase(self, address: str, origin: str, now: datetime) -> bool:
        """Removes the person: afterwards the address stands nowhere in the database. False if nobody has it.

        Deliveries keep their rows, so that editions still add up; what had not been sent never will be. What is kept
        of the consents names a keyed hash, which also keeps an old list from bringing the person back.
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
        """What happened to a person, changes of consent and deliveries, oldest first. Empty where nobody has it."""
        with self._transactions.read() as connection:
            events = [*_consent_events(connection, address), *_delivery_events(connection, address)]
        return tuple(sorted(events, key=lambda event: event.time))


def _lookup_key(address: str) -> str:
    """The key of an address as somebody typed it; of something that is no address, a key that nobody has."""
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
    """The next people's ids after `last`."""
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
