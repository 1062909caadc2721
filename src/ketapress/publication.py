"""A publication, wired from its settings. The only constructor: doors ask here, and nobody below knows of it."""

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ketapress.model.edition import WAITING_STATES, EditionState, Slot, StoredEdition
from ketapress.model.errors import ConfigurationError, Problem, StoreError, UsageError
from ketapress.model.settings import NewsletterSettings, Settings
from ketapress.settings.loader import SETTINGS_FILE, find_variables, read_settings

if TYPE_CHECKING:
    from ketapress.builder.builder import BuildReport
    from ketapress.builder.up_to_date import CachedAnswer
    from ketapress.compose import ComposeContext, ComposedEdition, ComposeReport
    from ketapress.mail_service import Mailing
    from ketapress.model.message import MessageTemplate
    from ketapress.posts.cache.post_cache import PostCache
    from ketapress.posts.library import Library
    from ketapress.restore import ReconciledEdition
    from ketapress.store.overview import StoreOverview
    from ketapress.store.store import Store
    from ketapress.system.build_cache import BuildCache
    from ketapress.templates.environment import Templates


_MISNAMED = {"store.missing", "store.refused"}
"""What a wrong `database.url` leads to: no such place, or nobody of that name."""


class Publication:
    """One publication folder and the parts that work on it; each part is made, and imported, when first asked for."""

    def __init__(self, root: Path, environ: Mapping[str, str], settings: Settings | None = None) -> None:
        """Under the settings given, or else those that ketapress.toml holds now. Raises ConfigurationError."""
        self.root = root
        self.environ = environ
        self.settings: Settings = settings or read_settings(root, environ)

    @cached_property
    def store(self) -> "Store":
        from ketapress.store.store import open_store

        url, durability = self.settings.database.url, self.settings.relay.durability
        try:
            return open_store(url, self.root, durability=durability)
        except StoreError as error:
            wrong = [_misnamed(each) for each in error.problems if each.code in _MISNAMED]
            if not wrong:
                raise
            raise ConfigurationError(*wrong) from error

    def quick_look(self) -> "StoreOverview | None":
        """How the books stand, without opening the store; None where it has to be opened."""
        from ketapress.store.overview import read_overview

        return read_overview(self.settings.database.url, self.root)

    @property
    def has_store(self) -> bool:
        """Whether there is a database: building a site that mails nobody neither makes one nor loads what reads it."""
        from ketapress.settings.converters import sqlite_path

        file = sqlite_path(self.settings.database.url)
        return file is None or (self.root / file).exists()

    @cached_property
    def templates(self) -> "Templates":
        from ketapress.templates.environment import Templates

        return Templates(self.root)

    def fill(self, name: str, values: Mapping[str, Any]) -> str:
        """The templates, which are loaded when one of them is filled."""
        return self.templates(name, values)

    @cached_property
    def secret(self) -> str:
        import secrets

        from ketapress.settings.secret import load_or_create_secret
        from ketapress.system.state_file import make_state_folder

        return load_or_create_secret(make_state_folder(self.root), self.settings, secrets.token_hex(32))

    @cached_property
    def press(self) -> "ComposeContext":
        from ketapress.compose import ComposeContext

        return ComposeContext(self.root, self.settings, self.store, self.templates)

    @cached_property
    def mailing(self) -> "Mailing":
        from ketapress.mail_service import Mailing

        return Mailing(self.root, self.settings, lambda: self.store, lambda: self.secret)

    def alone(self, work: str) -> AbstractContextManager[None]:
        """Holds the right to that kind of work (`publish`, `send`) against other processes; RefusedError otherwise."""
        from ketapress.system.lock import publication_lock

        return publication_lock(self.root, work)

    def running(self) -> dict[str, str]:
        """The parts of `run` that are kept going in this folder, and the process that does it."""
        from ketapress.system.lock import PARTS, lock_holder, run_work

        return {part: who for part in PARTS if (who := lock_holder(self.root, run_work(part)))}

    def close(self) -> None:
        if "store" in self.__dict__:
            self.store.close()

    def library(self, now: datetime, *, keep: bool, stamps: Mapping[str, str] | None = None) -> "Library":
        """All posts and what is wrong with them. With `keep`, ids that were pinned just now are written down.

        `stamps` are those of files under the folder that were looked at a moment ago, by their paths.
        """
        from ketapress.posts.identity.registry import REGISTRY_LOST, has_registry
        from ketapress.posts.loader import load_posts

        if (
            not has_registry(self.root)
            and self.has_store
            and any(each.state for each in self.store.editions.list_all())
        ):
            raise ConfigurationError(REGISTRY_LOST)
        cache = self.post_cache.with_stamps(self.root / "posts", stamps or {})
        library = load_posts(self.root, self.settings, now, cache)
        if keep:
            self.keep_ids(library)
        return library

    def keep_ids(self, library: "Library") -> None:
        """Writes down the ids that were pinned when the library was read."""
        from ketapress.posts.identity.registry import write_registry

        if library.new_ids is not None:
            write_registry(self.root, library.new_ids)

    def save_ids(self, *, dry_run: bool) -> tuple[int, bool]:
        """Write all ids that are known here into the file that is committed; return how many, and whether it changes."""
        from ketapress.posts.identity.registry import read_registry, save_tracked_registry
        from ketapress.posts.identity.registry_text import format_registry

        registry = read_registry(self.root)
        if registry.first_built is None:
            return 0, False
        text = format_registry(registry)
        return len(registry.entries), save_tracked_registry(self.root, text, dry_run=dry_run)

    @cached_property
    def build_cache(self) -> "BuildCache":
        """The results of earlier builds that the next one can use."""
        from ketapress.system.build_cache import FILE, BuildCache

        return BuildCache(self.root / FILE)

    @cached_property
    def post_cache(self) -> "PostCache":
        """The posts in the build cache that this program parsed and rendered under these settings."""
        from ketapress.model.digests import digest
        from ketapress.posts.cache.post_cache import PostCache
        from ketapress.system.file_stamp import program_stamps, stamp

        site = self.settings.site
        program = digest(
            site.url, site.timezone, site.language, self.settings.posts, sys.version, program_stamps()
        )
        return PostCache(self.build_cache, program, stamp)

    def save_posts(self, library: "Library", began: datetime) -> None:
        """Store in the build cache what was read. `began` is when reading began, by the real clock."""
        paths = frozenset(post.path for post in library.posts)
        self.post_cache.save(library.new_entries, paths, began.timestamp())

    def new_post(self, title: str, now: datetime) -> Path:
        """Begins a draft in posts/ and returns its path."""
        from ketapress.posts.loader import new_post

        return new_post(self.root, title, self.settings, now)

    def slot(self, edition: str) -> tuple[NewsletterSettings | None, Slot]:
        """The newsletter and slot that `weekly/2023-06-12T0800` names: one that was decided, or that is to come.

        Of a newsletter that the settings have no more only what was decided is known.
        """
        from ketapress.editions.slots import is_scheduled, parse_slot_key

        name, _, key = edition.partition("/")
        if name not in self.settings.newsletters and (left := self.store.editions.get(name, key)):
            return None, left.slot
        (newsletter,) = self.newsletters(name)
        cron, zone = newsletter.schedule.cron, self.settings.newsletter_zone(newsletter)
        slot = parse_slot_key(name, key, zone)
        if slot and (is_scheduled(slot, cron, zone) or self.store.editions.get(name, key)):
            return newsletter, slot
        raise UsageError(
            Problem(
                code="edition.name",
                message=f"{edition!r} names no slot of {name}, which is due {newsletter.schedule.text!r}.",
                cure="`ketapress queue` shows the slots to come, `ketapress outbox list` the editions there are.",
            )
        )

    def keep_preview(self, coming: "ComposedEdition") -> Path:
        """Writes an edition that nothing was decided about where only this machine sees it."""
        from ketapress.compose import write_preview

        return write_preview(self.press, coming)

    def preview_stamps(self) -> dict[str, str]:
        """The stamps of all that the next edition is made of: posts and their ids, templates, settings, past editions."""
        from ketapress.posts.identity.registry import LEARNED_REGISTRY
        from ketapress.posts.identity.registry_text import TRACKED_REGISTRY
        from ketapress.system.file_stamp import stamp, tree_stamps
        from ketapress.templates.sources import template_folders

        folders = (self.root / "posts", self.root / "outbox", *template_folders(self.root))
        found = {
            file: stamp(str(self.root / file)) for file in (SETTINGS_FILE, TRACKED_REGISTRY, LEARNED_REGISTRY)
        }
        for folder in folders:
            found |= tree_stamps("", str(folder))
        return found

    def backup(self, file: Path, now: datetime) -> None:
        """Writes a copy of the database, an older one from that moment on, and notes when, for `doctor`."""
        from ketapress.doctor.system import LAST_BACKUP
        from ketapress.restore import raise_generation
        from ketapress.system.atomic import write_atomic
        from ketapress.system.state_file import make_state_folder

        self.store.backup(file)
        raise_generation(self.store, self.root)
        noted = make_state_folder(self.root) / Path(LAST_BACKUP).name
        write_atomic(noted, f"{now.isoformat()} {file.resolve()}\n".encode())

    def upgrade_database(self) -> tuple[str, str]:
        """Runs the migrations that are due; returns the versions before and after."""
        from ketapress.store.store import upgrade_database

        return upgrade_database(self.settings.database.url, self.root)

    def restore(self, file: Path, now: datetime) -> Path | None:
        """Puts a backup in the place of the database, while nothing else runs; where the replaced one is now."""
        from ketapress.restore import restore_database
        from ketapress.system.lock import PARTS, run_work

        with ExitStack() as locks:
            for work in ("publish", "send", *map(run_work, PARTS)):
                locks.enter_context(self.alone(work))
            return restore_database(file, self.settings.database.url, self.root, now)

    def accept(self, now: datetime, *, dry_run: bool) -> "tuple[ReconciledEdition, ...]":
        """Brings a database that is an older copy up to what the outbox knows of, so that it may send again."""
        from ketapress.restore import reconcile_with_outbox

        with ExitStack() as locks:
            for work in ("publish", "send"):
                locks.enter_context(self.alone(work))
            return reconcile_with_outbox(
                self.press, self.library(now, keep=False).posts, now, dry_run=dry_run
            )

    def refresh(self, edition: StoredEdition, now: datetime, *, dry_run: bool) -> "ComposedEdition":
        """Renders an edition anew that nobody has got yet."""
        from ketapress.refresh import refresh_edition

        return refresh_edition(self.press, self.library(now, keep=False).posts, edition, now, dry_run=dry_run)

    def newsletters(self, name: str | None = None) -> tuple[NewsletterSettings, ...]:
        """All newsletters, or the one of that name."""
        known = self.settings.newsletters
        if name is None:
            return tuple(known.values())
        if name not in known:
            listed = ", ".join(known) or "none yet"
            raise UsageError(
                Problem(
                    code="newsletter.unknown",
                    message=f"there is no newsletter `{name}`; ketapress.toml has {listed}.",
                    cure=f"Name one of these, or add [newsletters.{name}].",
                )
            )
        return (known[name],)

    def compose(
        self, library: "Library", now: datetime, name: str | None, *, immediately: bool = False, dry_run: bool
    ) -> "ComposeReport":
        """What is due for all newsletters or one; `immediately` composes one outside its schedule."""
        from ketapress.compose import compose, compose_now
        from ketapress.restore import refuse_older_copy
        from ketapress.settings.schedule_history import save_schedules

        refuse_older_copy(self.store, self.root)
        found = self.newsletters(name)
        if not immediately:
            report = compose(self.press, library.posts, found, now, dry_run=dry_run)
        else:
            report = compose_now(self.press, library.posts, found[0], now, dry_run=dry_run)
        if not dry_run and name is None:
            save_schedules(self.root, self.settings)
        return report

    def build(self, library: "Library", now: datetime, *, dry_run: bool) -> "BuildReport":
        from ketapress.builder.builder import build

        editions = self._public() if self.has_store else ()
        return build(self.root, self.settings, library.posts, editions, self.fill, now, dry_run=dry_run)

    def _public(self) -> tuple[StoredEdition, ...]:
        from ketapress.store.public_editions import read_public_editions

        found = (
            None if "store" in self.__dict__ else read_public_editions(self.settings.database.url, self.root)
        )
        return self.store.editions.list_public() if found is None else found

    def input_stamps(self, known: dict[str, str]) -> dict[str, str] | None:
        """Return the stamps of all that a build reads; None where not all of that is files.

        `known` are stamps that were looked up a moment ago, by absolute paths.
        """
        from ketapress.builder.up_to_date import input_stamps
        from ketapress.settings.converters import sqlite_path
        from ketapress.templates.sources import template_folders

        database = sqlite_path(self.settings.database.url)
        if database is None:
            return None
        folders = ("posts", *map(str, template_folders(Path())))
        return input_stamps(str(self.root), folders, (SETTINGS_FILE, database, f"{database}-wal"), known)

    def save_answer(
        self,
        answer: "CachedAnswer",
        inputs: dict[str, str],
        library: "Library",
        report: "BuildReport",
        began: datetime,
        ended: datetime,
    ) -> None:
        """Store what a build says as long as nothing changes; `inputs` are the stamps from before it began."""
        from ketapress.builder.up_to_date import ValidityWindow, save_answer
        from ketapress.model.post import next_change
        from ketapress.system.build_cache import FILE
        from ketapress.system.file_stamp import stamp

        until = next_change(library.posts, began)
        window = ValidityWindow(
            began.timestamp(), ended.timestamp(), until.timestamp() if until else float("inf")
        )
        outputs = {f"public/{path}": file_stamp for path, file_stamp in report.stamps.items()}
        outputs[FILE] = stamp(str(self.root / FILE))
        environment = find_variables(self.root, self.environ)
        save_answer(str(self.root), answer, window, inputs, outputs, environment)

    def publish(
        self, library: "Library", now: datetime, *, dry_run: bool
    ) -> tuple["ComposeReport", "BuildReport"]:
        """The main job: compose what is due, then write feeds and archive, so that the pages of new editions exist."""
        composed = self.compose(library, now, None, dry_run=dry_run)
        return composed, self.build(library, now, dry_run=dry_run)

    def waiting(self) -> tuple[StoredEdition, ...]:
        """The editions that a person has to look at before they go out."""
        return tuple(each for each in self.store.editions.list_all() if each.state in WAITING_STATES)

    def letter_to_try(
        self, newsletter: NewsletterSettings, library: "Library", now: datetime
    ) -> "tuple[str, MessageTemplate | None]":
        """The letter of the newest edition that has not begun to go out, else of the next one; and its name."""
        from ketapress.check.queue import compose_next_edition

        for each in self.store.editions.list_all(newsletter.name):
            if each.state is EditionState.READY or each.state in WAITING_STATES:
                return each.slot.edition, self.store.editions.get_message_template(each.id)
        coming = compose_next_edition(self.press, newsletter, library.posts, now)
        return (coming.edition.slot.edition, coming.digest.message_template) if coming else ("", None)


def _misnamed(problem: Problem) -> Problem:
    return problem._replace(path=SETTINGS_FILE, message=f"`database.url` cannot be used: {problem.message}")


def begin(root: Path, now: datetime) -> tuple[Path, ...]:
    """Makes a publication folder; returns the files it wrote."""
    from ketapress.settings.scaffold import create_publication

    return create_publication(root, now)
