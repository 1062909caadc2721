"""One round over an edition: its due deliveries go out over a few open connections until none is left.

In: the edition's letter, the relay, leave to send (`turns`). Out: why the round ended. It never decides what becomes
of an edition, and never waits for a delivery that is due later.
"""

import asyncio
from datetime import UTC, datetime, timedelta

from ketapress.deliver.context import Load, Parcel, Road
from ketapress.deliver.domain_queue import Hand
from ketapress.deliver.group_commit import Turns
from ketapress.deliver.retry_policy import Course, Trend, course, settled
from ketapress.model.delivery import DeliveryResult, DeliveryState, Fault, Recipient, Reply, Verdict
from ketapress.relay.classify import verdict
from ketapress.relay.client import Connection, NotOpened
from ketapress.relay.rate_limit import most_a_day
from ketapress.relay.transaction import Envelope

BATCH = 500
"""Deliveries claimed at a time, at the most: a claim costs 11 us a row then, and a kill leaves no more to hand back."""

BATCH_A_LINE = 16
"""And no more for each line: of several senders none takes what others could be sending."""

WARM_BATCH = 50
"""On a day of a warm-up: several senders on one database may each be so far beyond what it allows."""

MOST_IN_HAND = 4 * BATCH
"""Where one domain is slow, so many are claimed at the most in search of others."""


