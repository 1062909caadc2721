"""`ketapress db`: the database."""

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


db = group("db", "Upgrade the database.", [upgrade])
