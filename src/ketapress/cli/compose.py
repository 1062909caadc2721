"""`ketapress compose`: what is due, or one newsletter at once."""

import click

from ketapress.cli.decorators import Answer, Door, command
from ketapress.cli.report_format import compose_lines, has_template_error, needs_person, published
from ketapress.edition_service import EditionService
from ketapress.model.errors import Problem, UsageError


@command(
    "compose",
    "Compose what is due into the outbox; with --now, one newsletter at once.",
    asks_time=True,
    writes=True,
)
@click.argument("newsletter", required=False)
@click.option(
    "--now", "immediately", is_flag=True, help="Compose NEWSLETTER at this minute, outside its schedule."
)
def compose(door: Door, newsletter: str | None, *, immediately: bool) -> Answer:
    publication = door.publication
    if immediately and newsletter is None:
        raise UsageError(
            Problem(
                code="usage.newsletter",
                message="--now needs to know which newsletter.",
                cure="Name one: compose weekly --now.",
            )
        )
    with publication.exclusive_lock("publish"):
        library = publication.load_library(door.now, save_ids=not door.dry_run)
        report = EditionService(publication).compose(
            library, door.now, newsletter, immediately=immediately, dry_run=door.dry_run
        )
    return Answer(
        published(door, report, None),
        compose_lines(door, report),
        (*door.ahead, *library.problems, *report.problems),
        needs_person=needs_person(report),
        has_template_error=has_template_error(report.problems),
    )
