"""Back up the database into one file: complete, checked and durable before it gets its name. SQLite only.

Other processes may read and write meanwhile. PostgreSQL has better tools of its own.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from ketapress.model.errors import Problem, RefusedError, StoreError
from ketapress.store.db.engine import Transactions
from ketapress.system.atomic import sync_file, sync_folder, write_new


def write_backup(transactions: Transactions, file: Path) -> None:
    """Write a backup into a new file.

    Raises RefusedError if the file exists or the database is PostgreSQL, StoreError for errors of the disk.
    """
    if transactions.is_shared:
        raise RefusedError(_POSTGRESQL_BACKUP)
    if file.exists():
        raise RefusedError(
            Problem(
                code="backup.exists",
                message=f"{file} already exists, and was not changed.",
                cure="Choose another file name.",
            )
        )
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
    """Read every page of the copy. Raises StoreError if it is damaged."""
    with closing(sqlite3.connect(file)) as connection:
        (integrity,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if integrity != "ok":
        raise StoreError(_backup_problem(file, integrity))


_POSTGRESQL_BACKUP = Problem(
    code="backup.postgresql",
    message="`database.url` is a PostgreSQL database, which needs PostgreSQL's own backup tools.",
    cure="Run `pg_dump --format=custom --file=ketapress.dump` with the same host, user and database.",
)


def _backup_problem(file: Path, reason: str) -> Problem:
    return Problem(
        code="backup.failed",
        message=f"the backup {file} was not written: {reason}.",
        cure="Check the disk and the folder, then run the command again.",
    )
