"""`ketapress outbox …`: what was composed, and what a person decides about it."""

from typing import Any

import click

from ketapress import review
from ketapress.cli.door import Answer, Door, command, group
from ketapress.model.edition import StoredEdition

_edition = click.argument("edition")


@command("outbox list", "List editions, newest first.")
@click.argument("newsletter", required=False)
def list_(door: Door, newsletter: str | None) -> Answer:
    editions = [each for each in door.publication.store.editions.all(newsletter) if each.state]
    result = {
        "editions": [
            {"edition": each.slot.edition, "state": str(each.state), "subject": each.subject, "why": each.why}
            for each in editions
        ]
    }
    lines = [f"{each.slot.edition}  {each.state}  {each.subject}" for each in editions]
    return Answer(result, lines or ["No edition yet: `ketapress publish` composes what is due."])


@command("outbox show", "Show one edition: its posts, sizes, and who got it.")
@_edition
@click.option("--deliveries", "with_deliveries", is_flag=True, help="Also list every delivery.")
def show(door: Door, edition: str, *, with_deliveries: bool) -> Answer:
    found = review.stored(door.publication.store, edition)
    store = door.publication.store
    counts = {state.replace(" ", "_"): count for state, count in store.deliveries.counts(found.id).items()}
    result: dict[str, Any] = {
        "edition": edition,
        "state": str(found.state),
        "subject": found.subject,
        "why": found.why,
        "window": found.window and [door.iso(found.window.after), door.iso(found.window.until)],
        "posts": list(found.post_ids),
        "sizes": dict(found.sizes or {}),
        "counts": counts,
    }
    lines = [
        f"{edition}: “{found.subject}”, {found.state}{': ' + found.why if found.why else ''}.",
        *(f"  {post_id}" for post_id in found.post_ids),
        *(f"  {name}: {size:,} bytes" for name, size in (found.sizes or {}).items()),
        f"  deliveries: {', '.join(f'{count:,} {state}' for state, count in counts.items()) or 'none yet'}",
    ]
    if with_deliveries:
        deliveries = [
            {
                "address": each.address,
                "state": str(each.state),
                "attempts": each.attempts,
                "message_id": door.publication.message_id(found, each.subscription_id),
                "reply": each.reply,
            }
            for each in store.deliveries.lines(found.id)
        ]
        result["deliveries"] = deliveries
        lines += [f"  {each['address']}  {each['state']}  {each['reply']}" for each in deliveries]
    return Answer(result, lines)


@command("outbox hold", "Keep an edition from going out, or stop it while it does.", asks_time=True)
@_edition
def hold(door: Door, edition: str) -> Answer:
    return _now(review.hold(door.publication.store, edition, door.now))


@command("outbox release", "Let a held edition go out with the next `send`.", asks_time=True)
@_edition
def release(door: Door, edition: str) -> Answer:
    return _now(review.release(door.publication.store, edition, door.now))


@command("outbox approve", "Approve an edition that waits for it.", asks_time=True)
@_edition
def approve(door: Door, edition: str) -> Answer:
    return _now(review.approve(door.publication.store, edition, door.now))


@command(
    "outbox cancel",
    "Cancel an edition for good; if nothing was sent, its posts go into the next one.",
    asks_time=True,
)
@_edition
def cancel(door: Door, edition: str) -> Answer:
    return _now(review.cancel(door.publication.store, edition, door.now))


outbox = group(
    "outbox",
    "List, show, hold, release, approve or cancel editions.",
    [list_, show, hold, release, approve, cancel],
)


def _now(found: StoredEdition) -> Answer:
    return Answer(
        {"edition": found.slot.edition, "state": str(found.state)},
        [f"{found.slot.edition} is {found.state}."],
    )
