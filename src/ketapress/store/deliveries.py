"""Edge: the ledger. One row for each edition and subscription, from queued to an end that is never left again.

In: an edition, results, intents, `now`. Out: recipients to send to, leave to send, counts. A message may go out only
after `commit` returned its subscription: that is the promise, and the deliver act keeps its half of it. Nothing here
talks to a relay, or decides when to try again.

Whose a row is while it is in hand is a number from `workers`, never used twice. A worker that was declared dead has
lost its number: what it commits when it wakes changes nothing that somebody else took over.
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

LEASE_MICROSECONDS = 60_000_000  # microseconds a worker is believed alive after it was last heard of
_LEASE_SECONDS = LEASE_MICROSECONDS / 1_000_000
_PAGE_SIZE = 5000  # lines a read
_delivery, _edition = deliveries.c, editions.c


def boot_clock_seconds() -> float:
    """Seconds of a clock that goes on while this process is stopped, and where the system has one, the machine."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Deliveries:
    """The ledger, as one process writes in it: what it claims is its own until it settles it or dies.

    `clock` counts seconds, also those in which this process does not run.
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
        """Writes a queued delivery for everybody who is active now; how many there are. The edition is then sending.

        In short transactions by ascending subscription, up to the highest one at the start: who is killed in the
        middle goes on where it stopped, and who signs up meanwhile gets the next edition. With nobody active the
        edition stays ready, and the answer is 0.
        """
        with self._transactions.write() as connection:
            start_freeze(connection, edition_id, newsletter, now)
        has_more = True
        while has_more:
            # Whatever a crash takes of these is frozen again: no message leaves before its intent's commit, which waits.
            with self._transactions.write(async_commit=True) as connection:
                has_more = freeze_chunk(connection, edition_id, newsletter, chunk_size)
        with self._transactions.read() as connection:
            return _frozen_count(connection, edition_id)

    def has_recipients(self, newsletter: str) -> bool:
        """Whether an edition of this newsletter would go to anybody."""
        with self._transactions.read() as connection:
            return has_active_subscriptions(connection, newsletter)

    def claim(self, edition_id: int, limit: int, worker: str, now: datetime) -> tuple[Recipient, ...]:
        """Takes up to `limit` due deliveries for this worker; none when nothing is due or the edition is not sending.

        Those of people who left meanwhile are suppressed on the way. Raises TakenOver where this worker was declared
        dead since its last claim: what it has in hand is not its own, and `recover` lets it begin anew.
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
        """One transaction: writes results, and turns intents from claimed to sending. Returns those that may go out.

        Consent and the edition are looked at again. An intent that may not go out is suppressed when its subscriber
        left, ended when the edition was cancelled, and handed back otherwise. `now` becomes `dated` of an intent that
        has none: the Date of the message has to be the same instant. A result deferred clears it, in doubt keeps it;
        in doubt with `next_at` is claimed again by itself, without it waits for a person.

        Raises TakenOver where this process was declared dead, or slept through its lease on the way: results count
        where nobody else took the delivery, and no intent may go out.
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
        """Says that this process is alive, for a worker that waits longer than half a lease without a commit."""
        with self._transactions.write() as connection:
            self._renew_own_lease(connection)

    def release_claims(self, edition_id: int, worker: str, now: datetime) -> int:
        """Hands back what this worker claimed in the edition and did not begin to send; how many."""
        if worker not in self._id_by_worker:
            return 0
        own_rows = and_(_delivery.edition_id == edition_id, _delivery.worker_id == self._id_by_worker[worker])
        with self._transactions.write() as connection:
            return return_claimed(connection, lock_edition_state(connection, edition_id), own_rows, now)

    def recover(self, policy: str, now: datetime) -> tuple[int, int]:
        """Takes over from workers that are dead: how many deliveries were handed back, how many are now in doubt.

        For the start of sending, when this process has nothing under way: what it left behind itself is taken over
        too. On SQLite everybody else is dead, so hold the folder's lock; on PostgreSQL whose lease has run out by the
        database's clock. With the policy `resend`, what is in doubt in editions that are not over may be claimed at
        once; with `hold` it waits for a person.
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
        """Puts results into a file that could not be written here; its name, or nothing if that fails too.

        The next `recover` writes them, where nobody else took the deliveries over.
        """
        return self._spill_file.save(UnsavedResults(edition_id, self._worker_ids, tuple(results)))

    def end_waiting(self, edition_id: int, state: DeliveryState, now: datetime) -> int:  # noqa: ARG002 - as its siblings
        """What waits in the edition ends as EXPIRED or CANCELLED; how many. What is in doubt stays so, for a person."""
        with self._transactions.write() as connection:
            return end_waiting(connection, edition_id, state)

    def counts(self, edition_id: int | None = None) -> dict[DeliveryState, int]:
        """How many deliveries stand in each state, zeros included; of one edition, or of all."""
        with self._transactions.read() as connection:
            return count_deliveries(connection, edition_id)

    def count_messages_since(self, moment: datetime) -> int:
        """How many messages of all editions went to their dot since then, or are about to."""
        with self._transactions.read() as connection:
            return count_messages_since(connection, moment)

    def counts_match(self, edition_id: int) -> bool:
        """The conservation law: what was frozen is the sum of what stands in all states."""
        with self._transactions.read() as connection:
            return _frozen_count(connection, edition_id) == count_rows(connection, edition_id)

    def next_attempt_at(self, edition_id: int) -> datetime | None:
        """When the next delivery may be claimed, which may be long past; None when none will be by itself."""
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
        """Every delivery of the edition, or those in one state, for people; an erased person's has no address.

        Read page by page.
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
        """A fresh lease, before anything else of a transaction; False where there is none any more to renew."""
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
    """The worker's number with a fresh lease: the one it has, or a new one if it has none."""
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
    """The next due deliveries that are still wanted; looks on when a whole portion was not."""
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
    """Intents that may not go out: the subscriber left, or the edition is not sending any more."""
    inactive_rows = and_(own_rows, _delivery.state == DeliveryState.CLAIMED, ~IS_ACTIVE)
    connection.execute(transition(DeliveryState.SUPPRESSED, inactive_rows))
    return_claimed(connection, state, own_rows, now)


def _suppress_dead_addresses(
    connection: Connection, results: Sequence[DeliveryResult], now: datetime
) -> None:
    """Everything that a dead address subscribed to is unreachable, not only what was just sent to it."""
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
