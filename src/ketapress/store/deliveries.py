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

from ketapress.model.delivery import DeliveryLine, DeliveryState, Recipient, Result, TakenOver
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
from ketapress.store.spill_file import Spill, Unwritten
from ketapress.store.statements.consent import end_consent
from ketapress.store.statements.counts import begun_since, delivery_counts, really_counted, recount
from ketapress.store.statements.delivery_batch import (
    due,
    kept_state,
    write_claims,
    write_intents,
    write_results,
)
from ketapress.store.statements.freeze import anybody_active, freeze_chunk, start_freeze
from ketapress.store.statements.recovery import recover
from ketapress.store.statements.transitions import (
    ACTIVE,
    AT_ONCE,
    edition_state,
    give_up,
    hand_back,
    held_by,
    moved,
    these,
)

LEASE = 60_000_000  # microseconds a worker is believed alive after it was last heard of
_SECONDS = LEASE / 1_000_000
_PAGE = 5000  # lines a read
_d, _e = deliveries.c, editions.c


def awake() -> float:
    """Seconds of a clock that goes on while this process is stopped, and where the system has one, the machine."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Deliveries:
    """The ledger, as one process writes in it: what it claims is its own until it settles it or dies.

    `clock` counts seconds, also those in which this process does not run.
    """

    def __init__(
        self, transactions: Transactions, spill: Path | None = None, *, clock: Callable[[], float] = awake
    ) -> None:
        self._transactions = transactions
        self._spill = Spill(spill)
        self._clock = clock
        self._workers: dict[str, int] = {}

    def freeze(self, edition_id: int, newsletter: str, now: datetime, *, chunk: int = 20_000) -> int:
        """Writes a queued delivery for everybody who is active now; how many there are. The edition is then sending.

        In short transactions by ascending subscription, up to the highest one at the start: who is killed in the
        middle goes on where it stopped, and who signs up meanwhile gets the next edition. With nobody active the
        edition stays ready, and the answer is 0.
        """
        with self._transactions.write() as connection:
            start_freeze(connection, edition_id, newsletter, now)
        more = True
        while more:
            # Whatever a crash takes of these is frozen again: no message leaves before its intent's commit, which waits.
            with self._transactions.write(soon=True) as connection:
                more = freeze_chunk(connection, edition_id, newsletter, chunk)
        with self._transactions.read() as connection:
            return _frozen(connection, edition_id)

    def wanted(self, newsletter: str) -> bool:
        """Whether an edition of this newsletter would go to anybody."""
        with self._transactions.read() as connection:
            return anybody_active(connection, newsletter)

    def claim(self, edition_id: int, limit: int, worker: str, now: datetime) -> tuple[Recipient, ...]:
        """Takes up to `limit` due deliveries for this worker; none when nothing is due or the edition is not sending.

        Those of people who left meanwhile are suppressed on the way. Raises TakenOver where this worker was declared
        dead since its last claim: what it has in hand is not its own, and `recover` lets it begin anew.
        """
        with self._transactions.write() as connection:
            number = _enrolled(connection, worker, self._workers.get(worker))
            sending = edition_state(connection, edition_id) is EditionState.SENDING
            recipients = _claimed(connection, edition_id, limit, number, now) if sending else ()
        self._workers[worker] = number
        return recipients

    def commit(
        self, edition_id: int, *, results: Sequence[Result], intents: Collection[int], now: datetime
    ) -> frozenset[int]:
        """One transaction: writes results, and turns intents from claimed to sending. Returns those that may go out.

        Consent and the edition are looked at again. An intent that may not go out is suppressed when its subscriber
        left, ended when the edition was cancelled, and handed back otherwise. `now` becomes `dated` of an intent that
        has none: the Date of the message has to be the same instant. A result deferred clears it, in doubt keeps it;
        in doubt with `next_at` is claimed again by itself, without it waits for a person.

        Raises TakenOver where this process was declared dead, or slept through its lease on the way: results count
        where nobody else took the delivery, and no intent may go out.
        """
        began = self._clock()
        with self._transactions.turn() as connection:
            edition = kept_state(connection, edition_id)
            alive = self._renew(connection)
            write_results(connection, edition_id, results, self._numbers)
            _end_dead_addresses(connection, results, now)
            allowed: frozenset[int] = frozenset()
            if intents and edition is EditionState.SENDING:
                allowed = write_intents(connection, edition_id, intents, self._numbers, now)
            if refused := [each for each in intents if each not in allowed]:
                _refuse(connection, edition, and_(these(edition_id, refused), held_by(self._numbers)), now)
            if edition is EditionState.CANCELLED:
                give_up(connection, edition_id, DeliveryState.CANCELLED)
            if edition is EditionState.DONE:
                recount(connection, edition_id)
        if not alive or (self._transactions.shared and self._clock() - began > _SECONDS):
            raise TakenOver
        return allowed

    def renew(self) -> None:
        """Says that this process is alive, for a worker that waits longer than half a lease without a commit."""
        with self._transactions.write() as connection:
            self._renew(connection)

    def release(self, edition_id: int, worker: str, now: datetime) -> int:
        """Hands back what this worker claimed in the edition and did not begin to send; how many."""
        if worker not in self._workers:
            return 0
        mine = and_(_d.edition_id == edition_id, _d.worker_id == self._workers[worker])
        with self._transactions.write() as connection:
            return hand_back(connection, edition_state(connection, edition_id), mine, now)

    def recover(self, policy: str, now: datetime) -> tuple[int, int]:
        """Takes over from workers that are dead: how many deliveries were handed back, how many are now in doubt.

        For the start of sending, when this process has nothing under way: what it left behind itself is taken over
        too. On SQLite everybody else is dead, so hold the folder's lock; on PostgreSQL whose lease has run out by the
        database's clock. With the policy `resend`, what is in doubt in editions that are not over may be claimed at
        once; with `hold` it waits for a person.
        """
        left = self._spill.kept()
        with self._transactions.write() as connection:
            if left is not None:
                write_results(connection, left.edition_id, left.results, left.workers)
                _end_dead_addresses(connection, left.results, now)
                recount(connection, left.edition_id)
            found = recover(connection, self._numbers, policy, now, leased=self._transactions.shared)
        self._workers.clear()
        self._spill.reserve()
        return found

    def keep(self, edition_id: int, results: Sequence[Result]) -> str:
        """Puts results into a file that could not be written here; its name, or nothing if that fails too.

        The next `recover` writes them, where nobody else took the deliveries over.
        """
        return self._spill.keep(Unwritten(edition_id, self._numbers, tuple(results)))

    def give_up(self, edition_id: int, state: DeliveryState, now: datetime) -> int:  # noqa: ARG002 - as its siblings
        """What waits in the edition ends as EXPIRED or CANCELLED; how many. What is in doubt stays so, for a person."""
        with self._transactions.write() as connection:
            return give_up(connection, edition_id, state)

    def counts(self, edition_id: int | None = None) -> dict[DeliveryState, int]:
        """How many deliveries stand in each state, zeros included; of one edition, or of all."""
        with self._transactions.read() as connection:
            return delivery_counts(connection, edition_id)

    def begun_since(self, moment: datetime) -> int:
        """How many messages of all editions went to their dot since then, or are about to."""
        with self._transactions.read() as connection:
            return begun_since(connection, moment)

    def conserved(self, edition_id: int) -> bool:
        """The conservation law: what was frozen is the sum of what stands in all states."""
        with self._transactions.read() as connection:
            return _frozen(connection, edition_id) == really_counted(connection, edition_id)

    def next_due(self, edition_id: int) -> datetime | None:
        """When the next delivery may be claimed, which may be long past; None when none will be by itself."""
        with self._transactions.read() as connection:
            earliest: datetime | None = connection.scalar(
                select(func.min(_d.next_at)).where(_d.edition_id == edition_id, _d.next_at.is_not(None))
            )
        return earliest

    def lines(self, edition_id: int, state: DeliveryState | None = None) -> Iterator[DeliveryLine]:
        """Every delivery of the edition, or those in one state, for people; an erased person's has no address.

        Read page by page.
        """
        last = 0
        while True:
            with self._transactions.read() as connection:
                page = _lines(connection, edition_id, state, last)
            if not page:
                return
            yield from page
            last = page[-1].subscription_id

    @property
    def _numbers(self) -> tuple[int, ...]:
        return tuple(self._workers.values())

    def _renew(self, connection: Connection) -> bool:
        """A fresh lease, before anything else of a transaction; False where there is none any more to renew."""
        if not self._transactions.shared or not self._workers:
            return True
        alive = update(workers).where(workers.c.id.in_(self._numbers))
        return connection.execute(alive.values(lease_until=DatabaseClock() + LEASE)).rowcount > 0


def _frozen(connection: Connection, edition_id: int) -> int:
    frozen: int = connection.execute(select(_e.frozen).where(_e.id == edition_id)).scalar_one()
    return frozen


def _enrolled(connection: Connection, worker: str, number: int | None) -> int:
    """The worker's number with a fresh lease: the one it has, or a new one if it has none."""
    lease = DatabaseClock() + LEASE
    if number is not None:
        kept = update(workers).where(workers.c.id == number).values(lease_until=lease)
        if not connection.execute(kept).rowcount:
            raise TakenOver
        return number
    enrolled = insert(workers).values(name=worker, lease_until=lease).returning(workers.c.id)
    fresh: int = connection.execute(enrolled).scalar_one()
    return fresh


