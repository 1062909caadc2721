"""The delivery job: send the editions that are ready."""

import time
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime

from ketapress.daemon.context import DaemonContext
from ketapress.daemon.counters import Counters
from ketapress.deliver.report import EditionReport, dead_sender_problem
from ketapress.mail_service import MailService
from ketapress.model.delivery import Verdict
from ketapress.model.errors import Problem
from ketapress.model.settings import RelaySettings

SAVE_INTERVAL = 5.0
"""Seconds between saves of the counters: the delivery of one edition may take hours."""

_EPOCH = datetime.min.replace(tzinfo=UTC)


class DeliveryJob:
    """Delivery for one publication."""

    def __init__(self, context: DaemonContext) -> None:
        self._context = context
        self._counters = Counters(context.root, "delivery")
        self._last_save = time.monotonic()
        self._retry_at = _EPOCH
        self._relay: RelaySettings | None = None
        self._problems: tuple[Problem, ...] = ()
        self._last_messages: dict[str, str] = {}

    def __call__(self) -> Iterable[Problem]:
        """Send, unless the relay failed and its pause is not over: frequent wrong passwords lock accounts.

        Changed settings of the relay are tried at once.
        """
        context = self._context
        if context.clock() < self._retry_at and context.settings.relay == self._relay:
            return self._problems
        self._relay, self._retry_at = context.settings.relay, _EPOCH
        with closing(context.open_publication()) as publication, publication.exclusive_lock("send"):
            reports = MailService(publication).send(
                context.clock,
                must_stop=context.stop.is_set,
                on_verdict=self._count_reply,
                on_in_doubt=self._report_in_doubt,
            )
        self._save_counters()
        for report in reports:
            if report.problem and report.next_at:
                self._retry_at = report.next_at
            self._log_report(report)
        self._problems = tuple(report.problem for report in reports if report.problem)
        return self._problems

    def _log_report(self, report: EditionReport) -> None:
        """Log the result of an edition where it differs from the last one."""
        name, state = report.edition, str(report.state)
        message = f"{name} is {state}: {report.sent} sent, {report.failed} failed. {report.note}".strip()
        is_new = self._last_messages.get(name) != message
        if is_new and (report.sent or report.failed or report.problem):
            self._context.log.info("sent", message, edition=name, state=state)
        self._last_messages[name] = message

    def _report_in_doubt(self, count: int) -> None:
        problem = dead_sender_problem(count, self._context.settings.relay.in_doubt)
        self._context.log.problem(problem, then="Delivery to all other subscribers continues.")

    def _count_reply(self, verdict: Verdict) -> None:
        code = verdict.reply.code
        self._counters.add(f"replies_{code // 100}xx" if code else "replies_none")
        if time.monotonic() - self._last_save >= SAVE_INTERVAL:
            self._save_counters()

    def _save_counters(self) -> None:
        self._counters.save()
        self._last_save = time.monotonic()
