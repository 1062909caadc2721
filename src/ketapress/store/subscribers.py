"""Edge: the book of people. Who subscribed to what, on whose word, and what became of it.

In: applicants, addresses, `now`. Out: subscribers, counts, histories. Every change of consent is written down, and
only the subscriber undoes having left: no import and no operator does. It sends nothing, and checks no tokens.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, exists, func, insert, null, select, update

from ketapress.model.address import address_key, parsed_address
from ketapress.model.subscriber import Added, Applicant, ConsentEvent, Event, Subscriber, SubscriptionState
from ketapress.store.db.engine import Transactions
from ketapress.store.db.schema import consents, deliveries, editions, subscribers, subscriptions
from ketapress.store.statements.consent import end_consent, erased_hash, erasure_key, people, persons
from ketapress.store.statements.counts import driver_cursor
from ketapress.store.statements.counts_sql import people_counted
from ketapress.store.statements.import_subscribers import Intake, chunks
from ketapress.store.statements.transitions import forget, of_person

_PAGE = 2000  # people a read


class Subscribers:
    """People and their subscriptions."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def add(
        self,
        applicants: Iterable[Applicant],
        newsletters: Sequence[str],
        by: str,
        now: datetime,
        *,
        dry_run: bool = False,
    ) -> Added:
        """Makes them active subscribers of these newsletters, with `by` as the evidence of their consent.

        An applicant whose address comes a second time meets the first one's row. Refused, each with its reason:
        addresses that break the grammar, and people who left, whose mail came back, or who asked to be erased.
        One transaction for each thousand, so that a sender can go on beside it.
        """
        total = Added()
        for chunk in chunks(applicants):
            with self._transactions.write() as connection:
                part = Intake(connection, newsletters, by, now).take(chunk, dry_run=dry_run)
            total += part
        return total

    def find(self, address: str) -> Subscriber | None:
        """The person with this address, in whatever case it is written."""
        with self._transactions.read() as connection:
            rows = connection.execute(people().where(subscribers.c.address_key == _key(address))).all()
        return next(persons(rows), None)

    def holder(self, subscription_id: int) -> Subscriber | None:
        """The person whose subscription that is; None where there is none, or no longer."""
        whose = select(subscriptions.c.subscriber_id).where(subscriptions.c.id == subscription_id)
        with self._transactions.read() as connection:
            rows = connection.execute(people().where(subscribers.c.id == whose.scalar_subquery())).all()
        return next(persons(rows), None)

    def by_newsletter(self, newsletter: str | None = None) -> Iterator[Subscriber]:
        """Everybody, or everybody with a subscription to one newsletter, with that one alone; ordered by id.

        Each page is a transaction of its own, so that memory stays flat and nobody else waits.
        """
        last = 0
        while True:
            with self._transactions.read() as connection:
                ids = connection.scalars(_page(newsletter, last)).all()
                rows = connection.execute(people(newsletter).where(subscribers.c.id.in_(ids))).all()
            if not rows:
                return
            yield from persons(rows)
            last = rows[-1].id

    def counts(self) -> Mapping[tuple[str, SubscriptionState], int]:
        """How many subscriptions there are, by newsletter and state; what there is none of is not there."""
        with self._transactions.read() as connection:
            return people_counted(driver_cursor(connection), self._transactions.dialect)

    def remove(self, address: str, newsletter: str | None, by: str, now: datetime) -> int:
        """Ends consent, to one newsletter or to all: how many subscriptions that ended. What is queued is not sent."""
        theirs = _subscriptions_of(address)
        if newsletter is not None:
            theirs = theirs.where(subscriptions.c.newsletter == newsletter)
        with self._transactions.write() as connection:
            return end_consent(connection, theirs, SubscriptionState.LEFT, by, now)

    def leave(self, subscription_id: int, now: datetime) -> bool:
        """The subscriber ends one subscription, by the link in a mail. False if it had ended, or never was."""
        one = select(subscriptions.c.id).where(subscriptions.c.id == subscription_id)
        with self._transactions.write() as connection:
            return bool(end_consent(connection, one, SubscriptionState.LEFT, "subscriber", now))

    def erase(self, address: str, by: str, now: datetime) -> bool:
        """Removes the person: afterwards the address stands nowhere in the database. False if nobody has it.

        Deliveries keep their rows, so that editions still add up; what had not been sent never will be. What is kept
        of the consents names a keyed hash, which also keeps an old list from bringing the person back.
        """
        with self._transactions.write() as connection:
            person = connection.scalar(
                select(subscribers.c.id).where(subscribers.c.address_key == _key(address))
            )
            if person is None:
                return False
            _erase(connection, person, erased_hash(erasure_key(connection), _key(address)), by, now)
        self._transactions.scrub()
        return True

    def history(self, address: str) -> tuple[Event, ...]:
        """What happened to a person, changes of consent and deliveries, oldest first. Empty where nobody has it."""
        with self._transactions.read() as connection:
            events = [*_consents(connection, address), *_deliveries(connection, address)]
        return tuple(sorted(events, key=lambda event: event.at))


