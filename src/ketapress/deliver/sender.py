"""Send what is due: each edition that is ready or sending, oldest first, until nothing is due.

The caller has the publication's lock. Nothing here waits for deliveries that are due later.
"""

import asyncio
import gc
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import NamedTuple

from ketapress.deliver.context import DeliveryContext, EditionToSend
from ketapress.deliver.group_commit import GroupCommitter
from ketapress.deliver.protocols import DeliveryStore, EditionStore
from ketapress.deliver.report import (
    EditionReport,
    Progress,
    ProgressCallback,
    edition_report,
    in_doubt_problem,
)
from ketapress.deliver.retry_policy import LIFETIME, NextStep
from ketapress.deliver.session import DeliverySession
from ketapress.model.delivery import DeliveryState, Fault, Verdict
from ketapress.model.edition import EditionState, StoredEdition
from ketapress.model.errors import Problem
from ketapress.model.settings import NewsletterSettings

_READY, _SENDING = EditionState.READY, EditionState.SENDING
_UNFINISHED = (
    DeliveryState.QUEUED,
    DeliveryState.CLAIMED,
    DeliveryState.SENDING,
    DeliveryState.DEFERRED,
)

WORKER = "send"
"""The name under which each process claims: the store tells processes apart by itself."""

RELAY_PAUSES: Mapping[Fault, timedelta] = {
    Fault.RELAY_DOWN: timedelta(minutes=1),
    Fault.RELAY_THROTTLED: timedelta(minutes=5),
    Fault.RELAY_MISCONFIGURED: timedelta(minutes=30),  # frequent failed logins lock the account
}
"""How long no connection is made after a fault of the relay."""

_CURES: Mapping[Fault, str] = {
    Fault.RELAY_DOWN: "Check that the relay is running and that `relay.url` is right; no attempt was counted.",
    Fault.RELAY_THROTTLED: "Nothing, unless it happens often: then set `relay.rate` to what the relay allows.",
    Fault.RELAY_MISCONFIGURED: "Correct `relay.url` in ketapress.toml, or the certificate or account at the relay; "
    "nothing was sent.",
}


class _EditionOutcome(NamedTuple):
    """Why an edition is not sent further now, in the words of its report."""

    note: str
    next_at: datetime | None = None
    problem: Problem | None = None
    ends_run: bool = False


