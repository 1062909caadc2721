"""`ketapress explain EDITION`: why each post is in, or why not."""

from typing import TYPE_CHECKING

import click

from ketapress.cli.decorators import Answer, Door, command
from ketapress.cli.table import rows
from ketapress.edition_service import EditionService
from ketapress.model.settings import NewsletterSettings

if TYPE_CHECKING:  # loaded when the command is called
    from ketapress.check.explain import EditionExplanation


@command(
    "explain", "Say for each post why it is in EDITION (weekly/2023-06-12T0800), or why not.", asks_time=True
)
@click.argument("edition")
def explain(door: Door, edition: str) -> Answer:
    from ketapress.check.explain import explain_edition

    publication = door.publication
    newsletter, slot = EditionService(publication).find_slot(edition)
    library = publication.load_library(door.now, save_ids=False)
    found = explain_edition(publication.compose_context, newsletter, slot, library.posts, door.now)
    state = found.stored_edition.state if found.stored_edition else None
    result = {
        "edition": slot.edition,
        "decided": found.decision and str(found.decision),
        "state": state and str(state),
        "window": found.window
        and [
            door.iso(each, door.zone_of(slot.newsletter)) for each in (found.window.start, found.window.end)
        ],
        "posts": [
            {"id": each.post.id, "path": each.post.path, "included": each.is_included, "why": each.reason}
            for each in found.post_explanations
        ],
    }
    reasons = (
        ("in" if each.is_included else "out", f"{each.post.title} ({each.post.path})", each.reason)
        for each in found.post_explanations
    )
    return Answer(result, [_head(door, found, newsletter), rows(reasons, indent=2)], library.problems)


def _head(door: Door, found: "EditionExplanation", newsletter: NewsletterSettings | None) -> str:
    state = found.stored_edition.state if found.stored_edition else None
    said = f"{found.slot.edition}: {state or found.decision or 'not decided yet'}"
    if found.window:
        zone = door.zone_of(found.slot.newsletter)
        said += (
            f"; it looks back from {door.day(found.window.end, zone)} to {door.day(found.window.start, zone)}"
        )
    gone = "" if newsletter else f" ketapress.toml has no newsletter {found.slot.newsletter} any more."
    return f"{said}.{gone}"
