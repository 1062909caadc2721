"""Upgrade, copy and restore the database of a publication. Each part is imported when it is first used."""

from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ketapress.publication import Publication

if TYPE_CHECKING:
    from ketapress.restore import ReconciledEdition


class DatabaseService:
    """Maintenance of one publication's database."""

    def __init__(self, publication: Publication) -> None:
        self._publication = publication

    def upgrade(self) -> tuple[str, str]:
        """Run the migrations that are due; return the versions before and after."""
        from ketapress.store.store import upgrade_database

        return upgrade_database(self._publication.settings.database.url, self._publication.root)

    def backup(self, file: Path, now: datetime) -> None:
        """Write a copy of the database, count it as an older one from now on, and record the time for `doctor`."""
        from ketapress.doctor.system import LAST_BACKUP
        from ketapress.restore import raise_generation
        from ketapress.system.atomic import write_atomic
        from ketapress.system.state_file import make_state_folder

        store, root = self._publication.store, self._publication.root
        store.backup(file)
        raise_generation(store, root)
        record = make_state_folder(root) / Path(LAST_BACKUP).name
        write_atomic(record, f"{now.isoformat()} {file.resolve()}\n".encode())

    def restore(self, file: Path, now: datetime) -> Path | None:
        """Replace the database with a backup while no other process works; return where the old one is now."""
        from ketapress.restore import restore_database
        from ketapress.system.lock import PARTS, part_work

        with self._locks("publish", "send", *map(part_work, PARTS)):
            url, root = self._publication.settings.database.url, self._publication.root
            return restore_database(file, url, root, now)

    def reconcile(self, now: datetime, *, dry_run: bool) -> "tuple[ReconciledEdition, ...]":
        """Bring a restored database up to what the outbox records, so that it may send again."""
        from ketapress.restore import reconcile_with_outbox

        with self._locks("publish", "send"):
            posts = self._publication.load_library(now, save_ids=False).posts
            return reconcile_with_outbox(self._publication.compose_context, posts, now, dry_run=dry_run)

    def _locks(self, *works: str) -> ExitStack:
        with ExitStack() as locks:
            for work in works:
                locks.enter_context(self._publication.exclusive_lock(work))
            return locks.pop_all()
