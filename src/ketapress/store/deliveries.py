"""The deliveries repository: one row for each edition and subscription, from QUEUED to a final state.

A message may be sent only after `commit` has returned its subscription id: the end of data must not be written before.

A claimed row stores the id of its worker, a fencing token that is never reused. The id of a dead worker is deleted:
what that worker commits later does not change rows that another worker has taken over.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    func,
    insert,
    select,
    true,
    update,
)

from ketapress.model.delivery import DeliveryResult, DeliveryState, DeliverySummary, LeaseLostError, Recipient
from ketapress.model.edition import EditionState
from ketapress.model.subscriber import SubscriptionState
from ketapress.store.db.engine import Transactions
from ketapress.store.db.schema import (
    DatabaseClock,
    deliveries,
    editions,
    subscribers,
    subscriptions,
    workers,
)
from ketapress.store.spill_file import SpillFile, UnsavedResults
from ketapress.store.statements.consent import end_consent
from ketapress.store.statements.counts import (
    clear_saved_counts,
    count_deliveries,
    count_messages_since,
    count_rows,
)
from ketapress.store.statements.delivery_batch import (
    claimable,
    locked_state,
    write_claims,
    write_intents,
    write_results,
)
from ketapress.store.statements.freeze import freeze_chunk, has_active_subscriptions, start_freeze
from ketapress.store.statements.recovery import recover
from ketapress.store.statements.transitions import (
    DUE_NOW,
    IS_ACTIVE,
    end_waiting,
    held_by,
    lock_edition_state,
    match_deliveries,
    return_claimed,
    transition,
)

LEASE_MICROSECONDS = 60_000_000  # microseconds for which a worker is considered alive after its last renewal
_LEASE_SECONDS = LEASE_MICROSECONDS / 1_000_000
_PAGE_SIZE = 5000  # rows a transaction
_delivery, _edition = deliveries.c, editions.c


def boot_clock_seconds() -> float:
    """Return seconds of a clock that also counts while the process is stopped, and on Linux while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Deliveries:
    """The deliveries, as one process claims and writes them.

    `clock` returns seconds, including those in which the process is stopped. Without a `spill_path`, results that the
    database does not accept are not saved.
    """

    def __init__(
        self,
        transactions: Transactions,
        spill_path: Path | None = None,
        *,
        clock: Callable[[], float] = boot_clock_seconds,
    ) -> None:
        self._transactions = transactions
        self._spill_file = SpillFile(spill_path)
        self._clock = clock
        self._id_by_worker: dict[str, int] = {}

    def freeze(self, edition_id: int, newsletter: str, now: datetime, *, chunk_size: int = 20_000) -> int:
        """Freeze the recipients: write a queued delivery for each active subscription. Return how many there are.

        The edition is SENDING then; without active subscriptions it stays READY. Short transactions by ascending
        subscription, up to the highest one at the start: a freeze continues after a crash, and later subscribers get
        the next edition.
        """
        with self._transactions.write() as connection:
            start_freeze(connection, edition_id, newsletter, now)
        has_more = True
        while has_more:
            # A chunk that a crash loses is frozen again. No message is sent before a later, durable commit.
            with self._transactions.write(async_commit=True) as connection:
                has_more = freeze_chunk(connection, edition_id, newsletter, chunk_size)
        with self._transactions.read() as connection:
            return _frozen_count(connection, edition_id)

    def has_recipients(self, newsletter: str) -> bool:
        """Return whether the newsletter has an active subscription."""
        with self._transactions.read() as connection:
            return has_active_subscriptions(connection, newsletter)

    def claim(self, edition_id: int, limit: int, worker: str, now: datetime) -> tuple[Recipient, ...]:
        """Claim up to `limit` due deliveries for a worker; none if nothing is due or the edition is not SENDING.

        Suppresses deliveries of subscriptions that are no longer active. Raises LeaseLostError if the worker was
        considered dead since its last claim: its claims are not its own any more; call `recover` to start again.
        """
        with self._transactions.write() as connection:
            worker_id = _enroll_worker(connection, worker, self._id_by_worker.get(worker))
            is_sending = lock_edition_state(connection, edition_id) is EditionState.SENDING
            recipients = _claim_batch(connection, edition_id, limit, worker_id, now) if is_sending else ()
        self._id_by_worker[worker] = worker_id
        return recipients

    def commit(
        self, edition_id: int, *, results: Sequence[DeliveryResult], intents: Collection[int], now: datetime
    ) -> frozenset[int]:
        """Write results, and set intents from CLAIMED to SENDING, in one transaction. Return the ids that may be sent.

        Consent and the edition's state are checked again. An intent that may not be sent is suppressed if its
        subscriber left, ended if the edition was canceled, and otherwise returned to the queue. `now` is stored as the
        date of an intent without one, and must be the Date of its message. A DEFERRED result clears the date, an
        IN_DOUBT result keeps it; IN_DOUBT with `next_at` is sent again then, without it waits for a person.

        Raises LeaseLostError if this process was considered dead, or was stopped for longer than its lease during the
        commit: then results are written where no other worker has the delivery, and no intent may be sent.
        """
        start = self._clock()
        with self._transactions.batch() as connection:
            state = locked_state(connection, edition_id)
            has_lease = self._renew_own_lease(connection)
            write_results(connection, edition_id, results, self._worker_ids)
            _suppress_dead_addresses(connection, results, now)
            allowed_ids: frozenset[int] = frozenset()
            if intents and state is EditionState.SENDING:
                allowed_ids = write_intents(connection, edition_id, intents, self._worker_ids, now)
            if refused_ids := [
                subscription_id for subscription_id in intents if subscription_id not in allowed_ids
            ]:
                _refuse_intents(
                    connection,
                    state,
                    and_(match_deliveries(edition_id, refused_ids), held_by(self._worker_ids)),
                    now,
                )
            if state is EditionState.CANCELLED:
                end_waiting(connection, edition_id, DeliveryState.CANCELLED)
            if state is EditionState.DONE:
                clear_saved_counts(connection, edition_id)
        if not has_lease or (self._transactions.is_shared and self._clock() - start > _LEASE_SECONDS):
            raise LeaseLostError
        return allowed_ids

    def renew_lease(self) -> None:
        """Renew the leases of this process. For a worker that commits nothing for half a lease or longer."""
        with self._transactions.write() as connection:
            self._renew_own_lease(connection)

    def release_claims(self, edition_id: int, worker: str, now: datetime) -> int:
        """Return the worker's claims in an edition to the queue, except those in SENDING. Return how many."""
        if worker not in self._id_by_worker:
            return 0
        own_rows = and_(_delivery.edition_id == edition_id, _delivery.worker_id == self._id_by_worker[worker])
        with self._transactions.write() as connection:
            return return_claimed(connection, lock_edition_state(connection, edition_id), own_rows, now)

    def recover(self, policy: str, now: datetime) -> tuple[int, int]:
        """Recover deliveries from dead workers. Return how many claims were returned, and how many are newly in doubt.

        Call it before sending, when this process holds nothing: its own earlier claims are recovered, too. On SQLite
        every worker is considered dead, so hold the publication's lock; on PostgreSQL those whose lease has expired.
        `policy` decides about deliveries in doubt of open editions: `resend` lets workers claim them at once, `hold`
        waits for a person. Also writes the results of the spill file.
        """
        unsaved = self._spill_file.load()
        with self._transactions.write() as connection:
            if unsaved is not None:
                write_results(connection, unsaved.edition_id, unsaved.results, unsaved.worker_ids)
                _suppress_dead_addresses(connection, unsaved.results, now)
                clear_saved_counts(connection, unsaved.edition_id)
            outcome = recover(
                connection, self._worker_ids, policy, now, has_leases=self._transactions.is_shared
            )
        self._id_by_worker.clear()
        self._spill_file.reserve()
        return outcome

    def spill_results(self, edition_id: int, results: Sequence[DeliveryResult]) -> str:
        """Save results that the database did not accept into the spill file. Return its name; empty if that fails, too.

        The next `recover` writes them, unless another worker has the deliveries by then.
        """
        return self._spill_file.save(UnsavedResults(edition_id, self._worker_ids, tuple(results)))

    def end_waiting(self, edition_id: int, state: DeliveryState, now: datetime) -> int:  # noqa: ARG002 - like the other methods
        """End the waiting deliveries of an edition as EXPIRED or CANCELLED. Return how many.

        Deliveries in doubt stay so, and wait for a person.
        """
        with self._transactions.write() as connection:
            return end_waiting(connection, edition_id, state)

    def counts(self, edition_id: int | None = None) -> dict[DeliveryState, int]:
        """Return the deliveries of one edition, or of all, by state, zeros included."""
        with self._transactions.read() as connection:
            return count_deliveries(connection, edition_id)

    def count_messages_since(self, moment: datetime) -> int:
        """Count the messages of all editions that were sent since a moment, or are claimed and about to be sent."""
        with self._transactions.read() as connection:
            return count_messages_since(connection, moment)

    def counts_match(self, edition_id: int) -> bool:
        """Return whether an edition has as many deliveries as were frozen."""
        with self._transactions.read() as connection:
            return _frozen_count(connection, edition_id) == count_rows(connection, edition_id)

    def next_attempt_at(self, edition_id: int) -> datetime | None:
        """Return when the next delivery may be claimed, which may be long ago; None if none may automatically."""
        with self._transactions.read() as connection:
            earliest: datetime | None = connection.scalar(
                select(func.min(_delivery.next_at)).where(
                    _delivery.edition_id == edition_id, _delivery.next_at.is_not(None)
                )
            )
        return earliest

    def iter_deliveries(
        self, edition_id: int, state: DeliveryState | None = None
    ) -> Iterator[DeliverySummary]:
        """Yield an edition's deliveries, all or those in one state. The address of an erased subscriber is empty.

        Each page is a transaction of its own.
        """
        last_id = 0
        while True:
            with self._transactions.read() as connection:
                page = _read_page(connection, edition_id, state, last_id)
            if not page:
                return
            yield from page
            last_id = page[-1].subscription_id

    @property
    def _worker_ids(self) -> tuple[int, ...]:
        return tuple(self._id_by_worker.values())

    def _renew_own_lease(self, connection: Connection) -> bool:
        """Renew the leases of this process first in a transaction. Return False if its workers are considered dead."""
        if not self._transactions.is_shared or not self._id_by_worker:
            return True
        own_workers = update(workers).where(workers.c.id.in_(self._worker_ids))
        return (
            connection.execute(own_workers.values(lease_until=DatabaseClock() + LEASE_MICROSECONDS)).rowcount
            > 0
        )


