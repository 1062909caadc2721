"""Edge: one look at all the books, for whoever wants to know how things stand.

In: `database.url`, the folder. Out: editions, people and deliveries as of one moment. It goes to the database by the
driver alone: SQLAlchemy takes longer to load than a million rows to be counted. It changes nothing.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ketapress.model.edition import Decision, EditionState, Slot, StoredEdition
from ketapress.model.subscriber import SubscriptionState
from ketapress.store.codes import REVISIONS, moment_of
from ketapress.store.conservation import Balance, balance
from ketapress.store.tally import people_counted

_SQLITE = "sqlite:///"
_POSTGRESQL = ("postgresql", "postgresql+psycopg", "postgres")
_EDITIONS = """
    SELECT id, newsletter, slot_key, slot_at, decision, state, why FROM editions
    WHERE state IS NOT NULL ORDER BY slot_at DESC, newsletter, id
"""


class Look(NamedTuple):
    """How all of it stood at one moment.

    `editions` were composed, and the newest is the first; no more is told of each than its slot, its state and why it
    is in it. `people` are subscriptions by newsletter and state.
    """

    editions: tuple[StoredEdition, ...]
    people: Mapping[tuple[str, SubscriptionState], int]
    balance: Balance


def quick_look(url: str, root: Path) -> Look | None:
    """A look, where the database is there at the newest schema; None where anything is in the way.

    Then open the store: it says what is wrong, or makes what is not there yet.
    """
    scheme = url.partition("://")[0]
    if url.startswith(_SQLITE) and "?" not in url:
        return _look_at_file(root / url.removeprefix(_SQLITE))
    return _look_at_server(f"postgresql{url.removeprefix(scheme)}") if scheme in _POSTGRESQL else None


def looked(cursor: Any, dialect: str) -> Look:
    """What the driver's cursor shows, in a transaction that somebody else opened."""
    editions = cursor.execute(_EDITIONS).fetchall()
    return Look(
        editions=tuple(_edition(*row) for row in editions),
        people=people_counted(cursor, dialect),
        balance=balance(cursor, dialect, thorough=False),
    )


def _look_at_file(file: Path) -> Look | None:
    try:
        with _read(file) as cursor:
            return looked(cursor, "sqlite") if _is_newest(cursor) else None
    except sqlite3.Error:
        return None


@contextmanager
def _read(file: Path) -> Iterator[sqlite3.Cursor]:
    """One consistent view of a file that is there already."""
    with closing(
        sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
    ) as opened:
        opened.execute("PRAGMA query_only = ON")
        opened.execute("BEGIN")
        yield opened.cursor()


def _look_at_server(url: str) -> Look | None:
    try:
        import psycopg  # noqa: PLC0415 - not everybody has it
    except ImportError:
        return None
    try:
        with psycopg.connect(url) as connection, connection.cursor() as cursor:
            # PostgreSQL's default shows each statement another moment, and sums of several would not add up.
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            return looked(cursor, "postgresql") if _is_newest(cursor) else None
    except psycopg.Error:
        return None


def _is_newest(cursor: Any) -> bool:
    row = cursor.execute("SELECT version_num FROM alembic_version").fetchone()
    return row is not None and row[0] == REVISIONS[-1]


def _edition(
    number: int, newsletter: str, key: str, at: int, decision: str, state: str, why: str | None
) -> StoredEdition:
    slot = Slot(newsletter, key, moment_of(at))
    return StoredEdition(number, slot, Decision(decision), EditionState(state), why=why or "")
