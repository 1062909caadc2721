"""Edge: a backup's way into the place of the database.

In: a file, the place. Out: the copy in its place, and the replaced database beside it, whole, under another name. At
every moment there is one database under the name, the old or the new. SQLite only.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from ketapress.model.errors import Problem, RefusedError, StoreError
from ketapress.store.db.engine import create_private_file
from ketapress.system.atomic import sync_file, sync_folder

_WAL_SUFFIXES = ("-wal", "-shm")
_ALEMBIC_TABLE_QUERY = "SELECT name FROM sqlite_master WHERE name = 'alembic_version'"
_LOCK_TIMEOUT = 5  # seconds that somebody who just reads may take


@contextmanager
def temporary_copy(file: Path, database_path: Path) -> Iterator[Path]:
    """A copy of the backup beside the database, read from first to last page; gone, where it is not put in place.

    Raises RefusedError where the file is not there or is no whole database.
    """
    if not file.is_file():
        raise RefusedError(_missing_problem(file))
    copy_path = database_path.with_name(f"{database_path.name}.restoring")
    _remove_copy(copy_path)
    create_private_file(copy_path)
    try:
        try:
            with (
                closing(sqlite3.connect(file)) as backup_connection,
                closing(sqlite3.connect(copy_path)) as copy_connection,
            ):
                backup_connection.backup(copy_connection)
                (integrity,) = copy_connection.execute("PRAGMA integrity_check(1)").fetchone()
                alembic_table = copy_connection.execute(_ALEMBIC_TABLE_QUERY).fetchone()
        except sqlite3.Error as error:
            raise RefusedError(_damaged_problem(file, str(error))) from error
        if integrity != "ok":
            raise RefusedError(_damaged_problem(file, integrity))
        if alembic_table is None:
            raise RefusedError(_foreign_problem(file))
        yield copy_path
    finally:
        _remove_copy(copy_path)


def replace_database(copy_path: Path, database_path: Path, now: datetime) -> Path | None:
    """The copy takes the database's name; where the database is now, if there was one. `now` is in UTC.

    Raises RefusedError where somebody has it open, StoreError where the disk refuses; then nothing has changed.
    """
    replaced_path = (
        database_path.with_name(f"{database_path.name}.replaced-{now:%Y%m%dT%H%M%SZ}")
        if database_path.exists()
        else None
    )
    try:
        sync_file(copy_path)
        if replaced_path:
            _checkpoint_wal(database_path)
            for suffix in _WAL_SUFFIXES:  # there only if it is damaged: they are a part of it
                if (wal_file := Path(f"{database_path}{suffix}")).exists():
                    wal_file.rename(f"{replaced_path}{suffix}")
            os.link(database_path, replaced_path)
        copy_path.rename(database_path)
        sync_folder(database_path.parent)
    except OSError as error:
        raise StoreError(_failed_problem(database_path, error.strerror or str(error))) from error
    return replaced_path


def _checkpoint_wal(database_path: Path) -> None:
    """Folds the log in and removes it, which only works when nobody else has the database open."""
    try:
        with closing(sqlite3.connect(database_path, timeout=_LOCK_TIMEOUT)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise RefusedError(_busy_problem(database_path)) from error
    except sqlite3.DatabaseError:
        pass  # it is damaged: then it is put aside as it is


def _remove_copy(copy_path: Path) -> None:
    for suffix in ("", *_WAL_SUFFIXES):
        Path(f"{copy_path}{suffix}").unlink(missing_ok=True)


def _missing_problem(file: Path) -> Problem:
    return Problem(
        code="restore.missing",
        message=f"{file} is not there, or is no file; nothing was changed.",
        cure="Name a file that `ketapress db backup` made.",
    )


def _damaged_problem(file: Path, reason: str) -> Problem:
    return Problem(
        code="restore.damaged",
        message=f"{file} is no whole database ({reason}); nothing was changed.",
        cure="Take an earlier backup.",
    )


def _foreign_problem(file: Path) -> Problem:
    return Problem(
        code="restore.foreign",
        message=f"{file} is a database, but none of Ketapress's; nothing was changed.",
        cure="Name a file that `ketapress db backup` made.",
    )


def _busy_problem(database_path: Path) -> Problem:
    return Problem(
        code="restore.busy",
        message=f"somebody has {database_path} open; nothing was changed.",
        cure="End every other Ketapress process, and whatever else looks at it, then run the same command again.",
    )


def _failed_problem(database_path: Path, reason: str) -> Problem:
    return Problem(
        code="restore.failed",
        path=database_path.name,
        message=f"it could not be replaced: {reason}.",
        cure="Look at the disk and the folder, then run the same command again.",
    )
