"""Edge: a copy of the database in one file, whole, checked, and durable before it has its name.

In: the store's transactions, where the copy goes. Others may read and write meanwhile. PostgreSQL is left to its own
tools, which do it better.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from ketapress.model.errors import Problem, RefusedError, StoreError
from ketapress.store.db.engine import Transactions
from ketapress.system.atomic import sync_file, sync_folder, write_new


def write_backup(transactions: Transactions, file: Path) -> None:
    """The copy appears under its name when it is complete. Raises RefusedError, or StoreError for faults of the disk."""
    if transactions.is_shared:
        raise RefusedError(_POSTGRESQL_BACKUP)
    if file.exists():
        raise RefusedError(_file_exists_problem(file))
    part_file = file.with_name(f"{file.name}.part")
    part_file.unlink(missing_ok=True)
    try:
        write_new(part_file, b"", mode=0o600)
        transactions.copy_to(part_file)
        _check_integrity(part_file)
        sync_file(part_file)
        part_file.rename(file)
        sync_folder(file.parent)
    except OSError as error:
        raise StoreError(_backup_problem(file, error.strerror or str(error))) from error
    finally:
        part_file.unlink(missing_ok=True)


def _check_integrity(file: Path) -> None:
    """Reads every page of the copy: a backup that cannot be read is none."""
    with closing(sqlite3.connect(file)) as connection:
        (integrity,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if integrity != "ok":
        raise StoreError(_backup_problem(file, integrity))


_POSTGRESQL_BACKUP = Problem(
    code="backup.postgresql",
    message="`database.url` is a PostgreSQL database, which has its own tools for backups.",
    cure="Run `pg_dump --format=custom --file=ketapress.dump` with the same host, user and database.",
)


def _file_exists_problem(file: Path) -> Problem:
    return Problem(
        code="backup.exists",
        message=f"{file} is there already, and is left as it is.",
        cure="Name another file.",
    )


def _backup_problem(file: Path, reason: str) -> Problem:
    return Problem(
        code="backup.failed",
        message=f"the backup {file} could not be written: {reason}.",
        cure="Look at the disk and the folder; there is no backup of this moment yet.",
    )
