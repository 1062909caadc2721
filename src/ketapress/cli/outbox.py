"""`ketapress outbox …`: show composed editions, and decide about them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from ketapress import review
from ketapress.cli.context import CommandContext, CommandResult, batches, format_count, operator_name
from ketapress.cli.decorators import command, group
from ketapress.cli.outbox_export import export
from ketapress.cli.report_format import edition_data, edition_lines, format_skipped
from ketapress.cli.table import Table, make_table
from ketapress.edition_service import EditionService
from ketapress.mail_service import MailService
from ketapress.model.delivery import DeliveryState, DeliverySummary
from ketapress.model.edition import EditionState, StoredEdition
from ketapress.outbox.writer import read_edition_json

if TYPE_CHECKING:
    from ketapress.store.store import Store

_edition_argument = click.argument("edition")


@command("outbox list", "List editions, newest first.")
@click.argument("newsletter", required=False)
def list_(context: CommandContext, newsletter: str | None) -> CommandResult:
    editions = [
        edition for edition in context.publication.store.editions.list_all(newsletter) if edition.state
    ]
    data = {
        "editions": [
            {
                "edition": edition.slot.edition,
                "state": str(edition.state),
                "subject": edition.subject,
                "why": edition.reason,
            }
            for edition in editions
        ]
    }
    if not editions:
        return CommandResult(data, ["No editions yet. `ketapress publish` composes what is due."])
    rows = ((edition.slot.edition, str(edition.state), edition.subject) for edition in editions)
    return CommandResult(data, [make_table(rows)])


@command("outbox show", "Show one edition: posts, sizes, and delivery counts.")
@_edition_argument
@click.option("--deliveries", "with_deliveries", is_flag=True, help="List each delivery too.")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.replace(" ", "_") for state in DeliveryState]),
    help="List only deliveries in this state; repeat for more.",
)
def show(
    context: CommandContext, edition: str, *, with_deliveries: bool, states: tuple[str, ...]
) -> CommandResult:
    store = context.publication.store
    stored_edition = review.get_edition(store, edition)
    counts = store.deliveries.counts(stored_edition.id)
    window = stored_edition.window
    data: dict[str, Any] = {
        "edition": edition,
        "state": str(stored_edition.state),
        "subject": stored_edition.subject,
        "why": stored_edition.reason,
        "window": window and [context.format_iso(window.start), context.format_iso(window.end)],
        "posts": list(stored_edition.post_ids),
        "sizes": dict(stored_edition.sizes or {}),
        "frozen": sum(counts.values()),
        "counts": {state.replace(" ", "_"): count for state, count in counts.items()},
        "left_out": dict(stored_edition.skipped_counts or {}),
    }
    lines = _edition_lines(context, stored_edition, counts)
    if not with_deliveries and not states:
        return CommandResult(data, lines)
    deliveries = _delivery_data(
        context,
        stored_edition,
        (
            delivery
            for delivery in store.deliveries.iter_deliveries(stored_edition.id)
            if not states or delivery.state.replace(" ", "_") in states
        ),
    )
    tables = (
        make_table((_delivery_row(context, delivery) for delivery in batch), indent=2)
        for batch in batches(deliveries)
    )
    return CommandResult(data, chain(lines, tables), stream=("deliveries", deliveries))


def _delivery_data(
    context: CommandContext, edition: StoredEdition, deliveries: Iterable[DeliverySummary]
) -> Iterator[dict[str, Any]]:
    """Yield deliveries as `--json` prints them; an erased subscriber has no address."""
    message_id = MailService(context.publication).message_ids(edition)
    for delivery in deliveries:
        yield {
            "address": delivery.address,
            "state": str(delivery.state),
            "attempts": delivery.attempts,
            "message_id": message_id(delivery.subscription_id),
            "reply": delivery.reply,
            "dated": context.format_iso(delivery.message_date),
            "next_try": context.format_iso(delivery.next_at),
        }


def _delivery_row(context: CommandContext, delivery: Mapping[str, Any]) -> tuple[str, ...]:
    attempts = format_count(delivery["attempts"], "attempt") if delivery["attempts"] > 1 else ""
    next_time = delivery["next_try"] and context.format_time(datetime.fromisoformat(delivery["next_try"]))
    next_attempt = f"next attempt {next_time}" if next_time else ""
    address = delivery["address"] or "(erased subscriber)"
    return (address, delivery["state"], delivery["reply"], attempts, next_attempt)


def _edition_lines(
    context: CommandContext, edition: StoredEdition, counts: Mapping[DeliveryState, int]
) -> list[str | Table]:
    zone = context.newsletter_zone(edition.slot.newsletter)
    facts = [
        ("state", f"{edition.state}{edition.reason and f': {edition.reason}'}"),
        ("send time", context.format_time(edition.slot.at, zone)),
    ]
    if edition.window:
        start, end = (context.format_time(time, zone) for time in (edition.window.start, edition.window.end))
        facts.append(("covers", f"posts from {start} to {end}"))
    count_text = ", ".join(f"{count:,} {state}" for state, count in counts.items() if count) or "none yet"
    facts.append(("deliveries", count_text + format_skipped(edition.skipped_counts or {})))
    return [
        f"{edition.slot.edition}: “{edition.subject}”",
        make_table(facts, indent=2),
        "  posts",
        make_table(_post_rows(context, edition), indent=4),
        "  sizes",
        make_table(_size_rows(context, edition), indent=4),
    ]


def _post_rows(context: CommandContext, edition: StoredEdition) -> list[tuple[str, ...]]:
    """Return how much of each post is shown, its title and path, or only IDs if the outbox is on another machine."""
    manifest = read_edition_json(context.root, edition.slot)
    if manifest is None:
        return [(post_id,) for post_id in edition.post_ids]
    posts = manifest.get("posts")
    return [
        tuple(str(post.get(name, "")) for name in ("shown", "title", "path"))
        for post in (posts if isinstance(posts, list) else [])
        if isinstance(post, dict)
    ]


def _size_rows(context: CommandContext, edition: StoredEdition) -> list[tuple[str, str]]:
    """Return the size of each part, and for the HTML part also the newsletter's limit."""
    newsletter = context.publication.settings.newsletters.get(edition.slot.newsletter)
    sizes = {name: f"{size:,} bytes" for name, size in (edition.sizes or {}).items()}
    if newsletter and edition.sizes:
        share = edition.sizes["html"] / newsletter.max_bytes
        sizes["html"] = f"{edition.sizes['html']:,} of {newsletter.max_bytes:,} bytes ({share:.0%})"
    return list(sizes.items())


