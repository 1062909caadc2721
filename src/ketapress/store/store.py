"""Edge: opens the store, after a look at its schema.

In: `database.url`, the publication folder. Out: a `Store` whose schema is the newest. A database that is not there
yet is made; one of an older or a newer Ketapress is refused, and left as it is.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import URL, Connection, inspect, make_url, text
from sqlalchemy.exc import ArgumentError

from ketapress.model.errors import ConfigurationError, Problem, RefusedError, StoreError
from ketapress.store.db.codes import REVISIONS
from ketapress.store.db.engine import Transactions, private_file
from ketapress.store.deliveries import Deliveries
from ketapress.store.editions import Editions
from ketapress.store.maintenance.backup import write_backup
from ketapress.store.maintenance.restore import put_in_place, unfinished_copy
from ketapress.store.overview import Look, looked
from ketapress.store.spill_file import NAME as SPILL
from ketapress.store.statements.counts import driver_cursor
from ketapress.store.statements.generation import generation, leave_numbers_free, raised_generation
from ketapress.store.statements.invariants import Imbalance, balance
from ketapress.store.statements.resolve_in_doubt import (
    believe_sent,
    doubt_everything,
    in_doubt,
    resolve_resend,
    resolve_sent,
)
from ketapress.store.subscribers import Subscribers
from ketapress.system.state_file import FOLDER

_NEWEST = REVISIONS[-1]
# The URL itself is not shown: it may hold a password.
_NO_DATABASE = Problem(
    code="settings.database",
    message="`database.url` names no database that Ketapress can use.",
    cure="Write `sqlite:///ketapress.db`, or `postgresql+psycopg://user:${DATABASE_PASSWORD}@host/name`.",
    path="ketapress.toml",
)
_MIGRATION_LOCK = 0x6B657461  # any number that is ours: PostgreSQL's advisory locks are told apart by number


class Store:
    """The three books of a publication. Close it when done; as a context manager it closes itself."""

    def __init__(self, transactions: Transactions, root: Path) -> None:
        self._transactions = transactions
        self.subscribers = Subscribers(transactions)
        self.editions = Editions(transactions)
        self.deliveries = Deliveries(transactions, root / FOLDER / SPILL)

    def imbalances(self, *, thorough: bool = False) -> tuple[Imbalance, ...]:
        """Editions whose deliveries do not add up, which there should never be; `thorough` counts the old ones, too."""
        with self._transactions.read() as connection:
            cursor = driver_cursor(connection)
            return balance(cursor, self._transactions.dialect, thorough=thorough).imbalances

    def look(self) -> Look:
        """How all of it stands at this moment."""
        with self._transactions.read() as connection:
            return looked(driver_cursor(connection), self._transactions.dialect)

    @property
    def generation(self) -> int:
        """How often sending was started on this database, or a copy made of it."""
        with self._transactions.read() as connection:
            return generation(connection)

    def raise_generation(self, at_least: int = 0) -> int:
        """One more, and at least so many; what it is now."""
        with self._transactions.write() as connection:
            return raised_generation(connection, at_least)

    def leave_numbers_free(self) -> None:
        """For an older copy: new people get no number that was given out after it was made."""
        with self._transactions.write() as connection:
            leave_numbers_free(connection)

    def resolve(
        self, edition_id: int, addresses: Sequence[str], *, sent: bool, evidence: str, now: datetime
    ) -> int:
        """A person's word on deliveries in doubt, of all or of some addresses: they arrived, or go out again. How many."""
        with self._transactions.write() as connection:
            doubtful = in_doubt(edition_id, addresses)
            if sent:
                return resolve_sent(connection, doubtful, edition_id, evidence)
            return resolve_resend(connection, doubtful, now)

    def settle_copy(self, edition_id: int, *, over: bool, evidence: str) -> int:
        """For an older copy: what is open in an edition went out since (`over`), or may have, and waits for a person."""
        with self._transactions.write() as connection:
            if over:
                return believe_sent(connection, edition_id, evidence)
            return doubt_everything(connection, edition_id)

    def backup(self, file: Path) -> None:
        """Writes a whole and checked copy into a new file, also while others send. SQLite only.

        Raises RefusedError where a file is in the way or the database has its own way of making backups.
        """
        write_backup(self._transactions, file)

    def close(self) -> None:
        self._transactions.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_store(url: str, root: Path, *, durability: str = "power") -> Store:
    """Opens the database, making it where there is none. Relative SQLite paths are meant inside `root`.

    `durability`: after a commit, `power` outlives a power cut, `process` outlives a kill of this process.
    Raises StoreError when it cannot be opened, or its schema is not this Ketapress's; ConfigurationError for a URL
    that is none.
    """
    transactions = Transactions(_located(url, root), durability=durability)
    try:
        _require_newest(transactions)
    except BaseException:
        transactions.close()
        raise
    return Store(transactions, root)


