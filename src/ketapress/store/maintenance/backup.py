"""Edge: a copy of the database in one file, whole, checked, and durable before it has its name.

In: the store's transactions, where the copy goes. Others may read and write meanwhile. PostgreSQL is left to its own
tools, which do it better.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from ketapress.model.errors import Problem, RefusedError, StoreError
from ketapress.store.db.engine import Transactions


def write_backup(transactions: Transactions, file: Path) -> None:
    """The copy appears under its name when it is complete. Raises RefusedError, or StoreError for faults of the disk."""
    if transactions.shared:
        raise RefusedError(_ITS_OWN)
    if file.exists():
        raise RefusedError(_in_the_way(file))
    unfinished = file.with_name(f"{file.name}.part")
    unfinished.unlink(missing_ok=True)
    try:
        _make_private(unfinished)
        transactions.copy(unfinished)
        _check(unfinished)
        _make_durable(unfinished)
        unfinished.rename(file)
        _make_durable(file.parent)
    except OSError as error:
        raise StoreError(_not_written(file, error.strerror or str(error))) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _make_private(file: Path) -> None:
    """An empty file that only its owner reads. Raises OSError: what is wrong with this place is no fault of the database."""
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))


def _check(file: Path) -> None:
    """Reads every page of the copy: a backup that cannot be read is none."""
    with closing(sqlite3.connect(file)) as connection:
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise StoreError(_not_written(file, found))


def _make_durable(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_ITS_OWN = Problem(
    code="backup.postgresql",
    message="`database.url` is a PostgreSQL database, which has its own tools for backups.",
    cure="Run `pg_dump --format=custom --file=ketapress.dump` with the same host, user and database.",
)


def _in_the_way(file: Path) -> Problem:
    return Problem(
        code="backup.exists",
        message=f"{file} is there already, and is left as it is.",
        cure="Name another file.",
    )


def _not_written(file: Path, why: str) -> Problem:
    return Problem(
        code="backup.failed",
        message=f"the backup {file} could not be written: {why}.",
        cure="Look at the disk and the folder; there is no backup of this moment yet.",
    )
