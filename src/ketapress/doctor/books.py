"""Looks at the store: whether every edition's deliveries add up, and whether it knows of a time that is yet to come."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from ketapress.doctor.finding import Finding, error, well
from ketapress.store.database import Store

_NOT_YET = timedelta(minutes=5)


def book_findings(store: Store, now: datetime) -> Iterator[Finding]:
    """The conservation law (frozen = the sum of all states), and decided slots that lie ahead of the clock."""
    editions = store.editions.all()
    broken = [
        each.slot.edition for each in editions if each.state and not store.deliveries.conserved(each.id)
    ]
    if broken:
        yield error(
            "ledger",
            f"the deliveries of {', '.join(broken)} do not add up to those who were to get it.",
            "Stop sending, keep a copy with `ketapress db backup`, and restore the last good backup; this must not happen.",
        )
    else:
        count = sum(1 for each in editions if each.state)
        yield well("ledger", f"{count} edition{'' if count == 1 else 's'}, and all deliveries add up.")
    ahead = [each.slot for each in editions if each.slot.at > now + _NOT_YET]
    if ahead:
        newest = max(ahead, key=lambda slot: slot.at)
        yield error(
            "clock",
            f"{newest.edition} was decided already, and is yet to come ({newest.at:%Y-%m-%d %H:%M} UTC): "
            f"this clock is behind now ({now:%Y-%m-%d %H:%M} UTC), or was ahead then.",
            f"Set the clock. If it is right, nothing of {newest.newsletter} is due by itself before that slot; "
            f"`ketapress compose {newest.newsletter} --now` composes what is new.",
        )
