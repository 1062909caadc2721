"""`ketapress queue`: the coming posts and editions by date."""

from datetime import timedelta

import click

from ketapress.cli.door import Answer, Door, command
from ketapress.model.errors import Problem, UsageError

_MONTH = timedelta(days=31)


@command("queue", "Show the coming slots and posts by date, in the site's zone.", asks_time=True)
@click.option("--from", "first", metavar="TIME", help="The first moment; now by default.")
@click.option("--to", "until", metavar="TIME", help="The moment to stop before; 31 days on by default.")
def queue(door: Door, first: str | None, until: str | None) -> Answer:
    from ketapress.check.queue import coming_posts, coming_slots

    publication = door.publication
    begin = door.moment(first, "--from") if first else door.now
    end = door.moment(until, "--to") if until else begin + _MONTH
    if end <= begin:
        message = f"--to {door.day(end)} is not after --from {door.day(begin)}."
        raise UsageError(
            Problem(code="usage.span", message=message, cure="Name a later --to, or leave one out.")
        )
    library = publication.library(door.now, keep=False)
    slots = coming_slots(publication.settings, begin, end)
    posts = coming_posts(publication.settings, library.posts, begin, end)
    result = {
        "slots": [
            {
                "newsletter": slot.newsletter,
                "slot": slot.key,
                "at": door.iso(slot.at, door.zone_of(slot.newsletter)),
            }
            for slot in slots
        ],
        "posts": [
            {
                "id": each.post.id,
                "path": each.post.path,
                "publishes_at": door.iso(each.post.date),
                "newsletters": list(each.newsletters),
            }
            for each in posts
        ],
    }
    events = [(slot.at, f"edition  {slot.edition}") for slot in slots]
    events += [(each.post.date, f"post     {each.post.title}  ({each.post.path})") for each in posts]
    lines = [
        f"{door.day(moment)}  {what}"
        for moment, what in sorted(events, key=lambda event: event[0].timestamp())
    ]
    return Answer(result, lines or ["Nothing is due in that time."], library.problems)
