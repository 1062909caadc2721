"""`ketapress publish`: compose due editions, then write feeds and site."""

from ketapress.cli.context import CommandContext, CommandResult
from ketapress.cli.decorators import command
from ketapress.cli.report_format import build_lines, compose_lines, has_waiting_editions, publish_data
from ketapress.edition_service import EditionService


@command(
    "publish",
    "Compose all due editions into the outbox, then write feeds and site.",
    asks_time=True,
    writes=True,
)
def publish(context: CommandContext) -> CommandResult:
    publication = context.publication
    with publication.exclusive_lock("publish"):
        library = publication.load_library(context.now, save_ids=not context.dry_run)
        if not context.dry_run:
            publication.save_posts(library, context.start_time)
        compose_report, build_report = EditionService(publication).publish(
            library, context.now, dry_run=context.dry_run
        )
    return CommandResult(
        publish_data(context, compose_report, build_report),
        [*compose_lines(context, compose_report), *build_lines(context, build_report)],
        (
            *context.future_date_warnings,
            *library.problems,
            *compose_report.problems,
            *build_report.problems,
        ),
        needs_person=has_waiting_editions(compose_report),
    )
