"""`ketapress db`: upgrade, back up, or restore the database."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ketapress.cli.context import CommandContext, CommandResult
from ketapress.cli.decorators import command, group
from ketapress.database_service import DatabaseService
from ketapress.model.errors import Problem, UsageError

if TYPE_CHECKING:
    from ketapress.restore import ReconciledEdition

_NEXT_STEPS = (
    "Nothing is composed or sent until you accept this database, so that no subscriber gets an edition twice.",
    "Look at `ketapress db restore --accept --dry-run`, then run `ketapress db restore --accept`.",
)


@command("db upgrade", "Upgrade the database to this version of Ketapress.")
def upgrade(context: CommandContext) -> CommandResult:
    before, after = DatabaseService(context.publication).upgrade()
    line = f"Upgraded the database from version {before} to {after}."
    if not before:
        line = f"Created the database at version {after}."
    elif before == after:
        line = f"The database is already at version {after}."
    return CommandResult({"before": before, "after": after}, [line])


@command(
    "db backup",
    "Save a verified copy of the database. It is written to a new FILE, even while mail is being sent.",
)
@click.argument("file", type=click.Path(dir_okay=False))
def backup(context: CommandContext, file: str) -> CommandResult:
    DatabaseService(context.publication).backup(Path(file), context.start_time)
    line = f"Saved a copy of the database in {file}. Back up posts/, with .published.jsonl, and outbox/ too."
    return CommandResult({"file": file}, [line])


@command(
    "db restore",
    "Replace the database with a backup. With --accept, editions sent since the backup are marked as sent.",
    writes=True,
)
@click.argument("file", type=click.Path(dir_okay=False), required=False)
@click.option("--accept", is_flag=True, help="Allow a restored database to compose and send again.")
def restore(context: CommandContext, file: str | None, *, accept: bool) -> CommandResult:
    if file is None and not accept:
        message, cure = "FILE or --accept is required.", "See `ketapress db restore --help`."
        raise UsageError(Problem(code="usage", message=message, cure=cure))
    if file is not None and context.dry_run:
        message, cure = "--dry-run works only with --accept and no FILE.", "Leave out FILE or --dry-run."
        raise UsageError(Problem(code="usage", message=message, cure=cure))
    lines: list[str] = []
    data: dict[str, Any] = {}
    if file is not None:
        replaced_file = DatabaseService(context.publication).restore(Path(file), context.clock())
        data = {"file": file, "replaced": replaced_file and str(replaced_file)}
        lines += _restore_lines(file, replaced_file)
    if not accept:
        return CommandResult(data, [*lines, *_NEXT_STEPS], needs_person=True)
    editions = DatabaseService(context.publication).reconcile(context.clock(), dry_run=context.dry_run)
    data |= {"editions": [_edition_data(edition) for edition in editions], "dry_run": context.dry_run}
    needs_person = any(edition.in_doubt or edition.state == "held" for edition in editions)
    return CommandResult(data, [*lines, *_accept_lines(context, editions)], needs_person=needs_person)


db = group("db", "Upgrade, back up, or restore the database.", [upgrade, backup, restore])


def _restore_lines(file: str, replaced_file: Path | None) -> list[str]:
    if replaced_file is None:
        return [f"Restored the database from {file}. There was no database before."]
    return [
        f"Restored the database from {file}. The previous database is now {replaced_file}.",
        (
            "Sign-ups, unsubscribes, and erasures since the backup are missing. If the previous database can still be "
            "read, compare both with `ketapress subscribers export`, and repeat the removals and erasures."
        ),
    ]


def _accept_lines(context: CommandContext, editions: "Sequence[ReconciledEdition]") -> list[str]:
    lines = []
    for edition in editions:
        name = edition.edition
        lines.append(f"{name} is {edition.state}{edition.reason and f': {edition.reason}'}.")
        if edition.in_doubt:
            lines.append(
                f"Who received {name} since the backup is unknown. See `ketapress outbox resolve {name}`."
            )
        elif edition.state == "held":
            lines.append(
                f"Send it with `ketapress outbox release {name}`, or cancel it with `ketapress outbox cancel {name}`."
            )
    if context.dry_run:
        return [*lines, "Nothing was changed. Apply this with `ketapress db restore --accept`."]
    return [*lines, "Editions can be composed and sent again."]


def _edition_data(edition: "ReconciledEdition") -> dict[str, object]:
    return {
        "edition": edition.edition,
        "state": str(edition.state),
        "why": edition.reason,
        "settled": edition.settled_count,
        "in_doubt": edition.in_doubt,
    }