def _frozen_count(connection: Connection, edition_id: int) -> int:
    count: int = connection.execute(select(_edition.frozen).where(_edition.id == edition_id)).scalar_one()
    return count


def _enroll_worker(connection: Connection, worker: str, worker_id: int | None) -> int:
    """Return the worker's id with a renewed lease; a new id if it has none. Raises LeaseLostError if it is dead."""
    lease_until = DatabaseClock() + LEASE_MICROSECONDS
    if worker_id is not None:
        renewal = update(workers).where(workers.c.id == worker_id).values(lease_until=lease_until)
        if not connection.execute(renewal).rowcount:
            raise LeaseLostError
        return worker_id
    insertion = insert(workers).values(name=worker, lease_until=lease_until).returning(workers.c.id)
    new_id: int = connection.execute(insertion).scalar_one()
    return new_id


def _claim_batch(
    connection: Connection, edition_id: int, limit: int, worker_id: int, now: datetime
) -> tuple[Recipient, ...]:
    """Claim the next due deliveries of active subscriptions, and suppress the others."""
    while True:
        recipients, unwanted_ids = claimable(connection, edition_id, limit, now)
        if unwanted_ids:
            connection.execute(
                transition(DeliveryState.SUPPRESSED, match_deliveries(edition_id, unwanted_ids))
            )
        if recipients:
            write_claims(
                connection, edition_id, [recipient.subscription_id for recipient in recipients], worker_id
            )
        if recipients or not unwanted_ids:
            return tuple(recipients)


