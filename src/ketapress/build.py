"""Act: posts and public editions become feeds and pages in public/, and nothing is written that did not change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ketapress.archive.folder import Written, write_outputs
from ketapress.archive.pages import site_pages
from ketapress.archive.state import read_built, write_built
from ketapress.feeds.files import feed_files
from ketapress.feeds.formats import FORMATS
from ketapress.model.edition import StoredEdition
from ketapress.model.errors import Problem, Severity
from ketapress.model.post import Post, visible_posts
from ketapress.model.settings import Settings
from ketapress.templates.folder import Templates


@dataclass(frozen=True, slots=True)
class BuildReport:
    """How many posts are public, and what became of the files."""

    posts: int
    written: int
    unchanged: int
    removed: int
    problems: tuple[Problem, ...] = ()


def build(
    root: Path,
    settings: Settings,
    posts: Sequence[Post],
    editions: Sequence[StoredEdition],
    templates: Templates,
    now: datetime,
    *,
    dry_run: bool = False,
) -> BuildReport:
    """Writes all that any web server can serve. In a dry run everything is made and only counted."""
    public = visible_posts(posts, now)
    outputs = outputs_of(settings, public, editions, templates)
    previous = read_built(root)
    written = write_outputs(root / "public", outputs, previous, dry_run=dry_run)
    if not dry_run and written.paths != previous:
        write_built(root, written.paths)
    return report_of(public, written)


def outputs_of(
    settings: Settings, posts: Sequence[Post], editions: Sequence[StoredEdition], templates: Templates
) -> Iterator[tuple[str, bytes]]:
    """Every file of `public/` with its bytes: feeds, then pages."""
    yield from feed_files(posts, settings)
    yield from site_pages(posts, editions, settings, FORMATS, templates)


def report_of(posts: Sequence[Post], written: Written) -> BuildReport:
    problems = tuple(_clash(path) for path in written.clashes)
    return BuildReport(len(posts), written.written, written.unchanged, written.removed, problems)


def _clash(path: str) -> Problem:
    return Problem(
        code="build.clash",
        severity=Severity.WARNING,
        path=f"public/{path}",
        message="two pages asked for this address: the first has it, the other was not written.",
        cure="Give one of the posts another `slug`, or remove the alias.",
    )
