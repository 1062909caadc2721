"""`ketapress explain EDITION`: why each post is in, or why not."""

import click

from ketapress.cli.door import Answer, Door, command


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
        "window": [door.iso(found.window.after, door.zone_of(newsletter.name)), door.iso(found.window.until)],
        "posts": [
            {"id": each.post.id, "path": each.post.path, "included": each.included, "why": each.why}
            for each in found.reasons
        ],
    }
    return Answer(
        result,
        [
            (
                f"{slot.edition}: {state or found.decided or 'not decided yet'}; it looks back from "
                f"{door.day(found.window.until)} to {door.day(found.window.after)}."
            ),
            *(
                f"  {'in ' if each.included else 'out'}  {each.post.title} ({each.post.path}): {each.why}."
                for each in found.reasons
            ),
        ],
        library.problems,
    )
