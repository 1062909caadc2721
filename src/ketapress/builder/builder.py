"""Act: posts and public editions become feeds and pages in public/, and only what changed is made and written."""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Self

from ketapress.builder.manifest import Made, read_built, write_built
from ketapress.builder.writer import Written, write_outputs
from ketapress.feeds.formats import FORMATS
from ketapress.feeds.outputs import feed_files
from ketapress.i18n.dates import DateFormatter
from ketapress.model.edition import StoredEdition
from ketapress.model.errors import Problem, Severity
from ketapress.model.output import Keys, Output, digest
from ketapress.model.post import Post, visible_posts
from ketapress.model.renderer import Fill
from ketapress.model.settings import Settings
from ketapress.posts.source.attachments import ATTACHMENT_FOLDER, find_attachments, read_attachment
from ketapress.site.pages import site_pages
from ketapress.system.file_stamp import program_stamps, stamp
from ketapress.templates.sources import has_overrides, templates_fingerprint


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
    keys = Keys(site_key(root, settings), own_templates=has_overrides(root, "archive"))
    feeds = feed_files(public, settings, keys)
    days = DateFormatter(settings.site.timezone, settings.site.language)
    beside = find_attachments(root / "posts", (path for post in public for path in post.files))
    pages = site_pages(public, editions, settings, FORMATS, fill, keys, days)
    copies = (_copy(root / "posts", path, keys) for path in beside.paths)
    previous = read_built(root)
    written = write_outputs(root / "public", feeds, chain(pages, copies), previous, dry_run=dry_run)
    if not dry_run and written.made != previous:
        write_built(root, written.made)
    return report_of(public, written, beside.problems)


def _copy(folder: Path, path: str, keys: Keys) -> Output:
    """The copy of a file that lies beside a post."""
    key = keys.of(ATTACHMENT_FOLDER, path, stamp(f"{folder}/{path}"))
    return Output(ATTACHMENT_FOLDER + path, key, partial(read_attachment, folder, path))


def site_key(root: Path, settings: Settings) -> str:
    """What every output depends on: the settings that feeds and pages know of, the templates, the programs."""
    known = (settings.site, settings.feeds, dict(settings.newsletters), settings.web.url)
    return digest(known, templates_fingerprint(root), sys.version, program_stamps())


def report_of(posts: Sequence[Post], written: Written, more: tuple[Problem, ...] = ()) -> BuildReport:
    problems = (*more, *(_clash(path) for path in written.clashes))
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
