"""`ketapress preview`: what goes out next, by the code that sends it."""

from typing import TYPE_CHECKING

import click

from ketapress.cli.door import Answer, Door, command

if TYPE_CHECKING:
    from ketapress.compose import Composed


@command(
    "preview",
    "Make the next edition as it will be sent, for looking at; nothing is decided or sent.",
    asks_time=True,
)
@click.argument("newsletter", required=False)
def preview(door: Door, newsletter: str | None) -> Answer:
    from ketapress.check.queue import coming_edition

    publication = door.publication
    library = publication.library(door.now, keep=False)
    lines, editions, problems = [], [], list(library.problems)
    for each in publication.newsletters(newsletter):
        coming = coming_edition(publication.press, each, library.posts, door.now)
        if coming is None:
            lines.append(
                f"{each.name}: nothing new by its next slot; `ketapress outbox list` shows what is composed."
            )
            continue
        folder = publication.keep_preview(coming)
        editions.append(_previewed(coming) | {"folder": str(folder)})
        problems += coming.problems
        lines += [*_lines(coming, each.max_bytes), f"  Open {folder / 'digest.html'} in a browser."]
    return Answer({"editions": editions}, lines, problems)


def _previewed(coming: "Composed") -> dict[str, object]:
    return {
        "edition": coming.edition.slot.edition,
        "state": str(coming.state),
        "subject": coming.digest.subject,
        "posts": [post.id for post in coming.edition.posts],
        "bytes": coming.digest.sizes["html"],
    }


def _lines(coming: "Composed", most: int) -> list[str]:
    size = coming.digest.sizes["html"]
    return [
        f"{coming.edition.slot.edition}: “{coming.digest.subject}”",
        (
            f"  {size:,} of {most:,} bytes ({size / most:.0%}); text {coming.digest.sizes['text']:,}; "
            f"message {coming.digest.sizes['message']:,}."
        ),
        *(f"  {item.display:<8}  {item.post.title}" for item in coming.edition.items),
        *(f"  left out  {post.title}" for post in coming.edition.more),
    ]
