"""What `ketapress build` does, apart from click: a build with one changed post takes little longer than click to load."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ketapress.builder.up_to_date import Saying
from ketapress.cli.context import Answer, Door, shown
from ketapress.cli.report_format import build_lines, published

if TYPE_CHECKING:
    from ketapress.builder.builder import BuildReport
    from ketapress.posts.library import Library


def built(door: Door, seen: dict[str, str] | None = None) -> Answer:
    """Writes feeds and archive, and keeps what to say when nothing changes.

    `seen` are stamps of files that were looked at a moment ago, by their places.
    """
    with _uncollected():
        return _built(door, seen or {})


def _built(door: Door, seen: dict[str, str]) -> Answer:
    publication = door.publication
    with publication.alone("publish"):
        inputs = publication.inputs(seen)
        library = publication.library(door.now, keep=not door.dry_run, stamps=inputs)
        if not door.dry_run:
            publication.save_posts(library, door.started)
        report = publication.build(library, door.now, dry_run=door.dry_run)
        again = library.problems_again
        if inputs and again is not None and not door.dry_run and door.at is None:
            saying = _saying(door, _answer(door, library._replace(problems=again), report.again))
            publication.remember(saying, inputs, library, report, door.started, door.clock())
    return _answer(door, library, report)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Garbage in circles is left for later: of ten thousand posts it is 176 objects, and to look for it an eighth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # or it would look for it now
        gc.enable()


def _answer(door: Door, library: "Library", built: "BuildReport") -> Answer:
    problems = (*door.ahead, *library.problems, *built.problems)
    return Answer(published(door, None, built), build_lines(door, built), problems)


def _saying(door: Door, answer: Answer) -> Saying:
    """An answer as it is printed, without the moment."""
    errors = "".join(f"{door.told(shown(problem))}\n" for problem in answer.problems)
    lines = "".join(f"{line}\n" for line in answer.lines)
    before, _, after = f"{door.document(answer)}\n".partition(door.iso(door.now) or "")
    return Saying(answer.exit_code, errors, lines, (before, after), door.zone.key)
