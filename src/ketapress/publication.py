"""One publication: its settings, posts, store, templates and locks. The services beside this module work on it."""

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ketapress.model.errors import ConfigurationError, Problem, RefusedError, StoreError, UsageError
from ketapress.model.settings import NewsletterSettings, Settings
from ketapress.settings.loader import SETTINGS_FILE, read_settings

if TYPE_CHECKING:
    from ketapress.compose import ComposeContext
    from ketapress.posts.cache.post_cache import PostCache
    from ketapress.posts.library import Library
    from ketapress.store.overview import StoreOverview
    from ketapress.store.store import Store
    from ketapress.system.build_cache import BuildCache
    from ketapress.templates.environment import Templates


_URL_FAULTS = {"store.missing", "store.refused"}
"""Problems that a wrong `database.url` causes: no such database, or no such user."""


class Publication:
    """One publication folder. Each part is imported and made when it is first used."""

    def __init__(self, root: Path, environ: Mapping[str, str], settings: Settings | None = None) -> None:
        """Use these settings, or read ketapress.toml. Raises ConfigurationError."""
        self.root = root
        self.environ = environ
        self.settings: Settings = settings or read_settings(root, environ)

    def newsletters(self, name: str | None = None) -> tuple[NewsletterSettings, ...]:
        """Return all newsletters, or the one with this name. Raises UsageError if there is none."""
        known = self.settings.newsletters
        if name is None:
            return tuple(known.values())
        if name not in known:
            names = ", ".join(known) or "none yet"
            raise UsageError(
                Problem(
                    code="newsletter.unknown",
                    message=f"there is no newsletter `{name}`; ketapress.toml has {names}.",
                    cure=f"Name one of these, or add [newsletters.{name}].",
                )
            )
        return (known[name],)

    @cached_property
    def secret(self) -> str:
        """The key that signs links in messages. Made and stored when it is first used."""
        import secrets

        from ketapress.settings.secret import load_or_create_secret
        from ketapress.system.state_file import make_state_folder

        return load_or_create_secret(make_state_folder(self.root), self.settings, secrets.token_hex(32))

    @cached_property
    def folder_id(self) -> str:
        """The identity of this folder, which editions that it composes have. Made and stored when it is first used."""
        import secrets

        from ketapress.system.state_file import read_state, write_state

        stored_id = read_state(self.root, "folder.json").get("id")
        if isinstance(stored_id, str) and stored_id:
            return stored_id
        new_id = secrets.token_hex(16)
        with suppress(OSError, RefusedError):
            write_state(self.root, "folder.json", {"id": new_id})
        return new_id

    @cached_property
    def store(self) -> "Store":
        """The store, open. Raises StoreError, or ConfigurationError if `database.url` is at fault."""
        from ketapress.store.store import open_store

        url, durability = self.settings.database.url, self.settings.relay.durability
        try:
            return open_store(url, self.root, durability=durability)
        except StoreError as error:
            faults = [problem for problem in error.problems if problem.code in _URL_FAULTS]
            if not faults:
                raise
            raise ConfigurationError(
                *(
                    problem._replace(
                        path=SETTINGS_FILE, message=f"`database.url` cannot be used: {problem.message}"
                    )
                    for problem in faults
                )
            ) from error

    @property
    def has_store(self) -> bool:
        """Whether there is a database. A publication without subscribers builds its site without one."""
        from ketapress.settings.converters import sqlite_path

        file = sqlite_path(self.settings.database.url)
        return file is None or (self.root / file).exists()

    @property
    def has_open_store(self) -> bool:
        return "store" in self.__dict__

    def read_overview(self) -> "StoreOverview | None":
        """Return the counts of the store without opening it, or None where only the open store can tell."""
        from ketapress.store.overview import read_overview

        return read_overview(self.settings.database.url, self.root)

    def close(self) -> None:
        """Close the store, if it is open."""
        if self.has_open_store:
            self.store.close()

    @cached_property
    def templates(self) -> "Templates":
        """The templates of this publication over those of the program."""
        from ketapress.templates.environment import Templates

        return Templates(self.root)

    def render_template(self, name: str, values: Mapping[str, Any]) -> str:
        """Render one template. The template engine is loaded at the first call."""
        return self.templates(name, values)

    @cached_property
    def compose_context(self) -> "ComposeContext":
        """What composing and previewing an edition needs. Opens the store."""
        from ketapress.compose import ComposeContext

        return ComposeContext(self.root, self.settings, self.store, self.templates, self.folder_id)

    def exclusive_lock(self, work: str) -> AbstractContextManager[None]:
        """Return the lock for this kind of work (`publish`, `send`). Raises RefusedError if another process has it."""
        from ketapress.system.lock import publication_lock

        return publication_lock(self.root, work)

    def active_parts(self) -> dict[str, str]:
        """Return the parts of `ketapress run` that are active in this folder, each with its process."""
        from ketapress.system.lock import PARTS, lock_holder, part_work

        return {part: process for part in PARTS if (process := lock_holder(self.root, part_work(part)))}

    def load_library(
        self, now: datetime, *, save_ids: bool, stamps: Mapping[str, str] | None = None
    ) -> "Library":
        """Read all posts and their problems. With `save_ids`, record the ids of new posts.

        `stamps` are file stamps from a moment ago, by path. Raises ConfigurationError if editions exist and the
        registry of ids is lost.
        """
        from ketapress.posts.identity.registry import REGISTRY_LOST, has_registry
        from ketapress.posts.loader import load_posts

        if (
            not has_registry(self.root)
            and self.has_store
            and any(edition.state for edition in self.store.editions.list_all())
        ):
            raise ConfigurationError(REGISTRY_LOST)
        cache = self.post_cache.with_stamps(self.root / "posts", stamps or {})
        library = load_posts(self.root, self.settings, now, cache)
        if save_ids:
            self.save_ids(library)
        return library

    def save_ids(self, library: "Library") -> None:
        """Record the ids that new posts got when the library was read."""
        from ketapress.posts.identity.registry import write_registry

        if library.new_ids is not None:
            write_registry(self.root, library.new_ids)

    def save_tracked_ids(self, *, dry_run: bool) -> tuple[int, bool]:
        """Write all known ids to the file that git tracks; return their number and whether the file changes."""
        from ketapress.posts.identity.registry import read_registry, save_tracked_registry
        from ketapress.posts.identity.registry_text import format_registry

        registry = read_registry(self.root)
        if registry.first_built is None:
            return 0, False
        text = format_registry(registry)
        return len(registry.entries), save_tracked_registry(self.root, text, dry_run=dry_run)

    def save_posts(self, library: "Library", began: datetime) -> None:
        """Store new posts in the build cache. `began` is when reading began, by the wall clock."""
        paths = frozenset(post.path for post in library.posts)
        self.post_cache.save(library.new_entries, paths, began.timestamp())

    @cached_property
    def post_cache(self) -> "PostCache":
        """The posts in the build cache that this program parsed and rendered with these settings."""
        from ketapress.model.digests import digest
        from ketapress.posts.cache.post_cache import PostCache
        from ketapress.system.file_stamp import program_stamps, stamp

        site = self.settings.site
        program = digest(
            site.url, site.timezone, site.language, self.settings.posts, sys.version, program_stamps()
        )
        return PostCache(self.build_cache, program, stamp)

    @cached_property
    def build_cache(self) -> "BuildCache":
        """Results of earlier builds for the next one."""
        from ketapress.system.build_cache import FILE, BuildCache

        return BuildCache(self.root / FILE)

    def create_draft(self, title: str, now: datetime) -> Path:
        """Write a draft in posts/ and return its path."""
        from ketapress.posts.loader import new_post

        return new_post(self.root, title, self.settings, now)