class Sender:
    """One worker on one store. `on_progress` is called after each commit."""

    def __init__(
        self,
        deliveries: DeliveryStore,
        editions: EditionStore,
        newsletters: Mapping[str, NewsletterSettings],
        context: DeliveryContext,
        *,
        on_progress: ProgressCallback | None = None,
    ) -> None:
        self._deliveries = deliveries
        self._editions = editions
        self._newsletters = newsletters
        self._context = context
        self._on_progress = on_progress

    def send(self) -> tuple[EditionReport, ...]:
        """Run `send_due` in an event loop of its own."""
        gc.freeze()  # what is loaded stays loaded: to collect it again and again took a tenth of the CPU time
        try:
            return asyncio.run(self.send_due())
        finally:
            gc.unfreeze()

    async def send_due(self) -> tuple[EditionReport, ...]:
        """Send until nothing is due, the relay needs a pause, or `must_stop` returns True between two messages.

        Raises StoreError if the store cannot be written: nothing is sent after that, and results that are not stored
        are named.
        """
        async with self._context.signer or nullcontext():
            self._recover()
            reports = []
            for edition in self._editions.list_sendable(self._context.clock()):
                outcome = await self._send_edition(edition)
                reports.append(self._report(edition, outcome))
                if outcome.ends_run or self._context.must_stop():
                    break
            return tuple(reports)

    def _recover(self) -> tuple[int, int]:
        """Take over from dead workers; return how many deliveries are queued again, and how many are in doubt."""
        queued, in_doubt = self._deliveries.recover(self._context.relay.in_doubt, self._context.clock())
        if in_doubt:
            self._context.on_in_doubt(in_doubt)
        return queued, in_doubt

    async def _send_edition(self, edition: StoredEdition) -> _EditionOutcome:
        now, deadline = self._context.clock(), edition.send_deadline
        newsletter = self._newsletters.get(edition.slot.newsletter)
        if newsletter is None:
            return self._hold(
                edition, f"ketapress.toml has no newsletter {edition.slot.newsletter!r} any more"
            )
        is_late = edition.state is _READY and deadline is not None and now > deadline
        if is_late and self._deliveries.has_recipients(newsletter.name):
            return self._hold(edition, "the time in which it had to be sent (`send_within`) is over")
        if not self._deliveries.freeze(edition.id, newsletter.name, now):
            return self._wait_for_subscribers(edition, now)
        expires_at = None if deadline is None else deadline + LIFETIME
        if expires_at is not None and now > expires_at:
            self._deliveries.end_waiting(edition.id, DeliveryState.EXPIRED, now)
            return self._finish_or_wait(edition)
        edition_to_send = EditionToSend(
            self._editions.get_message_template(edition.id), newsletter, expires_at
        )
        while True:
            outcome = await self._run_sessions(edition, edition_to_send)
            if outcome is not None:
                return outcome
            counts = self._deliveries.counts(edition.id)
            has_claims = counts[DeliveryState.CLAIMED] or counts[DeliveryState.SENDING]
            if not has_claims or not any(self._recover()):
                return self._finish_or_wait(edition)

    async def _run_sessions(
        self, edition: StoredEdition, edition_to_send: EditionToSend
    ) -> _EditionOutcome | None:
        """Run sessions until one ends by itself. Return None if nothing is due any more.

        A session also ends when other workers have taken over its claims, because this process was suspended.
        """
        while True:
            counts = self._deliveries.counts(edition.id)
            total = sum(counts[state] for state in _UNFINISHED)

            def report_progress(counts: Mapping[DeliveryState, int], total: int = total) -> None:
                if self._on_progress is not None:
                    self._on_progress(Progress(edition.slot.edition, total, dict(counts)))

            async with GroupCommitter(
                self._deliveries,
                edition.id,
                WORKER,
                self._context.clock,
                report_progress,
                connections=self._context.limits.connections,
            ) as committer:
                session = DeliverySession(edition_to_send, self._context, committer)
                await session.run()
            if not committer.has_lost_lease:
                break
            self._recover()
        if session.verdict is not None and session.next_step is NextStep.HOLD_EDITION:
            return self._hold(edition, f"the relay refuses it ({_format_reply(session.verdict)})")
        if session.verdict is not None:
            return self._pause_relay(session.verdict)
        if session.resumes_at is not None:
            note = f"Today's limit of the warm-up is reached; sending continues at {_format_time(session.resumes_at)}."
            return _EditionOutcome(note, session.resumes_at, ends_run=True)
        if session.is_stopped:
            return _EditionOutcome("Stopped; the next `ketapress send` continues here.", ends_run=True)
        return None

    def _wait_for_subscribers(self, edition: StoredEdition, now: datetime) -> _EditionOutcome:
        deadline = edition.send_deadline
        if deadline is not None and now <= deadline:
            note = f"There are no subscribers yet; it waits until {_format_time(deadline)}."
            return _EditionOutcome(note, deadline)
        self._editions.transition(edition.id, {_READY, _SENDING}, EditionState.DONE, now=now)
        return _EditionOutcome("There are no subscribers; it is done.")

    def _hold(self, edition: StoredEdition, reason: str) -> _EditionOutcome:
        self._editions.transition(
            edition.id, {_READY, _SENDING}, EditionState.HELD, reason=reason, now=self._context.clock()
        )
        name = edition.slot.edition
        problem = Problem(
            code="send.held",
            message=f"{name} is held: {reason}.",
            cure=f"Look at it with `ketapress outbox show {name}`, correct the cause, then run "
            f"`ketapress outbox release {name}`.",
        )
        return _EditionOutcome("It waits for your decision.", problem=problem)

    def _pause_relay(self, verdict: Verdict) -> _EditionOutcome:
        next_at = self._context.clock() + RELAY_PAUSES.get(verdict.fault, RELAY_PAUSES[Fault.RELAY_DOWN])
        problem = Problem(
            code=f"send.{verdict.fault.replace(' ', '-')}",
            message=f"{verdict.fault}: {self._context.relay.url} {_format_reply(verdict)}.",
            cure=_CURES.get(verdict.fault, _CURES[Fault.RELAY_DOWN]),
        )
        note = f"Unsent messages stay queued; the relay may be tried again at {_format_time(next_at)}."
        return _EditionOutcome(note, next_at, problem, ends_run=True)

    def _finish_or_wait(self, edition: StoredEdition) -> _EditionOutcome:
        """Mark an edition without due deliveries as done, unless it waits for later attempts or for a person."""
        counts = self._deliveries.counts(edition.id)
        next_at = self._deliveries.next_attempt_at(edition.id)
        in_doubt = counts[DeliveryState.IN_DOUBT]
        if next_at is not None:
            count = counts[DeliveryState.DEFERRED] + in_doubt
            return _EditionOutcome(
                f"{count:,} will be retried, the first at {_format_time(next_at)}.", next_at
            )
        if in_doubt:
            problem = in_doubt_problem(edition.slot.edition, in_doubt)
            return _EditionOutcome("It waits for your decision.", problem=problem)
        if claims := counts[DeliveryState.CLAIMED] + counts[DeliveryState.SENDING]:
            return _EditionOutcome(f"{claims:,} are being sent by another process.")
        if not any(counts[state] for state in _UNFINISHED):
            self._editions.transition(edition.id, {_SENDING}, EditionState.DONE, now=self._context.clock())
        return _EditionOutcome("")

    def _report(self, edition: StoredEdition, outcome: _EditionOutcome) -> EditionReport:
        stored_edition = self._editions.get(edition.slot.newsletter, edition.slot.key)
        state = stored_edition.state if stored_edition is not None else None
        return edition_report(
            edition.slot.edition,
            state or _SENDING,
            self._deliveries.counts(edition.id),
            skipped_counts=(stored_edition and stored_edition.skipped_counts) or {},
            note=outcome.note,
            next_at=outcome.next_at,
            problem=outcome.problem,
        )


def _format_reply(verdict: Verdict) -> str:
    if verdict.reply.code:
        return f"replied at {verdict.phase}: {verdict.reply}"
    return f"{verdict.phase}: {verdict.reply}"


def _format_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}".strip()
