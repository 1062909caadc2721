"""Read the database with its driver alone, in one snapshot, without opening the store.

Loading SQLAlchemy takes longer than counting a million rows.
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
    """Return what `read` returns for a cursor and a dialect (`sqlite`, `postgresql`).

    None if the database cannot be read or is not at the newest schema: open the store then, which creates a missing
    database and raises the right error for any other case.
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
    """Open a read-only snapshot of a file that exists."""
    with closing(
        sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
    ) as connection:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
        yield connection.cursor()


def _read_postgresql(url: str, read: Callable[[Any, str], _T]) -> _T | None:
    try:
        import psycopg  # noqa: PLC0415 - an optional dependency
    except ImportError:
        return None
    try:
        with psycopg.connect(url) as connection, connection.cursor() as cursor:
            # PostgreSQL's default isolation gives each statement its own snapshot: sums of several would not agree.
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            return read(cursor, "postgresql") if _is_newest(cursor) else None
    except psycopg.Error:
        return None


def _is_newest(cursor: Any) -> bool:
    row = cursor.execute("SELECT version_num FROM alembic_version").fetchone()
    return row is not None and row[0] == REVISIONS[-1]
