"""`ketapress explain EDITION`: why each post is or is not in an edition."""

import click

from ketapress.cli.context import CommandContext, CommandResult
from ketapress.cli.decorators import command
from ketapress.cli.table import make_table
from ketapress.edition_service import EditionService
from ketapress.model.edition import Decision

_NO_EDITION = {Decision.EMPTY: "no new posts, so no edition", Decision.MERGED: "part of a later edition"}


@command(
    "explain",
    "Explain for each post why it is or is not in EDITION, such as weekly/2023-06-12T0800.",
    asks_time=True,
)
@click.argument("edition")
def explain(context: CommandContext, edition: str) -> CommandResult:
    from ketapress.check.explain import explain_edition

    publication = context.publication
    newsletter, slot = EditionService(publication).find_slot(edition)
    library = publication.load_library(context.now, save_ids=False)
    explanation = explain_edition(publication.compose_context, newsletter, slot, library.posts, context.now)
    state = explanation.stored_edition and explanation.stored_edition.state
    window, zone = explanation.window, context.newsletter_zone(slot.newsletter)
    data = {
        "edition": slot.edition,
        "decided": explanation.decision and str(explanation.decision),
        "state": state and str(state),
        "window": window and [context.format_iso(window.start, zone), context.format_iso(window.end, zone)],
        "posts": [
            {"id": item.post.id, "path": item.post.path, "included": item.is_included, "why": item.reason}
            for item in explanation.post_explanations
        ],
    }
    decision = _NO_EDITION.get(explanation.decision) if explanation.decision else "not composed yet"
    heading = f"{slot.edition}: {state or decision}."
    if window and window.start < window.end:
        span = f"{context.format_time(window.start, zone)} to {context.format_time(window.end, zone)}"
        heading += f" It covers posts from {span}."
    if not newsletter:
        heading += f" The newsletter {slot.newsletter} is no longer in ketapress.toml."
    reasons = make_table(
        (
            ("in" if item.is_included else "out", f"{item.post.title} ({item.post.path})", item.reason)
            for item in explanation.post_explanations
        ),
        indent=2,
    )
    return CommandResult(data, [heading, reasons], library.problems)
