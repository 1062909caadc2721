"""`ketapress outbox …`: what was composed, and what a person decides about it."""

from collections.abc import Mapping
from typing import Any

import click

from ketapress import review
from ketapress.cli.door import Answer, Door, command, group
from ketapress.cli.rows import Rows, rows
from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import StoredEdition
from ketapress.outbox.folder import read_edition_json

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
    if not editions:
        return Answer(result, ["No edition yet: `ketapress publish` composes what is due."])
    return Answer(result, [rows((each.slot.edition, str(each.state), each.subject) for each in editions)])


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
    lines = _lines(door, found, store.deliveries.counts(found.id))
    if with_deliveries:
        deliveries = tuple(store.deliveries.lines(found.id))
        result["deliveries"] = [
            {
                "address": each.address,
                "state": str(each.state),
                "attempts": each.attempts,
                "message_id": door.publication.message_id(found, each.subscription_id),
                "reply": each.reply,
            }
            for each in deliveries
        ]
        lines.append(rows(((each.address, str(each.state), each.reply) for each in deliveries), indent=2))
    return Answer(result, lines)


def _lines(door: Door, found: StoredEdition, counts: Mapping[DeliveryState, int]) -> list[str | Rows]:
    zone = door.zone_of(found.slot.newsletter)
    facts = [
        ("state", f"{found.state}{found.why and f': {found.why}'}"),
        ("due", door.day(found.slot.at, zone)),
    ]
    if found.window:
        facts.append(("looks back", f"to {door.day(found.window.after, zone)}"))
    facts.append(
        (
            "deliveries",
            ", ".join(f"{count:,} {state}" for state, count in counts.items() if count) or "none yet",
        )
    )
    return [
        f"{found.slot.edition}: “{found.subject}”",
        rows(facts, indent=2),
        "  posts",
        rows(_shown_posts(door, found), indent=4),
        "  sizes",
        rows(_sizes(door, found), indent=4),
    ]


def _shown_posts(door: Door, found: StoredEdition) -> list[tuple[str, ...]]:
    """How much of each post is shown, as the outbox has it; where that is on another machine, their ids."""
    manifest = read_edition_json(door.root, found.slot)
    if manifest is None:
        return [(post_id,) for post_id in found.post_ids]
    posts = manifest.get("posts")
    return [
        tuple(str(each.get(name, "")) for name in ("shown", "title", "path"))
        for each in (posts if isinstance(posts, list) else [])
        if isinstance(each, dict)
    ]


def _sizes(door: Door, found: StoredEdition) -> list[tuple[str, str]]:
    """Each part in bytes, the HTML beside the newsletter's limit."""
    newsletter = door.publication.settings.newsletters.get(found.slot.newsletter)
    sizes = {name: f"{size:,} bytes" for name, size in (found.sizes or {}).items()}
    if newsletter and found.sizes:
        share = found.sizes["html"] / newsletter.max_bytes
        sizes["html"] = f"{found.sizes['html']:,} of {newsletter.max_bytes:,} bytes ({share:.0%})"
    return list(sizes.items())


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
