"""The delivery's tick: what is ready goes to the relay, unless the relay asked to be left alone."""

import time
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime

from ketapress.daemon.context import Ground
from ketapress.daemon.counters import Measures
from ketapress.deliver.report import EditionReport, died_problem
from ketapress.mail_service import MailService
from ketapress.model.delivery import Verdict
from ketapress.model.errors import Problem
from ketapress.model.settings import RelaySettings

KEPT_EVERY = 5.0
"""Seconds from one writing down of what was counted to the next: an edition may be on its way for hours."""


class Sending:
    """The delivery of one publication."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._measures = Measures(ground.root, "delivery")
        self._kept_at = time.monotonic()
        self._rests_until = datetime.min.replace(tzinfo=UTC)
        self._relay: RelaySettings | None = None
        self._problems: tuple[Problem, ...] = ()
        self._said: dict[str, str] = {}

    def __call__(self) -> Iterable[Problem]:
        """Sends, but not to a relay that asked for rest: a password tried every few seconds locks accounts.

        Other settings of the relay are tried at once.
        """
        ground = self._ground
        if ground.clock() < self._rests_until and ground.settings.relay == self._relay:
            return self._problems
        self._relay, self._rests_until = ground.settings.relay, datetime.min.replace(tzinfo=UTC)
        with closing(ground.publication()) as publication, publication.exclusive_lock("send"):
            reports = MailService(publication).send(
                ground.clock, stop=ground.stop.is_set, heard=self._heard, doubted=self._doubted
            )
        self._keep()
        for each in reports:
            if each.problem and each.next_at:
                self._rests_until = each.next_at
            self._say(each)
        self._problems = tuple(each.problem for each in reports if each.problem)
        return self._problems

    def _say(self, report: EditionReport) -> None:
        """How an edition stands, where that is news: one that waits for a late reader says so once."""
        name, state = report.edition, str(report.state)
        message = f"{name} is {state}: {report.sent} sent, {report.failed} failed. {report.note}".strip()
        if self._said.get(name) != message and (report.sent or report.failed or report.problem):
            self._ground.log.info("sent", message, edition=name, state=state)
        self._said[name] = message

    def _doubted(self, count: int) -> None:
        problem = died_problem(count, self._ground.settings.relay.in_doubt)
        self._ground.log.problem(problem, then="Everybody else is sent to as if nothing had happened.")

    def _heard(self, verdict: Verdict) -> None:
        code = verdict.reply.code
        self._measures.add(f"replies_{code // 100}xx" if code else "replies_none")
        if time.monotonic() - self._kept_at >= KEPT_EVERY:
            self._keep()

    def _keep(self) -> None:
        self._measures.keep()
        self._kept_at = time.monotonic()
