"""`ketapress outbox export`: an edition to take along, with the list of who got it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import click

from ketapress import review
from ketapress.cli.context import Answer, Door
from ketapress.cli.decorators import command
from ketapress.mail_service import MailService
from ketapress.model.delivery import DeliverySummary
from ketapress.model.edition import StoredEdition
from ketapress.model.errors import Problem, RefusedError
from ketapress.outbox.writer import edition_folder
from ketapress.subscribers.csv_format import format_csv_line
from ketapress.system.atomic import open_atomic, write_new

_HEADER = ("address", "state", "attempts", "message_id", "dated", "reply")
_LIST = "deliveries.csv"


@command(
    "outbox export",
    "Copy an edition into a new folder: what people read, message.eml, and who got it as CSV.",
)
@click.argument("edition")
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False),
    help="The new folder; named for the edition by default.",
)
def export(door: Door, edition: str, folder: str | None) -> Answer:
    found = review.get_edition(door.publication.store, edition)
    place = Path(folder or edition.replace("/", "-"))
    if place.exists():
        raise RefusedError(_in_the_way(place))
    unfinished = place.with_name(f"{place.name}.part")
    if unfinished.is_symlink():
        unfinished.unlink()
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700, parents=True)
    for name, content in _contents(door, found).items():
        write_new(unfinished / name, content)
    with (
        open_atomic(unfinished / _LIST) as handle,
        open(handle, "w", encoding="utf-8", newline="", closefd=False) as out,
    ):
        count = sum(1 for line in _deliveries(door, found) if out.write(line)) - 1
    unfinished.rename(place)
    files = sorted(each.name for each in place.iterdir())
    lines = [f"{edition} is in {place}: {', '.join(files)}; {count:,} deliveries."]
    return Answer({"edition": edition, "folder": str(place), "files": files, "deliveries": count}, lines)


def _contents(door: Door, found: StoredEdition) -> dict[str, bytes]:
    """The files of the outbox as they are; where that is on another machine, the message of the letter in the store."""
    folder = edition_folder(door.root, found.slot)
    if folder.is_dir():
        return {each.name: each.read_bytes() for each in sorted(folder.iterdir()) if each.is_file()}
    return {"message.eml": MailService(door.publication).sample_message(found)}


def _deliveries(door: Door, found: StoredEdition) -> Iterator[str]:
    message_id = MailService(door.publication).message_ids(found)
    yield format_csv_line(_HEADER)
    for each in door.publication.store.deliveries.iter_deliveries(found.id):
        yield format_csv_line(
            _cells(each, message_id(each.subscription_id) or "", door.iso(each.message_date) or "")
        )


def _cells(each: DeliverySummary, message_id: str, dated: str) -> tuple[str, ...]:
    return (each.address, str(each.state), str(each.attempts), message_id, dated, each.reply)


def _in_the_way(place: Path) -> Problem:
    return Problem(
        code="export.exists",
        message=f"{place} is there already, and is left as it is.",
        cure="Name another folder with --to.",
    )
