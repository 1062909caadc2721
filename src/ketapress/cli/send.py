"""`ketapress send`: deliver all ready editions, then exit."""

import signal
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from threading import Event
from typing import TYPE_CHECKING, Any

from ketapress.cli.context import CommandContext, CommandResult, format_count
from ketapress.cli.decorators import command
from ketapress.cli.report_format import format_skipped
from ketapress.deliver.report import dead_sender_problem
from ketapress.edition_service import EditionService
from ketapress.mail_service import MailService
from ketapress.model.delivery import FINAL_STATES
from ketapress.model.errors import Problem, UsageError
from ketapress.model.subscriber import SubscriptionState

if TYPE_CHECKING:
    from ketapress.cli.progress import DeliveryBar
    from ketapress.deliver.report import EditionReport


@command(
    "send",
    "Deliver all ready editions, then exit. SIGTERM finishes messages in progress.",
    asks_time=True,
    writes=True,
)
def send(context: CommandContext) -> CommandResult:
    publication = context.publication
    relay = publication.settings.relay
    if context.at is not None and not relay.url.is_local:  # mail for real people goes out at the real time
        message = f"--at cannot be used with a relay on another machine ({relay.url})."
        cure = "Leave out --at, or set `relay.url` to a relay on this machine to try things out."
        raise UsageError(Problem(code="usage.at", message=message, cure=cure))
    if context.dry_run:
        return _list_sendable(context)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    start, interrupted_counts = time.monotonic(), list[int]()
    with publication.exclusive_lock("send"), _progress_bar() as bar:
        reports = MailService(publication).send(
            context.clock,
            must_stop=stop.is_set,
            on_progress=bar.update if bar else None,
            on_in_doubt=interrupted_counts.append,
        )
    rate = sum(report.sent for report in reports) / max(time.monotonic() - start, 1e-6)
    problems = [dead_sender_problem(count, relay.in_doubt) for count in interrupted_counts]
    problems += [report.problem for report in reports if report.problem]
    waiting_editions = EditionService(publication).list_to_review()
    lines = [_report_line(report) for report in reports] or ["No editions are ready to be sent."]
    for edition in waiting_editions:
        name, reason = edition.slot.edition, edition.reason and f": {edition.reason}"
        lines.append(f"{name} is {edition.state}{reason}. See `ketapress outbox show {name}`.")
    return CommandResult(
        {"editions": [_report_data(report) for report in reports], "messages_per_second": round(rate, 1)},
        lines,
        problems,
        needs_person=bool(waiting_editions) or any(report.failed for report in reports),
    )


def _list_sendable(context: CommandContext) -> CommandResult:
    """List the editions that `send` would deliver, with the number of subscribers or of unfinished deliveries."""
    store = context.publication.store
    subscriber_counts = store.subscribers.counts()
    editions: list[dict[str, Any]] = []
    lines = []
    for edition in store.editions.list_sendable(context.now):
        active = subscriber_counts.get((edition.slot.newsletter, SubscriptionState.ACTIVE), 0)
        delivery_counts = store.deliveries.counts(edition.id)
        line = (
            f"{edition.slot.edition} ({edition.state}) would be sent to {format_count(active, 'subscriber')}."
        )
        left = None
        if any(delivery_counts.values()):
            left = sum(count for state, count in delivery_counts.items() if state not in FINAL_STATES)
            line = f"{edition.slot.edition} ({edition.state}) would continue: {format_count(left, 'message')} left."
        editions.append(
            {"edition": edition.slot.edition, "state": str(edition.state), "active": active, "left": left}
        )
        lines.append(line)
    data = {"editions": editions, "dry_run": True}
    return CommandResult(data, lines or ["No editions are ready to be sent."])


def _progress_bar() -> "AbstractContextManager[DeliveryBar | None]":
    if not sys.stderr.isatty():
        return nullcontext()
    from ketapress.cli.progress import DeliveryBar

    return DeliveryBar()


def _report_data(report: "EditionReport") -> dict[str, Any]:
    return {
        "edition": report.edition,
        "state": str(report.state),
        "frozen": report.frozen,
        "queued": report.queued,
        "sent": report.sent,
        "deferred": report.deferred,
        "failed": report.failed,
        "expired": report.expired,
        "suppressed": report.suppressed,
        "cancelled": report.cancelled,
        "in_doubt": report.in_doubt,
        "left_out": dict(report.skipped_counts),
        "note": report.note,
    }


def _report_line(report: "EditionReport") -> str:
    counts = ", ".join(
        f"{count:,} {name.replace('_', ' ')}"
        for name, count in _report_data(report).items()
        if isinstance(count, int) and count and name != "frozen"
    )
    messages = f"{format_count(report.frozen, 'message')}{counts and f': {counts}'}"
    return f"{report.edition} is {report.state}. {messages}{format_skipped(report.skipped_counts)}. {report.note}".rstrip()
