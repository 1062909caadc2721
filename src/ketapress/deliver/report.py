"""What people are told of a delivery: while it runs, and when it is over. Values only."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import EditionState
from ketapress.model.errors import Problem, Severity


class Progress(NamedTuple):
    """How far one edition is: `total` messages were to be tried in this run; `done` counts their results by state."""

    edition: str
    total: int
    done: Mapping[DeliveryState, int]


Watch = Callable[[Progress], None]


class EditionReport(NamedTuple):
    """How one edition stands after a run. The counts add up to `frozen`.

    `queued` are all that wait for their first try; `left_out` are subscriptions that it was not frozen for, by the
    state of their consent. `note` says what happens next; `next_at` is when there is something
    to do again by itself, if ever. `problem` is what a person has to see to.
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
    left_out: Mapping[str, int]
    note: str = ""
    next_at: datetime | None = None
    problem: Problem | None = None


def edition_report(
    edition: str,
    state: EditionState,
    counts: Mapping[DeliveryState, int],
    *,
    left_out: Mapping[str, int] | None = None,
    note: str = "",
    next_at: datetime | None = None,
    problem: Problem | None = None,
) -> EditionReport:
    """The report from the ledger's counts. What is claimed or being sent by somebody else counts as queued."""
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
        left_out=left_out or {},
        note=note,
        next_at=next_at,
        problem=problem,
    )


def doubt_problem(edition: str, count: int) -> Problem:
    """That messages of an edition wait for a person's word on whether they arrived."""
    messages = "1 message" if count == 1 else f"{count:,} messages"
    return Problem(
        code="send.in-doubt",
        message=f"{edition}: {messages} may or may not have arrived, because the relay's answer was lost.",
        cure=f"`ketapress outbox resolve {edition}` lists them with their Message-IDs, and takes your word: `--sent` or `--resend`.",
    )


def died_problem(count: int, policy: str) -> Problem:
    """That a process died while it was sending so many messages, which nobody can tell from those that never left."""
    messages = "1 message" if count == 1 else f"{count:,} messages"
    again = "goes out again with the same Message-ID" if policy == "resend" else "waits for your word"
    return Problem(
        code="send.died",
        severity=Severity.WARNING,
        message=f"a process died while it was sending {messages}, which the relay may have accepted; what was on its way {again}.",
        cure="`ketapress outbox show EDITION --deliveries` names them: tried twice, or in doubt.",
    )
