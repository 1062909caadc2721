"""`ketapress build`: feeds and archive only."""

from ketapress.cli.door import Answer, Door, command
from ketapress.cli.reports import build_lines, published


@command("build", "Write feeds and archive only.", asks_time=True, writes=True)
def build(door: Door) -> Answer:
    publication = door.publication
    with publication.alone("publish"):
        library = publication.library(door.now, keep=not door.dry_run)
        built = publication.build(library, door.now, dry_run=door.dry_run)
    return Answer(
        published(door, None, built), build_lines(door, built), (*library.problems, *built.problems)
    )