class Round:
    """The state that the connections of one round share. `course` and `verdict` tell why it ended.

    `warm_until` is when more may go out, where a warm-up stopped it.
    """

    def __init__(self, load: Load, road: Road, turns: Turns) -> None:
        self._load = load
        self._road = road
        self._turns = turns
        self._hand = Hand(road.pace)
        self._rate = road.pace.rate
        self._pacing = asyncio.Lock()
        self._lane_free = asyncio.Event()
        self._claiming = asyncio.Lock()
        self._dated = road.clock()
        self._more = True  # until a claim comes back empty
        self._trend = Trend()
        self._open = 0
        self.course = Course.GO_ON
        self.verdict: Verdict | None = None
        self.stopped = False
        self.warm_until: datetime | None = None

    async def run(self) -> None:
        """Carries until nothing is due, or somebody says stop. One connection first: if it fails, so would the rest."""
        if not await self._due():
            return
        line = await self._opened()
        if line is None:
            return
        more = min(self._road.relay.connections, len(self._hand)) - 1
        try:
            async with asyncio.TaskGroup() as carriers:
                for each in (line, *[None] * more):
                    carriers.create_task(self._carry(each))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None  # the first one ended the others

    async def _carry(self, line: Connection | None) -> None:
        """One connection's work: message after message, and a new line when the old one is spent."""
        parcel: Parcel | None = None
        try:
            while not self._over() and (parcel or await self._due()):
                if line is None or not line.usable:
                    spent, line = line, None
                    await self._closed(spent)
                    line = await self._opened()
                if line is None:
                    break
                parcel = parcel or await self._paced()
                if parcel is not None:
                    parcel = await self._delivered(line, parcel)
        finally:
            if parcel is not None:
                self._put_back(parcel.recipient)
            await self._closed(line)

    def _over(self) -> bool:
        """Whether nothing more may go out: somebody said stop, the relay or the ledger did."""
        self.stopped = self.stopped or self._road.stop()
        return self.stopped or self.course is not Course.GO_ON or self._turns.over

    async def _due(self) -> bool:
        """Whether there is a delivery to carry: claims some when none is at hand, unless the round is over."""
        async with self._claiming:
            if self._over():
                return False
            while self._wanting:
                self._dated = self._road.clock()
                portion = await self._portion()
                claimed = await self._turns.claimed(portion) if portion else ()
                self._more = bool(claimed)
                self._hand.take_up(claimed, self._now())
            return bool(self._hand)

    @property
    def _wanting(self) -> bool:
        """Whether more should be claimed before the next is drawn."""
        return self._more and len(self._hand) < MOST_IN_HAND and self._hand.crowded

    async def _portion(self) -> int:
        """How many may be claimed now: fewer on a day of a warm-up, and none when that day's are used up."""
        began = self._road.relay.warm_up
        today = self._dated.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        most = most_a_day(began, today.date()) if began else None
        if most is None:
            return min(BATCH, BATCH_A_LINE * self._road.relay.connections)
        left = most - await self._turns.begun_since(today)
        self.warm_until = today + timedelta(days=1) if left <= 0 else None
        return max(0, min(left, WARM_BATCH))

    async def _paced(self) -> Parcel | None:
        """The next message, when the rate allows it; None when the round is over, or others took the last one."""
        async with self._pacing:
            wait = self._rate.wait(self._now())
            while wait > 0 and not self._over():
                await self._road.pause(min(wait, 1))  # in small steps, so that a stop is heard
                wait -= 1
        if self._over():
            return None
        parcel = self._next()
        if parcel is None and self._hand:
            await self._lane()
        return parcel

    async def _lane(self) -> None:
        """Waits until it is worth looking again for a domain that may have one more line."""
        seconds = self._hand.pause(self._now())
        if seconds is not None:
            await self._road.pause(min(seconds, 1))
        else:
            self._lane_free.clear()
            await self._lane_free.wait()

    def _next(self) -> Parcel | None:
        """The next delivery that can be stamped; None when there is none whose domain may have one more line."""
        while (recipient := self._hand.draw(self._now())) is not None:
            try:
                return self._packed(recipient)
            except ValueError as error:
                self._turns.settle(_unsendable(recipient, error))
                self._done(recipient, None)
        return None

    def _packed(self, recipient: Recipient) -> Parcel:
        """One message, stamped; its signature is begun. Raises ValueError where it cannot be sent."""
        dated = recipient.message_date or self._dated
        sender = self._road.relay.return_path or self._load.newsletter.sender.address
        message = self._road.stamp(self._load.letter, recipient, self._load.newsletter, dated)
        size, signature = sum(map(len, message)), None
        if self._road.signing is not None:
            more, signature = self._road.signing.begun(message, dated)
            size += more
        return Parcel(recipient, dated, Envelope(sender, recipient.address, size), message, signature)

    async def _delivered(self, line: Connection, parcel: Parcel) -> Parcel | None:
        """Delivers one; the one that was announced after it, if any."""
        announced: list[Parcel] = []

        def following() -> Envelope | None:
            if not self._rate.limited and not self._over() and not self._wanting:
                announced.extend(filter(None, [self._next()]))
            return announced[0].envelope if announced else None

        outcome = await line.transmit(
            parcel.envelope,
            parcel.message if parcel.signature is None else await parcel.whole(),
            lambda: self._turns.leave(parcel.recipient.subscription_id, parcel.dated),
            following,
        )
        if outcome is None:
            self._done(parcel.recipient, None)
        else:
            self._settle(parcel.recipient, verdict(*outcome))
        return announced[0] if announced else None

    def _settle(self, recipient: Recipient, found: Verdict) -> None:
        self._road.heard(found)
        now = self._road.clock()
        result = settled(
            recipient,
            found,
            self._trend,
            now,
            self._road.rng,
            expires=self._load.expires,
            in_doubt=self._road.relay.in_doubt,
        )
        if result is None:
            self._put_back(recipient)
        else:
            self._turns.settle(result)
            self._done(recipient, found)
        if found.fault is Fault.NONE:
            self._rate.taken(self._now())
        elif found.fault is Fault.RELAY_THROTTLED:
            self._rate.throttled(self._now())
        self._trend = self._trend.after(found)
        self._follow(course(found, self._trend, self._road.relay.connections), found)

    def _done(self, recipient: Recipient, found: Verdict | None) -> None:
        self._hand.done(recipient, found, self._now())
        self._lane_free.set()

    def _put_back(self, recipient: Recipient) -> None:
        self._hand.put_back(recipient, self._now())
        self._lane_free.set()

    def _now(self) -> float:
        return self._road.instant()

    def _follow(self, where: Course, found: Verdict) -> None:
        if self.course is Course.GO_ON and where is not Course.GO_ON:
            self.course, self.verdict = where, found

    async def _opened(self) -> Connection | None:
        """A new line; None where the relay gives none. It ends the round only when no other line is open."""
        sender = self._load.newsletter.sender
        try:
            line = await Connection.open(
                self._road.relay.url,
                hostname=sender.domain,
                deadlines=self._road.deadlines,
                context=self._road.context,
            )
        except NotOpened as refusal:
            if not self._open:
                found = verdict(refusal.phase, refusal.reply)
                self._road.heard(found)
                self._follow(Course.PAUSE_RELAY, found)
            return None
        self._open += 1
        return line

    async def _closed(self, line: Connection | None) -> None:
        if line is not None:
            self._open -= 1
            await line.close()


def _unsendable(recipient: Recipient, error: ValueError) -> DeliveryResult:
    return DeliveryResult(
        subscription_id=recipient.subscription_id,
        state=DeliveryState.FAILED,
        reply=str(Reply(0, f"not sent: {error}")),
    )