def _claimed(
    connection: Connection, edition_id: int, limit: int, number: int, now: datetime
) -> tuple[Recipient, ...]:
    """The next due deliveries that are still wanted; looks on when a whole portion was not."""
    while True:
        wanted, unwanted = due(connection, edition_id, limit, now)
        if unwanted:
            connection.execute(moved(DeliveryState.SUPPRESSED, these(edition_id, unwanted)))
        if wanted:
            write_claims(connection, edition_id, [each.subscription_id for each in wanted], number)
        if wanted or not unwanted:
            return tuple(wanted)


def _refuse(
    connection: Connection, edition: EditionState | None, mine: ColumnElement[bool], now: datetime
) -> None:
    """Intents that may not go out: the subscriber left, or the edition is not sending any more."""
    unwanted = and_(mine, _d.state == DeliveryState.CLAIMED, ~ACTIVE)
    connection.execute(moved(DeliveryState.SUPPRESSED, unwanted))
    hand_back(connection, edition, mine, now)


def _end_dead_addresses(connection: Connection, results: Sequence[Result], now: datetime) -> None:
    """Everything that a dead address subscribed to is unreachable, not only what was just sent to it."""
    dead = [result.subscription_id for result in results if result.suppress]
    if dead:
        persons = select(subscriptions.c.subscriber_id).where(subscriptions.c.id.in_(dead))
        theirs = select(subscriptions.c.id).where(subscriptions.c.subscriber_id.in_(persons))
        end_consent(connection, theirs, SubscriptionState.UNREACHABLE, "relay", now)


def _lines(
    connection: Connection, edition_id: int, state: DeliveryState | None, last: int
) -> list[DeliveryLine]:
    wanted = true() if state is None else _d.state == state
    rows = connection.execute(
        select(*_d, subscribers.c.address, _e.newsletter, _e.slot_key)
        .select_from(deliveries)
        .join(editions, _e.id == _d.edition_id)
        .outerjoin(subscriptions, subscriptions.c.id == _d.subscription_id)
        .outerjoin(subscribers, subscribers.c.id == subscriptions.c.subscriber_id)
        .where(_d.edition_id == edition_id, _d.subscription_id > last, wanted)
        .order_by(_d.subscription_id)
        .limit(_PAGE)
    )
    return [
        DeliveryLine(
            edition=f"{row.newsletter}/{row.slot_key}",
            subscription_id=row.subscription_id,
            address=row.address or "",
            state=row.state,
            attempts=row.attempts,
            reply=row.reply or "",
            next_at=None if row.next_at == AT_ONCE else row.next_at,
            dated=row.dated,
        )
        for row in rows
    ]
