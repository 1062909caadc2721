"""Act: posts and public editions become feeds and pages in public/, and only what changed is made and written."""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Self

from ketapress.archive.folder import Written, write_outputs
from ketapress.archive.pages import site_pages
from ketapress.archive.stamps import program_stamps
from ketapress.archive.state import Made, read_built, read_moulds, write_built, write_moulds
from ketapress.feeds.files import feed_files
from ketapress.feeds.formats import FORMATS
from ketapress.model.edition import StoredEdition
from ketapress.model.errors import Problem, Severity
from ketapress.model.fill import Fill
from ketapress.model.mould import Moulds
from ketapress.model.output import Keys, digest
from ketapress.model.post import Post, visible_posts
from ketapress.model.settings import Settings
from ketapress.templates.days import Days
from ketapress.templates.files import fingerprint, has_own


class BuildReport(NamedTuple):
    """How many posts are public, and what became of the files. `made` are the keys and stamps of all of them."""

    posts: int
    written: int
    unchanged: int
    removed: int
    problems: tuple[Problem, ...] = ()
    made: Mapping[str, Made] = MappingProxyType({})

    @property
    def again(self) -> Self:
        """What the next build reports, if nothing changes until then."""
        return self._replace(written=0, unchanged=self.unchanged + self.written, removed=0)


def build(
    root: Path,
    settings: Settings,
    posts: Sequence[Post],
    editions: Sequence[StoredEdition],
    fill: Fill,
    now: datetime,
    *,
    dry_run: bool = False,
) -> BuildReport:
    """Writes all that any web server can serve. In a dry run what changed is made and only counted."""
    public = visible_posts(posts, now)
    site = site_key(root, settings)
    keys = Keys(site, own_templates=has_own(root, "archive"))
    known = read_moulds(root, site)
    moulds = Moulds(known)
    feeds = feed_files(public, settings, keys, moulds)
    days = Days(settings.site.timezone, settings.site.language)
    shipped = None if keys.own_templates else moulds
    pages = site_pages(public, editions, settings, FORMATS, fill, keys, days, shipped)
    previous = read_built(root)
    written = write_outputs(root / "public", feeds, pages, previous, moulds, dry_run=dry_run)
    if not dry_run and written.made != previous:
        write_built(root, written.made)
    if not dry_run and written.moulds:
        write_moulds(root, site, {**known, **written.moulds})
    return report_of(public, written)


def site_key(root: Path, settings: Settings) -> str:
    """What every output depends on: the settings that feeds and pages know of, the templates, the programs."""
    known = (settings.site, settings.feeds, dict(settings.newsletters), settings.web.url)
    return digest(known, fingerprint(root), sys.version, program_stamps())


def report_of(posts: Sequence[Post], written: Written) -> BuildReport:
    problems = tuple(_clash(path) for path in written.clashes)
    return BuildReport(
        len(posts), written.written, written.unchanged, written.removed, problems, written.made
    )


def _clash(path: str) -> Problem:
    return Problem(
        code="build.clash",
        severity=Severity.WARNING,
        path=f"public/{path}",
        message="two pages asked for this address: the first has it, the other was not written.",
        cure="Give one of the posts another `slug`, or remove the alias.",
    )
