"""`ketapress publish`: the main job."""

from ketapress.cli.decorators import Answer, Door, command
from ketapress.cli.report_format import (
    build_lines,
    compose_lines,
    has_template_error,
    needs_person,
    published,
)
from ketapress.edition_service import EditionService


@command(
    "publish",
    "Compose every due edition into the outbox, then write feeds and archive.",
    asks_time=True,
    writes=True,
)
def publish(door: Door) -> Answer:
    publication = door.publication
    with publication.exclusive_lock("publish"):
        library = publication.load_library(door.now, save_ids=not door.dry_run)
        if not door.dry_run:
            publication.save_posts(library, door.started)
        composed, built = EditionService(publication).publish(library, door.now, dry_run=door.dry_run)
    return Answer(
        published(door, composed, built),
        [*compose_lines(door, composed), *build_lines(door, built)],
        (*door.ahead, *library.problems, *composed.problems, *built.problems),
        needs_person=needs_person(composed),
        has_template_error=has_template_error((*composed.problems, *built.problems)),
    )