def upgrade(url: str, root: Path) -> tuple[str, str]:
    """Brings the schema to the newest revision, all or nothing: what it was (empty: there was none), what it is."""
    transactions = Transactions(_located(url, root), durability="power")
    try:
        found = _revision(transactions)
        if found is not None and found not in REVISIONS:
            raise StoreError(_outdated(transactions.where, found))
        if found != _NEWEST:
            _migrate(transactions)
    finally:
        transactions.close()
    return found or "", _NEWEST


def restore(file: Path, url: str, root: Path, now: datetime) -> tuple[Path | None, int]:
    """Puts a checked copy of a backup, at the newest schema, in the place of the database.

    Where that one is now, if there was one, and how often sending had been started on the copy.

    The caller keeps everybody else out. The file itself is left as it is. Raises RefusedError or StoreError, with
    the database untouched, where the file is no backup, or somebody has the database open. SQLite only.
    """
    located = _located(url, root, make=False)
    if located.get_backend_name() != "sqlite":
        raise RefusedError(_ITS_OWN_RESTORE)
    place = Path(str(located.database))
    with unfinished_copy(file, place) as copy:
        copied = f"sqlite:///{copy.absolute()}"
        upgrade(copied, root)
        with open_store(copied, root) as store:
            known = store.generation
        return put_in_place(copy, place, now), known


def _located(url: str, root: Path, *, make: bool = True) -> URL:
    """The URL with its file inside the publication folder (made, where it is not there), or with the driver we use."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigurationError(_NO_DATABASE) from None
    backend = parsed.get_backend_name()
    if backend in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite" or parsed.database in {None, "", ":memory:"}:
        raise ConfigurationError(_NO_DATABASE)
    file = root / str(parsed.database)
    if make:
        private_file(file)
    return parsed.set(drivername="sqlite+pysqlite", database=str(file))


def _require_newest(transactions: Transactions) -> None:
    """Sets up an empty database; refuses one of another schema."""
    found = _revision(transactions)
    if found is None:
        _migrate(transactions)
    elif found != _NEWEST:
        raise StoreError(_outdated(transactions.where, found))


def _revision(transactions: Transactions) -> str | None:
    """The schema that the database says it has; None where it was never set up."""
    with transactions.read() as connection:
        return _stated_revision(connection)


def _stated_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    stated: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return stated


def _migrate(transactions: Transactions) -> None:
    """Holds everybody else off, looks again, and migrates: of two that start at once, one does it."""
    from ketapress.store.db.migrate import migrate  # noqa: PLC0415 - Alembic takes longer to load than a store to open

    with transactions.write() as connection:
        if transactions.shared:
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MIGRATION_LOCK})
        if _stated_revision(connection) != _NEWEST:
            migrate(connection)


def _outdated(where: str, found: str) -> Problem:
    if found in REVISIONS:
        return Problem(
            code="store.older",
            message=f"the database {where} has schema {found}, from an older Ketapress; this one needs {_NEWEST}.",
            cure="Stop other Ketapress processes, make a backup, then run `ketapress db upgrade`.",
        )
    return Problem(
        code="store.newer",
        message=f"the database {where} has schema {found}, which this Ketapress does not know: a newer one made it.",
        cure="Install the newer Ketapress again; nothing was changed.",
    )


_ITS_OWN_RESTORE = Problem(
    code="restore.postgresql",
    message="`database.url` is a PostgreSQL database, which has its own tools for backups.",
    cure="Stop all senders, run `pg_restore --clean --dbname=… ketapress.dump`, then `ketapress db restore --accept`.",
)