def _decision_command(
    name: str, summary: str, decide: Callable[["Store", str, datetime], StoredEdition]
) -> click.Command:
    """Make a command that changes the state of an edition."""

    @command(name, summary, asks_time=True)
    @_edition_argument
    def run_decision(context: CommandContext, edition: str) -> CommandResult:
        state = decide(context.publication.store, edition, context.now).state
        return CommandResult({"edition": edition, "state": str(state)}, [f"{edition} is {state}."])

    return run_decision


hold = _decision_command("outbox hold", "Hold an edition, even while it is being sent.", review.hold)
release = _decision_command(
    "outbox release", "Release a held edition. The next `send` delivers it.", review.release
)
approve = _decision_command("outbox approve", "Approve an edition that awaits approval.", review.approve)
cancel = _decision_command(
    "outbox cancel",
    "Cancel an edition for good. If none of it was sent, its posts go into the next edition.",
    review.cancel,
)


@command(
    "outbox refresh",
    "Render an unsent edition again. It takes the current posts, settings, and templates.",
    asks_time=True,
    writes=True,
)
@_edition_argument
def refresh(context: CommandContext, edition: str) -> CommandResult:
    stored_edition = review.get_edition(context.publication.store, edition)
    new_edition = EditionService(context.publication).refresh(
        stored_edition, context.now, dry_run=context.dry_run
    )
    removed_count = len(stored_edition.post_ids) - len(new_edition.edition.posts)
    lines = edition_lines(context, new_edition)
    if removed_count:
        lines.append(f"  Removed {format_count(removed_count, 'post')}.")
    data = {**edition_data(new_edition), "dry_run": context.dry_run}
    return CommandResult(data, lines, needs_person=new_edition.state is not EditionState.READY)


@command(
    "outbox resolve",
    "Resolve messages in doubt. Without --sent or --resend, list them.",
    asks_time=True,
)
@_edition_argument
@click.argument("addresses", nargs=-1, metavar="[ADDRESS]...")
@click.option("--sent", "verdict", flag_value="sent", help="They arrived: send nothing more.")
@click.option("--resend", "verdict", flag_value="resend", help="Send the same messages again.")
@click.option(
    "--evidence", default="", metavar="TEXT", help="How you know, such as a line of the relay's log."
)
def resolve(
    context: CommandContext, edition: str, addresses: tuple[str, ...], verdict: str | None, evidence: str
) -> CommandResult:
    store = context.publication.store
    if verdict is None:
        return _list_in_doubt(context, review.get_edition(store, edition))
    statement = f"{operator_name()} says that it arrived{evidence and f': {evidence}'}"
    count = review.resolve(
        store, edition, addresses, is_sent=verdict == "sent", evidence=statement, now=context.now
    )
    messages = format_count(count, "message")
    line = f"Marked {messages} as sent."
    if verdict == "resend":
        line = f"Queued {messages}: the next `ketapress send` sends the same bytes again."
    return CommandResult({"edition": edition, "resolved": count, "as": verdict}, [line])


def _list_in_doubt(context: CommandContext, edition: StoredEdition) -> CommandResult:
    """List messages in doubt, with the Message-IDs to look for in the relay's log."""
    name = edition.slot.edition
    deliveries = list(
        _delivery_data(context, edition, review.list_in_doubt(context.publication.store, edition))
    )
    rows = [
        (
            delivery["address"],
            delivery["message_id"] or "",
            context.format_time(datetime.fromisoformat(delivery["dated"])) if delivery["dated"] else "",
        )
        for delivery in deliveries
    ]
    help_text = (
        "Look for these Message-IDs in the relay's log. Then run "
        f"`ketapress outbox resolve {name} ADDRESS… --sent` for messages that it accepted, and the same with "
        "`--resend` for the others. Without addresses, it applies to all of them."
    )
    return CommandResult(
        {"edition": name, "in_doubt": deliveries},
        [make_table(rows), help_text] if deliveries else [f"{name} has no messages in doubt."],
        needs_person=bool(deliveries),
    )


outbox = group(
    "outbox",
    "List, show, hold, release, cancel, and export editions.",
    [list_, show, hold, release, approve, cancel, refresh, resolve, export],
)
