"""`ketapress status`: one screen for whoever keeps it running."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ketapress.cli.door import Answer, Door, command, disk_problem
from ketapress.cli.rows import Rows, rows
from ketapress.deliver.report import doubt_problem
from ketapress.model.delivery import DeliveryState
from ketapress.model.errors import KetapressError, Problem, RefusedError
from ketapress.review import waiting_problem

if TYPE_CHECKING:
    from ketapress.check.status import Standing, Status

_SHOWN = 5  # problems
_WAITING = (DeliveryState.QUEUED, DeliveryState.CLAIMED, DeliveryState.DEFERRED)
_MINUTE = timedelta(minutes=1)
_UNITS = ((60 * 24, "days"), (60, "hours"), (1, "minutes"))


@command("status", "One screen: what is due, what went out, what needs a person.", asks_time=True)
def status(door: Door) -> Answer:
    publication = door.publication
    with ThreadPoolExecutor(1) as aside:
        look = aside.submit(
            publication.quick_look
        )  # a million rows take as long as all else that is loaded here
        from ketapress.check.conservation import conservation_problems
        from ketapress.check.status import status as status_of

        posts = _posts(door)
        found = status_of(publication.settings, lambda: look.result() or publication.store.look(), door.now)
    problems = (
        *posts,
        *conservation_problems(found.imbalances),
        *_behind(door.root, found.generation),
        *(doubt_problem(edition, count) for edition, count in found.doubtful.items()),
        *_unsent(door, found),
        *_folder(door.root),
    )
    if door.as_json:
        return Answer(_result(door, found), problems=problems, needs_person=bool(found.waiting))
    asks = bool(found.waiting) or any(each.needs_person for each in problems)
    return Answer({}, _lines(door, found, problems), needs_person=asks)


def _posts(door: Door) -> tuple[Problem, ...]:
    """What is wrong with posts. Where they cannot be read at all, the rest of the screen is worth having."""
    try:
        return door.publication.library(door.now, keep=False).problems
    except KetapressError as error:
        return error.problems
    except OSError as error:
        return (disk_problem(error),)


def _behind(root: Path, generation: int) -> tuple[Problem, ...]:
    """That the database is an older copy, or that nobody can tell: nothing is composed or sent then."""
    from ketapress.outbox.record import behind

    try:
        found = behind(root, generation)
    except RefusedError as error:
        return error.problems
    return (found,) if found else ()


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
    from ketapress.doctor.folder import rights, room

    found = (each.problem for each in (rights(root), room(root)))
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
            for each in found.standings
        ],
        "deliveries": {state.replace(" ", "_"): found.deliveries.get(state, 0) for state in DeliveryState},
        "doubtful": [{"edition": edition, "messages": count} for edition, count in found.doubtful.items()],
        "waiting": [each.slot.edition for each in found.waiting],
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
    needing = [*map(waiting_problem, found.waiting), *(each for each in problems if each.needs_person)]
    return [
        rows([(door.publication.settings.site.title, door.day(door.now))]),
        *(line for each in found.standings for line in _standing(door, each)),
        "deliveries",
        rows(counts or [("none yet",)], indent=2),
        "relay",
        rows([(str(door.publication.settings.relay.url), relay)], indent=2),
        *_needing(needing),
    ]


def _standing(door: Door, each: "Standing") -> list[str | Rows]:
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