def _refuse_intents(
    connection: Connection, state: EditionState | None, own_rows: ColumnElement[bool], now: datetime
) -> None:
    """Suppress intents of inactive subscriptions, and return the others to the queue."""
    inactive_rows = and_(own_rows, _delivery.state == DeliveryState.CLAIMED, ~IS_ACTIVE)
    connection.execute(transition(DeliveryState.SUPPRESSED, inactive_rows))
    return_claimed(connection, state, own_rows, now)


def _suppress_dead_addresses(
    connection: Connection, results: Sequence[DeliveryResult], now: datetime
) -> None:
    """End all subscriptions of dead addresses as UNREACHABLE, not only the one that a message was sent for."""
    dead_ids = [result.subscription_id for result in results if result.suppress]
    if dead_ids:
        subscriber_ids = select(subscriptions.c.subscriber_id).where(subscriptions.c.id.in_(dead_ids))
        subscription_ids = select(subscriptions.c.id).where(subscriptions.c.subscriber_id.in_(subscriber_ids))
        end_consent(connection, subscription_ids, SubscriptionState.UNREACHABLE, "relay", now)


def _read_page(
    connection: Connection, edition_id: int, state: DeliveryState | None, last_id: int
) -> list[DeliverySummary]:
    in_state = true() if state is None else _delivery.state == state
    rows = connection.execute(
        select(*_delivery, subscribers.c.address, _edition.newsletter, _edition.slot_key)
        .select_from(deliveries)
        .join(editions, _edition.id == _delivery.edition_id)
        .outerjoin(subscriptions, subscriptions.c.id == _delivery.subscription_id)
        .outerjoin(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(_delivery.edition_id == edition_id, _delivery.subscription_id > last_id, in_state)
        .order_by(_delivery.subscription_id)
        .limit(_PAGE_SIZE)
    )
    return [
        DeliverySummary(
            edition=f"{row.newsletter}/{row.slot_key}",
            subscription_id=row.subscription_id,
            address=row.address or "",
            state=row.state,
            attempts=row.attempts,
            reply=row.reply or "",
            next_at=None if row.next_at == DUE_NOW else row.next_at,
            message_date=row.dated,
        )
        for row in rows
    ]
