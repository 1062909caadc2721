"""Edge: opens the store, after a look at its schema.

In: `database.url`, the publication folder. Out: a `Store` whose schema is the newest. A database that is not there
yet is made; one of an older or a newer Ketapress is refused, and left as it is.
"""

from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import URL, Connection, inspect, make_url, text
from sqlalchemy.exc import ArgumentError

from ketapress.model.errors import ConfigurationError, Problem, StoreError
from ketapress.store.backup import write_backup
from ketapress.store.conservation import Imbalance, imbalances
from ketapress.store.deliveries import Deliveries
from ketapress.store.editions import Editions
from ketapress.store.subscribers import Subscribers
from ketapress.store.tables import REVISIONS
from ketapress.store.transactions import Transactions, private_file

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

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self.subscribers = Subscribers(transactions)
        self.editions = Editions(transactions)
        self.deliveries = Deliveries(transactions)

    def imbalances(self, *, thorough: bool = False) -> tuple[Imbalance, ...]:
        """Editions whose deliveries do not add up, which there should never be; `thorough` counts the old ones, too."""
        with self._transactions.read() as connection:
            return imbalances(connection, thorough=thorough)

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
    return Store(transactions)


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


def _located(url: str, root: Path) -> URL:
    """The URL with its file inside the publication folder, or with the driver that we use."""
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
    from ketapress.store.migrate import migrate  # noqa: PLC0415 - Alembic takes longer to load than a store to open

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
