"""`ketapress outbox export`: copy an edition and the list of its deliveries into a new folder."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import click

from ketapress import review
from ketapress.cli.context import CommandContext, CommandResult, format_count
from ketapress.cli.decorators import command
from ketapress.mail_service import MailService
from ketapress.model.edition import StoredEdition
from ketapress.model.errors import Problem, RefusedError
from ketapress.outbox.writer import edition_folder
from ketapress.subscribers.csv_format import format_csv_line
from ketapress.system.atomic import open_atomic, write_new

_CSV_COLUMNS = ("address", "state", "attempts", "message_id", "dated", "reply")
_CSV_NAME = "deliveries.csv"


@command("outbox export", "Copy an edition into a new folder. The copy includes its deliveries as CSV.")
@click.argument("edition")
@click.option(
    "--to",
    "target",
    type=click.Path(file_okay=False),
    help="The new folder (default: named after the edition).",
)
def export(context: CommandContext, edition: str, target: str | None) -> CommandResult:
    stored_edition = review.get_edition(context.publication.store, edition)
    folder = Path(target or edition.replace("/", "-"))
    if folder.exists():
        cure = "Name another folder with --to."
        raise RefusedError(Problem(code="export.exists", message=f"{folder} already exists.", cure=cure))
    partial_folder = folder.with_name(f"{folder.name}.part")
    if partial_folder.is_symlink():
        partial_folder.unlink()
    shutil.rmtree(partial_folder, ignore_errors=True)
    partial_folder.mkdir(mode=0o700, parents=True)
    for name, content in _edition_files(context, stored_edition).items():
        write_new(partial_folder / name, content)
    with (
        open_atomic(partial_folder / _CSV_NAME) as handle,
        open(handle, "w", encoding="utf-8", newline="", closefd=False) as file,
    ):
        count = sum(1 for line in _csv_lines(context, stored_edition) if file.write(line)) - 1
    partial_folder.rename(folder)
    names = sorted(path.name for path in folder.iterdir())
    deliveries = format_count(count, "delivery", "deliveries")
    return CommandResult(
        {"edition": edition, "folder": str(folder), "files": names, "deliveries": count},
        [f"Exported {edition} to {folder}: {', '.join(names)} ({deliveries})."],
    )


def _edition_files(context: CommandContext, edition: StoredEdition) -> dict[str, bytes]:
    """Return the files of the outbox, or if that is on another machine, a sample message from the database."""
    folder = edition_folder(context.root, edition.slot)
    if folder.is_dir():
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    return {"message.eml": MailService(context.publication).sample_message(edition)}


def _csv_lines(context: CommandContext, edition: StoredEdition) -> Iterator[str]:
    message_id = MailService(context.publication).message_ids(edition)
    yield format_csv_line(_CSV_COLUMNS)
    for delivery in context.publication.store.deliveries.iter_deliveries(edition.id):
        yield format_csv_line(
            (
                delivery.address,
                str(delivery.state),
                str(delivery.attempts),
                message_id(delivery.subscription_id) or "",
                context.format_iso(delivery.message_date) or "",
                delivery.reply,
            )
        )
