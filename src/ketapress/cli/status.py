"""`ketapress status`: one screen for whoever keeps it running."""

from typing import Any

from ketapress.check.status import Standing, Status
from ketapress.cli.door import Answer, Door, command
from ketapress.model.delivery import DeliveryState


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


def _lines(door: Door, found: Status) -> list[str]:
    relay = "answers" if found.relay.reachable else f"does not let us in ({found.relay.last_reply})"
    counts = [f"{count:,} {state}" for state, count in found.deliveries.items() if count]
    return [
        *(line for each in found.standings for line in _standing(door, each)),
        f"Deliveries: {', '.join(counts) or 'none yet'}.",
        f"Relay {door.publication.settings.relay.url} {relay}.",
        *(
            f"{each.slot.edition} is {each.state}: {each.why}. Look at it, then `ketapress outbox release {each.slot.edition}`."
            for each in found.waiting
        ),
    ]


def _standing(door: Door, each: Standing) -> list[str]:
    people = ", ".join(f"{count:,} {state}" for state, count in each.subscriptions.items()) or "nobody yet"
    coming = door.day(each.next_slot.at, door.zone_of(each.newsletter.name)) if each.next_slot else "never"
    last = (
        f"{each.last_edition.slot.edition} ({each.last_edition.state})" if each.last_edition else "none yet"
    )
    return [f"{each.newsletter.name}: {people}; next slot {coming}; last edition {last}."]
