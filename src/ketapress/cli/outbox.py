"""`ketapress outbox …`: what was composed, and what a person decides about it."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import Any

import click

from ketapress import review
from ketapress.cli.context import operator, portions
from ketapress.cli.decorators import Answer, Door, command, group
from ketapress.cli.outbox_export import export
from ketapress.cli.report_format import edition_lines, edition_result, left_out_words
from ketapress.cli.table import Rows, rows
from ketapress.edition_service import EditionService
from ketapress.mail_service import MailService
from ketapress.model.delivery import DeliveryState, DeliverySummary
from ketapress.model.edition import EditionState, StoredEdition
from ketapress.outbox.writer import read_edition_json

_edition = click.argument("edition")


@command("outbox list", "List editions, newest first.")
@click.argument("newsletter", required=False)
def list_(door: Door, newsletter: str | None) -> Answer:
    editions = [each for each in door.publication.store.editions.list_all(newsletter) if each.state]
    result = {
        "editions": [
            {
                "edition": each.slot.edition,
                "state": str(each.state),
                "subject": each.subject,
                "why": each.reason,
            }
            for each in editions
        ]
    }
    if not editions:
        return Answer(result, ["No edition yet: `ketapress publish` composes what is due."])
    return Answer(result, [rows((each.slot.edition, str(each.state), each.subject) for each in editions)])


@command("outbox show", "Show one edition: its posts, sizes, and who got it.")
@_edition
@click.option("--deliveries", "with_deliveries", is_flag=True, help="Also list every delivery.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.replace(" ", "_") for state in DeliveryState]),
    help="Only deliveries in that state; may be given more than once.",
)
def show(door: Door, edition: str, *, with_deliveries: bool, states: tuple[str, ...]) -> Answer:
    found = review.get_edition(door.publication.store, edition)
    store = door.publication.store
    counts = {state.replace(" ", "_"): count for state, count in store.deliveries.counts(found.id).items()}
    left_out = dict(found.skipped_counts or {})
    result: dict[str, Any] = {
        "edition": edition,
        "state": str(found.state),
        "subject": found.subject,
        "why": found.reason,
        "window": found.window and [door.iso(found.window.start), door.iso(found.window.end)],
        "posts": list(found.post_ids),
        "sizes": dict(found.sizes or {}),
        "frozen": sum(counts.values()),
        "counts": counts,
        "left_out": left_out,
    }
    lines = _lines(door, found, store.deliveries.counts(found.id))
    if not with_deliveries and not states:
        return Answer(result, lines)
    wanted = [state for state in DeliveryState if not states or state.replace(" ", "_") in states]
    deliveries = (each for each in store.deliveries.iter_deliveries(found.id) if each.state in wanted)
    listed = _listed(door, found, deliveries)
    told = (rows((_cells(door, each) for each in portion), indent=2) for portion in portions(listed))
    return Answer(result, chain(lines, told), streamed=("deliveries", listed))


def _listed(
    door: Door, found: StoredEdition, deliveries: Iterable[DeliverySummary]
) -> Iterator[dict[str, Any]]:
    """Who got it, who did not, and why; an erased person has no address."""
    message_id = MailService(door.publication).message_ids(found)
    for each in deliveries:
        yield {
            "address": each.address,
            "state": str(each.state),
            "attempts": each.attempts,
            "message_id": message_id(each.subscription_id),
            "reply": each.reply,
            "dated": door.iso(each.message_date),
            "next_try": door.iso(each.next_at),
        }


def _cells(door: Door, listed: Mapping[str, Any]) -> tuple[str, ...]:
    tries = f"{listed['attempts']} tries" if listed["attempts"] > 1 else ""
    again = f"again at {door.day(datetime.fromisoformat(listed['next_try']))}" if listed["next_try"] else ""
    return (listed["address"] or "(an erased person)", listed["state"], listed["reply"], tries, again)


def _lines(door: Door, found: StoredEdition, counts: Mapping[DeliveryState, int]) -> list[str | Rows]:
    zone = door.zone_of(found.slot.newsletter)
    facts = [
        ("state", f"{found.state}{found.reason and f': {found.reason}'}"),
        ("due", door.day(found.slot.at, zone)),
    ]
    if found.window:
        facts.append(("looks back", f"to {door.day(found.window.start, zone)}"))
    facts.append(
        (
            "deliveries",
            (", ".join(f"{count:,} {state}" for state, count in counts.items() if count) or "none yet")
            + left_out_words(found.skipped_counts or {}),
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


@command(
    "outbox refresh",
    "Render an edition anew that nobody has got yet: mended posts, settings, templates.",
    asks_time=True,
    writes=True,
)
@_edition
def refresh(door: Door, edition: str) -> Answer:
    found = review.get_edition(door.publication.store, edition)
    fresh = EditionService(door.publication).refresh(found, door.now, dry_run=door.dry_run)
    gone = len(found.post_ids) - len(fresh.edition.posts)
    lines = edition_lines(door, fresh)
    if gone:
        lines.append(f"  {gone} of its posts {'is' if gone == 1 else 'are'} not in it any more.")
    result = {**edition_result(fresh), "dry_run": door.dry_run}
    return Answer(result, lines, needs_person=fresh.state is not EditionState.READY)


@command(
    "outbox resolve",
    "Say what became of messages of which nobody knows whether they arrived; without --sent or --resend, list them.",
    asks_time=True,
)
@_edition
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@click.option("--sent", "verdict", flag_value="sent", help="They arrived: nothing more is sent.")
@click.option("--resend", "verdict", flag_value="resend", help="Send them again, the same to the byte.")
@click.option("--evidence", default="", metavar="TEXT", help="How you know: what the relay's log says.")
def resolve(
    door: Door, edition: str, addresses: tuple[str, ...], verdict: str | None, evidence: str
) -> Answer:
    store = door.publication.store
    if verdict is None:
        return _doubtful(door, review.get_edition(store, edition))
    word = f"{operator()} says that it arrived{': ' if evidence else ''}{evidence}"
    count = review.resolve(store, edition, addresses, is_sent=verdict == "sent", evidence=word, now=door.now)
    done = "sent now" if verdict == "sent" else "to go out again with the next `ketapress send`"
    said = f"{count:,} deliver{'y is' if count == 1 else 'ies are'} {done}."
    return Answer({"edition": edition, "resolved": count, "as": verdict}, [said])


def _doubtful(door: Door, found: StoredEdition) -> Answer:
    """Whoever waits for a person, with what a person looks for in the relay's log."""
    doubtful = list(_listed(door, found, review.list_in_doubt(door.publication.store, found)))
    told = rows((each["address"], each["message_id"] or "", _dated(door, each["dated"])) for each in doubtful)
    name = found.slot.edition
    lines: list[str | Rows] = [
        told,
        (
            f"Look for these in the relay's log. `ketapress outbox resolve {name} ADDRESS… --sent` for those that it "
            "took, `--resend` for the others; without addresses, all of them."
        ),
    ]
    return Answer(
        {"edition": name, "in_doubt": doubtful},
        lines if doubtful else [f"Nothing of {name} is in doubt."],
        needs_person=bool(doubtful),
    )


def _dated(door: Door, moment: str | None) -> str:
    return door.day(datetime.fromisoformat(moment)) if moment else "no date yet"


outbox = group(
    "outbox",
    "List and show editions, decide about them, say what became of them.",
    [list_, show, hold, release, approve, cancel, refresh, resolve, export],
)


def _now(found: StoredEdition) -> Answer:
    return Answer(
        {"edition": found.slot.edition, "state": str(found.state)},
        [f"{found.slot.edition} is {found.state}."],
    )
