"""Replace the database with a backup. SQLite only.

The replaced database is kept beside it under another name. At every moment there is one database under the name, the
old one or the new one.
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
_LOCK_TIMEOUT = 5  # seconds to wait for a reader


@contextmanager
def temporary_copy(file: Path, database_path: Path) -> Iterator[Path]:
    """Yield a checked copy of the backup beside the database, and delete it at the end unless it was moved.

    Raises RefusedError if the file is missing, damaged or not a database of Ketapress.
    """
    if not file.is_file():
        raise RefusedError(
            Problem(
                code="restore.missing",
                message=f"{file} does not exist, or is not a file; nothing was changed.",
                cure="Choose a file that `ketapress db backup` wrote.",
            )
        )
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
            raise RefusedError(
                Problem(
                    code="restore.foreign",
                    message=f"{file} is a database, but not of Ketapress; nothing was changed.",
                    cure="Choose a file that `ketapress db backup` wrote.",
                )
            )
        yield copy_path
    finally:
        _remove_copy(copy_path)


def replace_database(copy_path: Path, database_path: Path, now: datetime) -> Path | None:
    """Move the copy to the database's path. Return the new path of the replaced database; None if there was none.

    `now` is in UTC. Raises RefusedError if another process uses the database, StoreError for errors of the disk;
    nothing has changed then.
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
            for suffix in _WAL_SUFFIXES:  # left only if the database is damaged, and then a part of it
                if (wal_file := Path(f"{database_path}{suffix}")).exists():
                    wal_file.rename(f"{replaced_path}{suffix}")
            os.link(database_path, replaced_path)
        copy_path.rename(database_path)
        sync_folder(database_path.parent)
    except OSError as error:
        raise StoreError(
            Problem(
                code="restore.failed",
                path=database_path.name,
                message=f"the database was not replaced: {error.strerror or error}.",
                cure="Check the disk and the folder, then run the command again.",
            )
        ) from error
    return replaced_path


def _checkpoint_wal(database_path: Path) -> None:
    """Write the log into the database and delete it. Raises RefusedError if another process uses the database."""
    try:
        with closing(sqlite3.connect(database_path, timeout=_LOCK_TIMEOUT)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise RefusedError(
                Problem(
                    code="restore.busy",
                    message=f"another program uses {database_path}; nothing was changed.",
                    cure="Stop all other Ketapress processes and database tools, then run the command again.",
                )
            ) from error
    except sqlite3.DatabaseError:
        pass  # a damaged database is kept as it is


def _remove_copy(copy_path: Path) -> None:
    for suffix in ("", *_WAL_SUFFIXES):
        Path(f"{copy_path}{suffix}").unlink(missing_ok=True)


def _damaged_problem(file: Path, reason: str) -> Problem:
    return Problem(
        code="restore.damaged",
        message=f"{file} is damaged, or not a database ({reason}); nothing was changed.",
        cure="Choose an earlier backup.",
    )
