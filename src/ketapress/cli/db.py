"""`ketapress db`: the database."""

from pathlib import Path

import click

from ketapress.cli.door import Answer, Door, command, group


@command("db upgrade", "Bring the database to the version that this Ketapress knows.")
def upgrade(door: Door) -> Answer:
    before, after = door.publication.upgrade_database()
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
    door.publication.backup(Path(file), door.started)
    return Answer({"file": file}, [f"The copy is in {file}; posts/ and its ids belong to a backup, too."])


db = group("db", "Upgrade the database, or copy it.", [upgrade, backup])
