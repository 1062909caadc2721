"""`ketapress compose`: compose due editions, or one newsletter right away."""

import click

from ketapress.cli.context import CommandContext, CommandResult
from ketapress.cli.decorators import command
from ketapress.cli.report_format import compose_lines, has_waiting_editions, publish_data
from ketapress.edition_service import EditionService
from ketapress.model.errors import Problem, UsageError


@command(
    "compose",
    "Compose due editions into the outbox; with --now, compose NEWSLETTER right away.",
    asks_time=True,
    writes=True,
)
@click.argument("newsletter", required=False)
@click.option("--now", "immediately", is_flag=True, help="Compose NEWSLETTER now, outside its schedule.")
def compose(context: CommandContext, newsletter: str | None, *, immediately: bool) -> CommandResult:
    publication = context.publication
    if immediately and newsletter is None:
        message, cure = "--now needs a newsletter.", "Name one: ketapress compose weekly --now."
        raise UsageError(Problem(code="usage.newsletter", message=message, cure=cure))
    with publication.exclusive_lock("publish"):
        library = publication.load_library(context.now, save_ids=not context.dry_run)
        report = EditionService(publication).compose(
            library, context.now, newsletter, immediately=immediately, dry_run=context.dry_run
        )
    return CommandResult(
        publish_data(context, report, None),
        compose_lines(context, report),
        (*context.future_date_warnings, *library.problems, *report.problems),
        needs_person=has_waiting_editions(report),
    )
