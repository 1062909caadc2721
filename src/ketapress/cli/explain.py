"""`ketapress explain EDITION`: why each post is in, or why not."""

from typing import TYPE_CHECKING

import click

from ketapress.cli.decorators import Answer, Door, command
from ketapress.cli.table import rows
from ketapress.model.settings import NewsletterSettings

if TYPE_CHECKING:  # loaded when the command is called
    from ketapress.check.explain import Explanation


@command(
    "explain", "Say for each post why it is in EDITION (weekly/2023-06-12T0800), or why not.", asks_time=True
)
@click.argument("edition")
def explain(door: Door, edition: str) -> Answer:
    from ketapress.check.explain import explanation

    publication = door.publication
    newsletter, slot = publication.slot(edition)
    library = publication.library(door.now, keep=False)
    found = explanation(publication.press, newsletter, slot, library.posts)
    state = found.stored.state if found.stored else None
    result = {
        "edition": slot.edition,
        "decided": found.decided and str(found.decided),
        "state": state and str(state),
        "window": found.window
        and [
            door.iso(each, door.zone_of(slot.newsletter)) for each in (found.window.after, found.window.until)
        ],
        "posts": [
            {"id": each.post.id, "path": each.post.path, "included": each.included, "why": each.why}
            for each in found.reasons
        ],
    }
    reasons = (
        ("in" if each.included else "out", f"{each.post.title} ({each.post.path})", each.why)
        for each in found.reasons
    )
    return Answer(result, [_head(door, found, newsletter), rows(reasons, indent=2)], library.problems)


def _head(door: Door, found: "Explanation", newsletter: NewsletterSettings | None) -> str:
    state = found.stored.state if found.stored else None
    said = f"{found.slot.edition}: {state or found.decided or 'not decided yet'}"
    if found.window:
        zone = door.zone_of(found.slot.newsletter)
        said += f"; it looks back from {door.day(found.window.until, zone)} to {door.day(found.window.after, zone)}"
    gone = "" if newsletter else f" ketapress.toml has no newsletter {found.slot.newsletter} any more."
    return f"{said}.{gone}"
