"""`ketapress db`: the database."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ketapress.cli.decorators import Answer, Door, command, group
from ketapress.database_service import DatabaseService
from ketapress.model.errors import Problem, UsageError

if TYPE_CHECKING:
    from ketapress.restore import ReconciledEdition


@command("db upgrade", "Bring the database to the version that this Ketapress knows.")
def upgrade(door: Door) -> Answer:
    before, after = DatabaseService(door.publication).upgrade()
    if before == after:
        return Answer(
            {"before": before, "after": after}, [f"The database is at {after} already; nothing was changed."]
        )
    return Answer(
        {"before": before, "after": after}, [f"The database went from {before or 'nothing'} to {after}."]
    )


@command(
    "db backup", "Write a whole and checked copy of the database into a new FILE, also while mail goes out."
)
@click.argument("file", type=click.Path(dir_okay=False))
def backup(door: Door, file: str) -> Answer:
    DatabaseService(door.publication).backup(Path(file), door.started)
    return Answer(
        {"file": file}, [f"The copy is in {file}; posts/ and its ids, and outbox/, belong to a backup, too."]
    )


@command(
    "db restore",
    "Put the backup FILE in the place of the database; with --accept, mark what went out since as sent.",
    writes=True,
)
@click.argument("file", type=click.Path(dir_okay=False), required=False)
@click.option(
    "--accept", is_flag=True, help="Let an older copy send again, after you looked at what went out."
)
def restore(door: Door, file: str | None, *, accept: bool) -> Answer:
    if file is None and not accept:
        message = (
            "name the backup that is to be restored, or say --accept to take the database that is there."
        )
        raise UsageError(Problem(code="usage", message=message, cure="See `ketapress db restore --help`."))
    if file is not None and door.dry_run:
        message = "--dry-run goes with --accept alone: it tells what would be marked as sent."
        raise UsageError(Problem(code="usage", message=message, cure="Leave FILE or --dry-run out."))
    lines: list[str] = []
    result: dict[str, Any] = {}
    if file is not None:
        aside = DatabaseService(door.publication).restore(Path(file), door.clock())
        result = {"file": file, "replaced": aside and str(aside)}
        lines += _restored(file, aside)
    if not accept:
        return Answer(result, [*lines, *_NEXT], needs_person=True)
    accepted = DatabaseService(door.publication).reconcile(door.clock(), dry_run=door.dry_run)
    result |= {"editions": [_result(each) for each in accepted], "dry_run": door.dry_run}
    waits = any(each.in_doubt or each.state == "held" for each in accepted)
    return Answer(result, [*lines, *_accepted(door, accepted)], needs_person=waits)


db = group("db", "Upgrade, copy or restore the database.", [upgrade, backup, restore])

_NEXT = (
    "It composes and sends nothing yet, so that nobody gets an edition twice.",
    "Now look at `ketapress db restore --accept --dry-run`, then run `ketapress db restore --accept`.",
)


def _restored(file: str, aside: Path | None) -> list[str]:
    if aside is None:
        return [f"{file} is the database now; there was none before."]
    return [
        f"{file} is the database now; the one before is {aside}.",
        (
            "Who signed up, left or was erased since the backup is not known in it: if the one before can still be read, "
            "compare the two with `subscribers export`, and remove or erase those again."
        ),
    ]


def _accepted(door: Door, accepted: "Sequence[ReconciledEdition]") -> list[str]:
    lines = [
        f"{each.edition}: {each.state}{', because ' + each.reason if each.reason else ''}."
        for each in accepted
    ]
    for each in accepted:
        if each.in_doubt:
            lines.append(
                f"Who got {each.edition} since is not known: look at `ketapress outbox resolve {each.edition}`."
            )
        elif each.state == "held":
            lines.append(
                f"`ketapress outbox release {each.edition}` lets it go, `ketapress outbox cancel` ends it."
            )
    if door.dry_run:
        return [*lines, "Nothing was changed: `ketapress db restore --accept` does it."]
    return [*lines, "The database may compose and send again."]


def _result(each: "ReconciledEdition") -> dict[str, object]:
    return {
        "edition": each.edition,
        "state": str(each.state),
        "why": each.reason,
        "settled": each.settled_count,
        "in_doubt": each.in_doubt,
    }
