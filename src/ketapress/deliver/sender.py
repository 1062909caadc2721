"""Sending what is due: each edition that is ready or on its way, oldest first, until nothing is left to do now.

In: the store's ledger and editions, the settings, how to stamp, time and chance. Out: a report for each edition.
The caller holds the publication's lock. It never waits for what is due later, and never sleeps.
"""

import asyncio
import gc
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import NamedTuple

from ketapress.deliver.context import Load, Road
from ketapress.deliver.group_commit import Turns
from ketapress.deliver.protocols import DeliveryStore, EditionStore
from ketapress.deliver.report import EditionReport, Progress, Watch, doubt_problem, edition_report
from ketapress.deliver.retry_policy import LIFETIME, Course
from ketapress.deliver.session import Round
from ketapress.model.delivery import DeliveryState, Fault, Verdict
from ketapress.model.edition import EditionState, StoredEdition
from ketapress.model.errors import Problem
from ketapress.model.settings import NewsletterSettings

_READY, _SENDING = EditionState.READY, EditionState.SENDING
_WAITING = (DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.SENDING, DeliveryState.DEFERRED)

WORKER = "send"
"""The one name under which a process claims: the store tells processes apart by itself."""

PAUSES: Mapping[Fault, timedelta] = {
    Fault.RELAY_DOWN: timedelta(minutes=1),
    Fault.RELAY_THROTTLED: timedelta(minutes=5),
    Fault.RELAY_MISCONFIGURED: timedelta(minutes=30),  # a login refused again and again locks the account
}
"""How long to leave the relay alone after a fault that is nobody's in particular."""


class _Ended(NamedTuple):
    """Why a round ended, in the words of its report."""

    note: str
    next_at: datetime | None = None
    problem: Problem | None = None
    over: bool = False  # nothing more is sent in this run


