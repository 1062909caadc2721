"""`ketapress build`: feeds and archive only."""

from typing import TYPE_CHECKING

import click

from ketapress.cli.door import Answer, Door, command, shown
from ketapress.cli.reports import build_lines, published
from ketapress.unchanged import Saying

if TYPE_CHECKING:
    from ketapress.build import BuildReport
    from ketapress.posts.folder import Library


@command("build", "Write feeds and archive only.", asks_time=True, writes=True)
def build(door: Door) -> Answer:
    publication = door.publication
    with publication.alone("publish"):
        inputs = publication.inputs()
        library = publication.library(door.now, keep=not door.dry_run)
        built = publication.build(library, door.now, dry_run=door.dry_run)
        if not door.dry_run:
            publication.keep_read(library, door.started)
        if inputs and not door.dry_run and door.at is None:
            saying = _saying(door, _answer(door, library, built.again))
            publication.remember(saying, inputs, library, built, door.started, door.clock())
    return _answer(door, library, built)


def _answer(door: Door, library: "Library", built: "BuildReport") -> Answer:
    problems = (*library.problems, *built.problems)
    return Answer(published(door, None, built), build_lines(door, built), problems)


def _saying(door: Door, answer: Answer) -> Saying:
    """An answer as it is printed, without the moment."""
    errors = "".join(f"{click.unstyle(shown(problem))}\n" for problem in answer.problems)
    lines = "".join(f"{line}\n" for line in answer.lines)
    before, _, after = f"{door.document(answer)}\n".partition(door.iso(door.now) or "")
    return Saying(answer.exit_code, errors, lines, (before, after), door.zone.key)
