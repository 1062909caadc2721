"""Build the feeds and pages of a publication in `public/`."""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Self

from ketapress.builder.old_manifest import read_old_paths, remove_old_manifest
from ketapress.builder.writer import write_targets
from ketapress.feeds.formats import FORMATS
from ketapress.feeds.targets import feed_targets
from ketapress.i18n.dates import DateFormatter
from ketapress.model.build_target import BuildTarget, Fingerprints
from ketapress.model.digests import digest
from ketapress.model.edition import StoredEdition
from ketapress.model.errors import Problem, Severity
from ketapress.model.post import Post, visible_posts
from ketapress.model.renderer import Renderer
from ketapress.model.settings import Settings
from ketapress.model.urls import decode_path
from ketapress.posts.source.attachments import ATTACHMENT_FOLDER, find_attachments, read_attachment
from ketapress.site.pages import alias_path, site_targets
from ketapress.system.build_cache import FILE, BuildCache
from ketapress.system.file_stamp import program_stamps, stamp
from ketapress.templates.sources import has_overrides, templates_fingerprint


class BuildReport(NamedTuple):
    """How many posts are public; how many files were written, left unchanged and removed; the stamps of all of them."""

    posts: int
    written: int
    unchanged: int
    removed: int
    problems: tuple[Problem, ...] = ()
    stamps: Mapping[str, str] = MappingProxyType({})

    @property
    def next_report(self) -> Self:
        """What the next build reports if nothing changes before it."""
        return self._replace(written=0, unchanged=self.unchanged + self.written, removed=0)


def build(
    root: Path,
    settings: Settings,
    posts: Sequence[Post],
    editions: Sequence[StoredEdition],
    renderer: Renderer,
    now: datetime,
    *,
    dry_run: bool = False,
) -> BuildReport:
    """Write all files that a web server serves. A dry run renders what changed and only counts it."""
    public_posts = visible_posts(posts, now)
    fingerprints = Fingerprints(
        site_fingerprint(root, settings), custom_templates=has_overrides(root, "archive")
    )
    days = DateFormatter(settings.site.timezone, settings.site.language)
    attachments = find_attachments(root / "posts", (path for post in public_posts for path in post.files))
    pages = site_targets(public_posts, editions, settings, FORMATS, renderer, fingerprints, days)
    copies = (_copy_target(root / "posts", path, fingerprints) for path in attachments.paths)
    result = write_targets(
        root / "public",
        feed_targets(public_posts, settings, fingerprints),
        chain(pages, copies),
        BuildCache(root / FILE),
        read_old_paths(root),
        dry_run=dry_run,
    )
    if not dry_run:
        remove_old_manifest(root)
    owners = _page_owners(public_posts) if result.clashes else {}
    clashes = (_clash(path, owners.get(path, ())) for path in result.clashes)
    problems = (*attachments.problems, *clashes, *result.problems)
    return BuildReport(
        len(public_posts), result.written, result.unchanged, result.removed, problems, result.stamps
    )


def _copy_target(folder: Path, path: str, fingerprints: Fingerprints) -> BuildTarget:
    """Return the copy of a file that a post shows or links to."""
    key = fingerprints.key(ATTACHMENT_FOLDER, path, stamp(f"{folder}/{path}"))
    return BuildTarget(ATTACHMENT_FOLDER + path, key, partial(read_attachment, folder, path))


def site_fingerprint(root: Path, settings: Settings) -> str:
    """Return the fingerprint of what all targets depend on: settings, templates, programs."""
    sections = (settings.site, settings.feeds, dict(settings.newsletters), settings.web.url)
    return digest(sections, templates_fingerprint(root), sys.version, program_stamps())


def _page_owners(posts: Sequence[Post]) -> dict[str, list[str]]:
    """Return the paths of the posts whose page or alias is at each path of the site, pages first, as they are written."""
    owners: dict[str, list[str]] = {}
    for post in posts:
        owners.setdefault(decode_path(post.url), []).append(post.path)
    for post in posts:
        for path in filter(None, map(alias_path, post.aliases)):
            owners.setdefault(path, []).append(post.path)
    return owners


def _clash(path: str, post_paths: Sequence[str]) -> Problem:
    """Return the problem of a page that is not written. `post_paths` are the posts that have a page or alias there."""
    owners = (
        " and ".join(f"`posts/{post_path}`" for post_path in post_paths[:-1]) or "another page of the site"
    )
    return Problem(
        code="build.clash",
        severity=Severity.WARNING,
        path=f"posts/{post_paths[-1]}" if post_paths else f"public/{path}",
        message=f"`public/{path}` was not written, because its address is also that of {owners}.",
        cure="Change the `slug` of the post, or remove its alias or `permalink`.",
    )
