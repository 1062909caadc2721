"""`ketapress status`: one screen for whoever keeps it running."""

from typing import Any

from ketapress.check.status import Standing, Status
from ketapress.cli.door import Answer, Door, command
from ketapress.cli.reports import next_command
from ketapress.cli.rows import Rows, rows
from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import StoredEdition


@command("status", "One screen: what is due, what went out, what needs a person.", asks_time=True)
def status(door: Door) -> Answer:
    from ketapress.check.conservation import conservation_problems
    from ketapress.check.status import status as status_of

    publication = door.publication
    library = publication.library(door.now, keep=False)
    found = status_of(publication.settings, publication.store, door.now)
    problems = (*library.problems, *conservation_problems(publication.store))
    return Answer(_result(door, found), _lines(door, found), problems, needs_person=bool(found.waiting))


def _result(door: Door, found: Status) -> dict[str, Any]:
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
        "waiting": [each.slot.edition for each in found.waiting],
        "relay": {
            "url": str(door.publication.settings.relay.url),
            "reachable": found.relay.reachable,
            "last_reply": found.relay.last_reply,
        },
    }


def _lines(door: Door, found: Status) -> list[str | Rows]:
    relay = "answers" if found.relay.reachable else f"does not let us in ({found.relay.last_reply})"
    counts = [f"{count:,} {state}" for state, count in found.deliveries.items() if count]
    overall = [
        ("deliveries", ", ".join(counts) or "none yet"),
        ("relay", f"{door.publication.settings.relay.url} {relay}"),
    ]
    return [
        *(line for each in found.standings for line in _standing(door, each)),
        rows(overall),
        *(line for each in found.waiting for line in _waiting(each)),
    ]


def _waiting(each: StoredEdition) -> list[str]:
    edition = each.slot.edition
    return [
        f"{edition} is {each.state}: {each.why}.",
        f"  `ketapress outbox show {edition}` says more; `ketapress outbox {next_command(each.state)} {edition}` lets it go.",
    ]


def _standing(door: Door, each: Standing) -> list[str | Rows]:
    people = ", ".join(f"{count:,} {state}" for state, count in each.subscriptions.items()) or "nobody yet"
    coming = door.day(each.next_slot.at, door.zone_of(each.newsletter.name)) if each.next_slot else "never"
    last = (
        f"{each.last_edition.slot.edition} ({each.last_edition.state})" if each.last_edition else "none yet"
    )
    facts = [("subscribed", people), ("next slot", coming), ("last edition", last)]
    return [each.newsletter.name, rows(facts, indent=2)]