def _key(address: str) -> str:
    """The key of an address as somebody typed it; of something that is no address, a key that nobody has."""
    try:
        return address_key(parsed_address(address))
    except ValueError:
        return address_key(address)


def _subscriptions_of(address: str) -> Select[Any]:
    return (
        select(subscriptions.c.id)
        .join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(subscribers.c.address_key == _key(address))
    )


def _page(newsletter: str | None, last: int) -> Select[Any]:
    """The next people's ids after `last`."""
    ids = select(subscribers.c.id).where(subscribers.c.id > last)
    if newsletter is not None:
        theirs = (subscriptions.c.subscriber_id == subscribers.c.id, subscriptions.c.newsletter == newsletter)
        ids = ids.where(exists().where(*theirs))
    return ids.order_by(subscribers.c.id).limit(_PAGE)


def _erase(connection: Connection, person: int, erased: str, by: str, now: datetime) -> None:
    theirs = select(subscriptions.c.id).where(subscriptions.c.subscriber_id == person)
    forget(connection, theirs)
    connection.execute(
        insert(consents),
        {"subscriber_id": person, "newsletter": "", "event": ConsentEvent.ERASED, "at": now, "by": by},
    )
    connection.execute(
        update(consents).where(consents.c.subscriber_id == person).values(subscriber_id=null(), erased=erased)
    )
    connection.execute(delete(subscriptions).where(subscriptions.c.subscriber_id == person))
    connection.execute(delete(subscribers).where(subscribers.c.id == person))


def _consents(connection: Connection, address: str) -> list[Event]:
    rows = connection.execute(
        select(consents.c.at, consents.c.event, consents.c.newsletter, consents.c.by)
        .join(subscribers, subscribers.c.id == consents.c.subscriber_id)
        .where(subscribers.c.address_key == _key(address))
        .order_by(consents.c.id)
    )
    return [Event(at=row.at, what=row.event.value, newsletter=row.newsletter, by=row.by) for row in rows]


def _deliveries(connection: Connection, address: str) -> list[Event]:
    rows = connection.execute(
        select(
            func.coalesce(deliveries.c.dated, editions.c.slot_at).label("at"),
            deliveries.c.state,
            deliveries.c.reply,
            editions.c.newsletter,
            editions.c.slot_key,
        )
        .join(editions, editions.c.id == deliveries.c.edition_id)
        .where(of_person(_subscriptions_of(address)))
        .order_by(editions.c.slot_at)
    )
    return [
        Event(
            at=row.at,
            what=row.state.value,
            newsletter=row.newsletter,
            edition=f"{row.newsletter}/{row.slot_key}",
            reply=row.reply or "",
        )
        for row in rows
    ]
