"""Build the site of a publication, and answer the next build at once while nothing changes.

Each part is imported when it is first used.
"""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ketapress.model.edition import StoredEdition
from ketapress.publication import Publication
from ketapress.settings.loader import SETTINGS_FILE, find_variables

if TYPE_CHECKING:
    from ketapress.builder.builder import BuildReport
    from ketapress.builder.up_to_date import CachedAnswer
    from ketapress.posts.library import Library


class BuildService:
    """Builds of one publication."""

    def __init__(self, publication: Publication) -> None:
        self._publication = publication

    def build(self, library: "Library", now: datetime, *, dry_run: bool) -> "BuildReport":
        """Write feeds and pages to public/. The caller has the lock `publish`."""
        from ketapress.builder.builder import build

        publication = self._publication
        return build(
            publication.root,
            publication.settings,
            library.posts,
            self._public_editions(),
            publication.render_template,
            now,
            dry_run=dry_run,
        )

    def _public_editions(self) -> tuple[StoredEdition, ...]:
        from ketapress.store.public_editions import read_public_editions

        publication = self._publication
        if not publication.has_store:
            return ()
        if not publication.has_open_store:
            # Reading the rows from the SQLite file takes less time than opening the store.
            editions = read_public_editions(publication.settings.database.url, publication.root)
            if editions is not None:
                return editions
        return publication.store.editions.list_public()

    def input_stamps(self, known: dict[str, str]) -> dict[str, str] | None:
        """Return the stamps of all inputs of a build; None where some input is not a file.

        `known` are stamps from a moment ago, by absolute path.
        """
        from ketapress.builder.up_to_date import input_stamps
        from ketapress.settings.converters import sqlite_path
        from ketapress.templates.sources import template_folders

        database = sqlite_path(self._publication.settings.database.url)
        if database is None:
            return None
        folders = ("posts", *map(str, template_folders(Path())))
        files = (SETTINGS_FILE, database, f"{database}-wal")
        return input_stamps(str(self._publication.root), folders, files, known)

    def save_answer(
        self,
        answer: "CachedAnswer",
        inputs: dict[str, str],
        library: "Library",
        report: "BuildReport",
        began: datetime,
        ended: datetime,
    ) -> None:
        """Store the answer of the next build for as long as nothing changes.

        `inputs` are the stamps from before the build; `began` and `ended` are by the wall clock.
        """
        from ketapress.builder.up_to_date import ValidityWindow, save_answer
        from ketapress.model.post import next_change
        from ketapress.system.build_cache import FILE
        from ketapress.system.file_stamp import stamp

        root = self._publication.root
        until = next_change(library.posts, began)
        window = ValidityWindow(
            began.timestamp(), ended.timestamp(), until.timestamp() if until else float("inf")
        )
        outputs = {f"public/{path}": file_stamp for path, file_stamp in report.stamps.items()}
        outputs[FILE] = stamp(str(root / FILE))
        environment = find_variables(root, self._publication.environ)
        save_answer(str(root), answer, window, inputs, outputs, environment)
