"""Reports on a delivery for people: during a run, and after it. Values only."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import EditionState
from ketapress.model.errors import Problem, Severity


class Progress(NamedTuple):
    """How far one edition is: `total` messages are due in this run; `counts` has the results so far, by state."""

    edition: str
    total: int
    counts: Mapping[DeliveryState, int]


ProgressCallback = Callable[[Progress], None]


class EditionReport(NamedTuple):
    """The state of one edition after a run. The counts add up to `frozen`, the number of its recipients.

    `queued` are all that wait for their first attempt. `skipped_counts` are subscriptions that were no recipients, by
    state. `note` says what happens next, and `next_at` when the next attempt is due, if there is one. `problem` needs a
    person.
    """

    edition: str
    state: EditionState
    frozen: int
    queued: int
    sent: int
    deferred: int
    failed: int
    expired: int
    suppressed: int
    cancelled: int
    in_doubt: int
    skipped_counts: Mapping[str, int]
    note: str = ""
    next_at: datetime | None = None
    problem: Problem | None = None


def edition_report(
    edition: str,
    state: EditionState,
    counts: Mapping[DeliveryState, int],
    *,
    skipped_counts: Mapping[str, int] | None = None,
    note: str = "",
    next_at: datetime | None = None,
    problem: Problem | None = None,
) -> EditionReport:
    """Return a report from the store's counts. What another worker has claimed or is sending counts as queued."""
    return EditionReport(
        edition=edition,
        state=state,
        frozen=sum(counts.values()),
        queued=sum(
            counts.get(state, 0)
            for state in (DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.SENDING)
        ),
        sent=counts.get(DeliveryState.SENT, 0),
        deferred=counts.get(DeliveryState.DEFERRED, 0),
        failed=counts.get(DeliveryState.FAILED, 0),
        expired=counts.get(DeliveryState.EXPIRED, 0),
        suppressed=counts.get(DeliveryState.SUPPRESSED, 0),
        cancelled=counts.get(DeliveryState.CANCELLED, 0),
        in_doubt=counts.get(DeliveryState.IN_DOUBT, 0),
        skipped_counts=skipped_counts or {},
        note=note,
        next_at=next_at,
        problem=problem,
    )


def in_doubt_problem(edition: str, count: int) -> Problem:
    """Return the problem that a person has to decide whether messages of an edition arrived."""
    messages = "1 message" if count == 1 else f"{count:,} messages"
    return Problem(
        code="send.in-doubt",
        message=f"{edition}: {messages} may or may not have arrived, because the relay's reply was lost.",
        cure=f"`ketapress outbox resolve {edition}` lists them with their Message-IDs; decide with `--sent` or `--resend`.",
    )


def dead_sender_problem(count: int, policy: str) -> Problem:
    """Return the warning that a process died while it was sending so many messages, which may have arrived or not."""
    messages = "1 message" if count == 1 else f"{count:,} messages"
    subject = "it is" if count == 1 else "they are"
    action = "sent again with the same Message-ID" if policy == "resend" else "held for your decision"
    return Problem(
        code="send.died",
        severity=Severity.WARNING,
        message=f"a process died while it was sending {messages}, which the relay may have accepted; {subject} {action}.",
        cure="`ketapress outbox show EDITION --deliveries` lists them: attempted twice, or in doubt.",
    )
