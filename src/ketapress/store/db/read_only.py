"""Edge: what is read by the driver alone, without opening the store: SQLAlchemy takes longer to load than a million rows to be counted.

In: `database.url`, the folder, and what reads from a cursor. Out: what it read, as of one moment. It changes nothing.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from ketapress.store.db.codes import REVISIONS

_T = TypeVar("_T")
_SQLITE = "sqlite:///"
_POSTGRESQL = ("postgresql", "postgresql+psycopg", "postgres")


def read_with_driver(url: str, root: Path, read: Callable[[Any, str], _T]) -> _T | None:
    """What `read` finds with a cursor in a dialect (`sqlite`, `postgresql`), where the database is at the newest schema.

    None where anything is in the way: then open the store, which says what is wrong, or makes what is not there yet.
    """
    scheme = url.partition("://")[0]
    if url.startswith(_SQLITE) and "?" not in url:
        return _read_sqlite(root / url.removeprefix(_SQLITE), read)
    return _read_postgresql(f"postgresql{url.removeprefix(scheme)}", read) if scheme in _POSTGRESQL else None


def _read_sqlite(file: Path, read: Callable[[Any, str], _T]) -> _T | None:
    try:
        with _open_read_only(file) as cursor:
            return read(cursor, "sqlite") if _is_newest(cursor) else None
    except sqlite3.Error:
        return None


@contextmanager
def _open_read_only(file: Path) -> Iterator[sqlite3.Cursor]:
    """One consistent view of a file that is there already."""
    with closing(
        sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
    ) as connection:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
        yield connection.cursor()


def _read_postgresql(url: str, read: Callable[[Any, str], _T]) -> _T | None:
    try:
        import psycopg  # noqa: PLC0415 - not everybody has it
    except ImportError:
        return None
    try:
        with psycopg.connect(url) as connection, connection.cursor() as cursor:
            # PostgreSQL's default shows each statement another moment, and sums of several would not add up.
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            return read(cursor, "postgresql") if _is_newest(cursor) else None
    except psycopg.Error:
        return None


def _is_newest(cursor: Any) -> bool:
    row = cursor.execute("SELECT version_num FROM alembic_version").fetchone()
    return row is not None and row[0] == REVISIONS[-1]
