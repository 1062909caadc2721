"""`ketapress send`: deliver what is ready, then exit."""

import signal
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from threading import Event
from typing import TYPE_CHECKING, Any

from ketapress.cli.decorators import Answer, Door, command
from ketapress.cli.report_format import left_out_words
from ketapress.deliver.report import died_problem
from ketapress.edition_service import EditionService
from ketapress.mail_service import MailService
from ketapress.model.delivery import FINAL_STATES, DeliveryState
from ketapress.model.errors import Problem, UsageError

if TYPE_CHECKING:
    from ketapress.cli.progress import DeliveryBar
    from ketapress.deliver.report import EditionReport


@command(
    "send",
    "Deliver what is ready, then exit; SIGTERM finishes what is in flight.",
    asks_time=True,
    writes=True,
)
def send(door: Door) -> Answer:
    publication = door.publication
    _refuse_another_time(door)
    if door.dry_run:
        return _foretold(door)
    stop = Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    began, doubts = time.monotonic(), list[int]()
    with publication.exclusive_lock("send"), _bar() as bar:
        reports = MailService(publication).send(
            door.clock, stop=stop.is_set, watch=bar.show if bar else None, doubted=doubts.append
        )
    rate = sum(each.sent for each in reports) / max(time.monotonic() - began, 1e-6)
    problems = [died_problem(count, publication.settings.relay.in_doubt) for count in doubts]
    problems += [each.problem for each in reports if each.problem]
    result = {"editions": [_result(each) for each in reports], "messages_per_second": round(rate, 1)}
    waiting = EditionService(publication).list_to_review()
    lines = [line for each in reports for line in _lines(each)] or ["Nothing is ready to be sent."]
    lines += [
        f"{each.slot.edition} waits for a person: {each.state}, {each.reason or 'see outbox show'}."
        for each in waiting
    ]
    return Answer(result, lines, problems, needs_person=bool(waiting) or any(each.failed for each in reports))


def _refuse_another_time(door: Door) -> None:
    """Real people get mail now, whatever time is asked for; only a relay on this machine may play."""
    if door.at is not None and not door.publication.settings.relay.url.is_local:
        raise UsageError(
            Problem(
                code="usage.at",
                message=f"--at is refused for a relay that is not on this machine ({door.publication.settings.relay.url}).",
                cure="Leave --at out, or point [relay] url at a local relay to try things.",
            )
        )


def _foretold(door: Door) -> Answer:
    """What `send` would begin with."""
    store = door.publication.store
    active = {
        newsletter: count
        for (newsletter, state), count in store.subscribers.counts().items()
        if state == "active"
    }
    editions = [
        {
            "edition": each.slot.edition,
            "state": str(each.state),
            "active": active.get(each.slot.newsletter, 0),
            "left": _still_to_go(store.deliveries.counts(each.id)),
        }
        for each in store.editions.list_sendable(door.now)
    ]
    lines = [_would_go(each) for each in editions]
    return Answer({"editions": editions, "dry_run": True}, lines or ["Nothing is ready to be sent."])


def _still_to_go(counts: Mapping[DeliveryState, int]) -> int | None:
    """How many deliveries of an edition are not over; None where it has none yet."""
    if not any(counts.values()):
        return None
    return sum(count for state, count in counts.items() if state not in FINAL_STATES)


def _would_go(each: dict[str, Any]) -> str:
    said = f"{each['edition']} ({each['state']})"
    if each["left"] is not None:
        return f"{said} would go on: {each['left']:,} deliver{'y is' if each['left'] == 1 else 'ies are'} not over."
    return f"{said} would go to {each['active']:,} active subscriber{'' if each['active'] == 1 else 's'}."


def _bar() -> "AbstractContextManager[DeliveryBar | None]":
    if not sys.stderr.isatty():
        return nullcontext()
    from ketapress.cli.progress import DeliveryBar

    return DeliveryBar()


def _result(each: "EditionReport") -> dict[str, Any]:
    return {
        "edition": each.edition,
        "state": str(each.state),
        "frozen": each.frozen,
        "queued": each.queued,
        "sent": each.sent,
        "deferred": each.deferred,
        "failed": each.failed,
        "expired": each.expired,
        "suppressed": each.suppressed,
        "cancelled": each.cancelled,
        "in_doubt": each.in_doubt,
        "left_out": dict(each.left_out),
        "note": each.note,
    }


def _lines(each: "EditionReport") -> list[str]:
    counts = ", ".join(
        f"{count:,} {name.replace('_', ' ')}"
        for name, count in _result(each).items()
        if isinstance(count, int) and count and name != "frozen"
    )
    said = f"{each.edition} is {each.state}: of {each.frozen:,}, {counts or 'nobody yet'}"
    return [f"{said}{left_out_words(each.left_out)}. {each.note}".rstrip()]