class Sender:
    """One worker on one store. `watch` hears of progress after each commit."""

    def __init__(
        self,
        ledger: DeliveryStore,
        editions: EditionStore,
        newsletters: Mapping[str, NewsletterSettings],
        road: Road,
        *,
        watch: Watch | None = None,
    ) -> None:
        self._ledger = ledger
        self._editions = editions
        self._newsletters = newsletters
        self._road = road
        self._watch = watch

    def send(self) -> tuple[EditionReport, ...]:
        """`send_due`, for callers that are not asynchronous."""
        gc.freeze()  # what was loaded stays: looking through it again and again took a tenth of the processor's time
        try:
            return asyncio.run(self.send_due())
        finally:
            gc.unfreeze()

    async def send_due(self) -> tuple[EditionReport, ...]:
        """Delivers until nothing is due, the relay has to be left alone, or `road.stop` says so between two messages.

        Raises StoreError when the ledger cannot be written: nothing is sent from then on, and what the relay took and
        the ledger does not know is named.
        """
        async with self._road.signing or nullcontext():
            return await self._all_sent()

    async def _all_sent(self) -> tuple[EditionReport, ...]:
        self._recover()
        reports = []
        for edition in self._editions.list_sendable(self._road.clock()):
            ended = await self._sent(edition)
            reports.append(self._report(edition, ended))
            if ended.over or self._road.stop():
                break
        return tuple(reports)

    async def _sent(self, edition: StoredEdition) -> _Ended:
        """As much of one edition as can be sent now."""
        now = self._road.clock()
        newsletter = self._newsletters.get(edition.slot.newsletter)
        if newsletter is None:
            return self._held(
                edition, f"ketapress.toml has no newsletter {edition.slot.newsletter!r} any more"
            )
        late = edition.state is _READY and edition.send_deadline is not None and now > edition.send_deadline
        if late and self._ledger.has_recipients(newsletter.name):
            return self._held(edition, "the time by which it had to go out (`send_within`) is over")
        if not self._ledger.freeze(edition.id, newsletter.name, now):
            return self._unwanted(edition, now)
        expires = None if edition.send_deadline is None else edition.send_deadline + LIFETIME
        if expires is not None and now > expires:
            self._ledger.end_waiting(edition.id, DeliveryState.EXPIRED, now)
        else:
            load = Load(
                letter=self._editions.get_message_template(edition.id), newsletter=newsletter, expires=expires
            )
            ended = await self._carried(edition, load)
            while ended is None and self._recovered(edition):
                ended = await self._carried(edition, load)
            if ended is not None:
                return ended
        return self._at_rest(edition)

    def _recovered(self, edition: StoredEdition) -> bool:
        """Whether there is something to carry again that was in the hands of one who is dead."""
        counts = self._ledger.counts(edition.id)
        return bool(counts[DeliveryState.CLAIMED] or counts[DeliveryState.SENDING]) and any(self._recover())

    def _recover(self) -> tuple[int, int]:
        handed_back, doubted = self._ledger.recover(self._road.relay.in_doubt, self._road.clock())
        if doubted:
            self._road.doubted(doubted)
        return handed_back, doubted

    async def _carried(self, edition: StoredEdition, load: Load) -> _Ended | None:
        """Rounds until one ends by itself; None when it did because nothing is due.

        A round ends, with nothing in hand, when others took over what it had: this process was stopped for a while.
        """
        round_, taken_over = await self._carried_once(edition, load)
        while taken_over:
            self._recover()
            round_, taken_over = await self._carried_once(edition, load)
        return self._ended(edition, round_)

    async def _carried_once(self, edition: StoredEdition, load: Load) -> tuple[Round, bool]:
        """One round, and whether others took over what it had."""
        total = sum(self._ledger.counts(edition.id)[state] for state in _WAITING)

        def watch(done: Mapping[DeliveryState, int]) -> None:
            if self._watch is not None:
                self._watch(Progress(edition=edition.slot.edition, total=total, done=dict(done)))

        async with Turns(
            self._ledger, edition.id, WORKER, self._road.clock, watch, lines=self._road.pace.lines
        ) as turns:
            round_ = Round(load, self._road, turns)
            await round_.run()
        return round_, turns.taken_over

    def _ended(self, edition: StoredEdition, round_: Round) -> _Ended | None:
        """Why a round is over; None when nothing was due any more."""
        if round_.verdict is not None and round_.course is Course.HOLD_EDITION:
            return self._held(edition, f"the relay refuses it ({_said(round_.verdict)})")
        if round_.verdict is not None:
            return self._paused(round_.verdict)
        if round_.warm_until is not None:
            return _Ended(
                f"Today's messages of the warm-up are out; it goes on at {_shown(round_.warm_until)}.",
                round_.warm_until,
                over=True,
            )
        if round_.stopped:
            return _Ended("Stopped as asked; the next `ketapress send` goes on here.", over=True)
        return None

    def _unwanted(self, edition: StoredEdition, now: datetime) -> _Ended:
        """Nobody is subscribed: it waits for somebody until it is too late."""
        if edition.send_deadline is not None and now <= edition.send_deadline:
            return _Ended(
                f"Nobody is subscribed yet; it waits until {_shown(edition.send_deadline)}.",
                edition.send_deadline,
            )
        self._editions.transition(edition.id, {_READY, _SENDING}, EditionState.DONE, now=now)
        return _Ended("Nobody is subscribed; it is done.")

    def _held(self, edition: StoredEdition, why: str) -> _Ended:
        self._editions.transition(
            edition.id, {_READY, _SENDING}, EditionState.HELD, reason=why, now=self._road.clock()
        )
        name = edition.slot.edition
        problem = Problem(
            code="send.held",
            message=f"{name} is held: {why}.",
            cure=f"Look at it with `ketapress outbox show {name}`, mend the cause, then `ketapress outbox release {name}`.",
        )
        return _Ended("It waits for a person.", problem=problem)

    def _paused(self, verdict: Verdict) -> _Ended:
        """The relay is left alone for a while, and nobody's try is counted."""
        pause = PAUSES.get(verdict.fault, PAUSES[Fault.RELAY_DOWN])
        again = self._road.clock() + pause
        problem = Problem(
            code=f"send.{verdict.fault.replace(' ', '-')}",
            message=f"{verdict.fault}: {self._road.relay.url} {_said(verdict)}.",
            cure=_CURES.get(verdict.fault, _CURES[Fault.RELAY_DOWN]),
        )
        note = f"What is left stays queued; the relay may be tried again at {_shown(again)}."
        return _Ended(note, again, problem, over=True)

    def _at_rest(self, edition: StoredEdition) -> _Ended:
        """Nothing is due now: the edition is done, or waits for tries that are due later, or for a person."""
        counts = self._ledger.counts(edition.id)
        again = self._ledger.next_attempt_at(edition.id)
        if again is not None:
            late = counts[DeliveryState.DEFERRED] + counts[DeliveryState.IN_DOUBT]
            return _Ended(f"{late:,} will be tried again, the first at {_shown(again)}.", again)
        if doubtful := counts[DeliveryState.IN_DOUBT]:
            return _Ended("It waits for a person.", problem=doubt_problem(edition.slot.edition, doubtful))
        if elsewhere := counts[DeliveryState.CLAIMED] + counts[DeliveryState.SENDING]:
            return _Ended(f"{elsewhere:,} are in the hands of another sender.")
        if not any(counts[state] for state in _WAITING):
            self._editions.transition(edition.id, {_SENDING}, EditionState.DONE, now=self._road.clock())
        return _Ended("")

    def _report(self, edition: StoredEdition, ended: _Ended) -> EditionReport:
        stored = self._editions.get(edition.slot.newsletter, edition.slot.key)
        state = stored.state if stored is not None else None
        return edition_report(
            edition.slot.edition,
            state or _SENDING,
            self._ledger.counts(edition.id),
            left_out=(stored and stored.skipped_counts) or {},
            note=ended.note,
            next_at=ended.next_at,
            problem=ended.problem,
        )


_CURES: Mapping[Fault, str] = {
    Fault.RELAY_DOWN: "Look whether the relay runs and `relay.url` is right; nobody's try was counted.",
    Fault.RELAY_THROTTLED: "Nothing, unless it happens often: then set `relay.rate` to what the relay allows.",
    Fault.RELAY_MISCONFIGURED: "Correct `relay.url` in ketapress.toml, or the certificate or account at the relay; nothing was sent.",
}


def _said(verdict: Verdict) -> str:
    return (
        f"said at {verdict.phase}: {verdict.reply}"
        if verdict.reply.code
        else f"{verdict.phase}: {verdict.reply}"
    )


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}".strip()
