"""`ketapress status`: one screen for whoever keeps it running."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ketapress.cli.decorators import Answer, Door, command, disk_problem
from ketapress.cli.table import Rows, rows
from ketapress.deliver.report import doubt_problem
from ketapress.model.delivery import DeliveryState
from ketapress.model.errors import KetapressError, Problem, RefusedError, Severity
from ketapress.review import waiting_problem
from ketapress.settings.converters import sqlite_path
from ketapress.system.lock import lock_holder

if TYPE_CHECKING:
    from ketapress.check.status import NewsletterStatus, Status
    from ketapress.model.edition import StoredEdition
    from ketapress.model.post import Post
    from ketapress.store.overview import StoreOverview

_SHOWN = 5  # problems
_WAITING = (DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.DEFERRED)
_IN_HAND = (DeliveryState.CLAIMED, DeliveryState.SENDING)
_MINUTE = timedelta(minutes=1)
_UNITS = ((60 * 24, "days"), (60, "hours"), (1, "minutes"))


@command("status", "One screen: what is due, what went out, what needs a person.", asks_time=True)
def status(door: Door) -> Answer:
    publication = door.publication
    with ThreadPoolExecutor(1) as aside:
        look = aside.submit(
            publication.read_overview
        )  # a million rows take as long as all else that is loaded here
        from ketapress.check.invariants import invariant_problems
        from ketapress.check.newsletter_problems import newsletter_problems
        from ketapress.check.status import read_status as status_of

        posts, post_problems = _posts(door)
        overviews: list[StoreOverview] = []

        def read_overview() -> "StoreOverview":
            overviews.append(look.result() or publication.store.read_overview())
            return overviews[0]

        found = status_of(publication.settings, read_overview, door.now)
    problems = (
        *post_problems,
        *invariant_problems(found.violations),
        *_behind(door.root, found.generation),
        *(doubt_problem(edition, count) for edition, count in found.in_doubt.items()),
        *_left_behind(door, found),
        *_unsent(door, found),
        *_folder(door.root),
        *newsletter_problems(
            publication.settings, overviews[0], partial(_sender_domain, door.root), posts, door.now
        ),
    )
    if door.as_json:
        return Answer(_result(door, found), problems=problems, needs_person=bool(found.waiting_editions))
    asks = bool(found.waiting_editions) or any(each.needs_person for each in problems)
    return Answer({}, _lines(door, found, problems), needs_person=asks)


def _posts(door: Door) -> "tuple[tuple[Post, ...], tuple[Problem, ...]]":
    """Return the posts, and what is wrong with them. Where they cannot be read at all, the rest of the screen is worth having."""
    try:
        library = door.publication.load_library(door.now, save_ids=False)
    except KetapressError as error:
        return (), error.problems
    except OSError as error:
        return (), (disk_problem(error),)
    return library.posts, library.problems


def _sender_domain(root: Path, edition: "StoredEdition") -> str:
    """Return the domain that an edition came from, by its copy in the outbox: the store would have to be opened."""
    from ketapress.model.message import MessageTemplate

    try:
        head = (root / "outbox" / edition.slot.edition / "message.eml").read_bytes()
    except OSError:
        return ""
    return MessageTemplate("", (head,), ()).sender_domain


def _behind(root: Path, generation: int) -> tuple[Problem, ...]:
    """That the database is an older copy, or that nobody can tell: nothing is composed or sent then."""
    from ketapress.outbox.sent_log import older_copy_problem

    try:
        found = older_copy_problem(root, generation)
    except RefusedError as error:
        return error.problems
    return (found,) if found else ()


def _left_behind(door: Door, found: "Status") -> tuple[Problem, ...]:
    """That a process died with messages in its hands, and none is up that goes on with them.

    Only a file's database belongs to one folder, whose lock tells who is at work.
    """
    held = sum(found.deliveries.get(state, 0) for state in _IN_HAND)
    alone = sqlite_path(door.publication.settings.database.url) is not None
    if (
        not held
        or not alone
        or "delivery" in door.publication.active_parts()
        or lock_holder(door.root, "send")
    ):
        return ()
    sending = found.deliveries.get(DeliveryState.SENDING, 0)
    message = f"{held:,} message{' was' if held == 1 else 's were'} in the hands of a process that is gone"
    return (
        Problem(
            code="delivery.left",
            severity=Severity.WARNING,
            needs_answer=True,
            message=f"{message}; {sending:,} may have been accepted by the relay."
            if sending
            else f"{message}.",
            cure="`ketapress send`, or the next `ketapress run`, goes on with them; `relay.in_doubt` says what becomes "
            "of those that may have been accepted.",
        ),
    )


def _unsent(door: Door, found: "Status") -> tuple[Problem, ...]:
    """That mail waits for a relay that does not let us in."""
    waiting = sum(found.deliveries.get(state, 0) for state in _WAITING)
    if found.relay.reachable or not waiting:
        return ()
    url = door.publication.settings.relay.url
    return (
        Problem(
            code="relay.unreachable",
            message=f"{waiting:,} message{'' if waiting == 1 else 's'} cannot go out: {url} does not let us in.",
            cure="Look whether it runs and `relay.url` is right; `ketapress doctor` tells how far it lets us in. Nothing is lost.",
        ),
    )


def _folder(root: Path) -> tuple[Problem, ...]:
    """That a folder may not be written to, or the disk is full, or all but: nothing is composed or sent then."""
    from ketapress.doctor.system import check_disk_space, check_permissions

    found = (each.problem for each in (check_permissions(root), check_disk_space(root)))
    return tuple(each for each in found if each and each.needs_person)


def _result(door: Door, found: "Status") -> dict[str, Any]:
    return {
        "newsletters": [
            {
                "name": each.newsletter.name,
                "next_slot": each.next_slot
                and door.iso(each.next_slot.at, door.zone_of(each.newsletter.name)),
                "last_edition": each.last_edition
                and {"edition": each.last_edition.slot.edition, "state": str(each.last_edition.state)},
                "subscriptions": dict(each.subscriptions),
            }
            for each in found.newsletters
        ],
        "deliveries": {state.replace(" ", "_"): found.deliveries.get(state, 0) for state in DeliveryState},
        "doubtful": [{"edition": edition, "messages": count} for edition, count in found.in_doubt.items()],
        "waiting": [each.slot.edition for each in found.waiting_editions],
        "run": [{"part": part, "process": who} for part, who in door.publication.active_parts().items()],
        "relay": {
            "url": str(door.publication.settings.relay.url),
            "reachable": found.relay.reachable,
            "last_reply": found.relay.last_reply,
        },
    }


def _lines(door: Door, found: "Status", problems: Sequence[Problem]) -> list[str | Rows]:
    """The screen: what comes and went, how many deliveries, the relay, and what needs a person."""
    counts = [(str(state), f"{count:,}") for state, count in found.deliveries.items() if count]
    relay = "lets us in" if found.relay.reachable else f"does not let us in: {found.relay.last_reply}"
    needing = [
        *map(waiting_problem, found.waiting_editions),
        *(each for each in problems if each.needs_person or each.code == "settings.sender-changed"),
    ]
    return [
        rows([(door.publication.settings.site.title, door.day(door.now))]),
        *(line for each in found.newsletters for line in _standing(door, each)),
        "run",
        rows(_running(door), indent=2),
        "deliveries",
        rows(counts or [("none yet",)], indent=2),
        "relay",
        rows([(str(door.publication.settings.relay.url), relay)], indent=2),
        *_needing(needing),
    ]


def _running(door: Door) -> list[tuple[str, ...]]:
    """Which parts of `run` are up in this folder, and the processes that keep them going."""
    up: dict[str, list[tuple[str, str]]] = {}
    for part, who in door.publication.active_parts().items():
        up.setdefault(who.partition(",")[0], []).append((part, who))
    if not up:
        return [("not up here; `ketapress publish` and `ketapress send` do what is due",)]
    return [(", ".join(part for part, _ in parts), f"process {parts[0][1]}") for parts in up.values()]


def _standing(door: Door, each: "NewsletterStatus") -> list[str | Rows]:
    people = ", ".join(f"{count:,} {state}" for state, count in each.subscriptions.items()) or "nobody yet"
    coming = "never"
    if each.next_slot:
        away = _away(each.next_slot.at - door.now)
        coming = f"{door.day(each.next_slot.at, door.zone_of(each.newsletter.name))} ({away})"
    last = (
        f"{each.last_edition.slot.edition} ({each.last_edition.state})" if each.last_edition else "none yet"
    )
    facts = [("subscribed", people), ("next slot", coming), ("last edition", last)]
    return [each.newsletter.name, rows(facts, indent=2)]


def _away(span: timedelta) -> str:
    """How long it is until then, in the one unit that people would use."""
    minutes = max(0, span // _MINUTE)
    fitting = (f"in {minutes // size} {unit}" for size, unit in _UNITS if minutes >= 2 * size)
    return next(fitting, "within two minutes")


def _needing(problems: Sequence[Problem]) -> list[str | Rows]:
    """The first few in full; a hundred bad posts would fill the screen, and `check` has them all."""
    if not problems:
        return ["nothing needs a person"]
    told = [
        row
        for each in problems[:_SHOWN]
        for row in (("!", ": ".join(part for part in (each.where, each.message) if part)), ("", each.cure))
    ]
    if len(problems) > _SHOWN:
        told.append(("", f"… and {len(problems) - _SHOWN} more: `ketapress check`, `ketapress outbox list`."))
    return [f"{len(problems)} need{'s' if len(problems) == 1 else ''} a person", rows(told, indent=2)]
