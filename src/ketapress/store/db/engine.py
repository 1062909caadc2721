"""Edge: the one border to the database. Transactions begin, end and fail here, and nowhere else.

In: a URL and how much a commit has to outlive. Out: connections, inside `read()` or `write()`. On SQLite a write
takes the lock at its beginning (BEGIN IMMEDIATE): one that reads first and locks later fails at once when somebody
else wrote in between, however long it would have waited. Faults of disk and network become `StoreError`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from ketapress.model.errors import Problem, StoreError
from ketapress.store.db.errors import to_problem
from ketapress.system.atomic import write_new

LOCK_TIMEOUT_MS = 60_000  # milliseconds: a backup or an import of somebody else's may hold the lock that long

IDLE_TIMEOUT_MS = 30_000
"""Milliseconds after which PostgreSQL ends a transaction whose process says nothing more: one that was stopped in the
middle of it, or a machine that is gone, would keep its locks for ever. Half a lease: then others may go on."""

_SYNCHRONOUS = {"power": "FULL", "process": "NORMAL"}
_SYNCHRONOUS_COMMIT = {"power": "on", "process": "off"}


class Transactions:
    """Opens transactions on one database. Safe to share between threads; each transaction has its own connection.

    `shared` tells that processes of other machines may work on the same database: then leases decide who is alive.
    """

    def __init__(self, url: URL, *, durability: str) -> None:
        self.display_url = url.render_as_string(hide_password=True).replace("sqlite+pysqlite:", "sqlite:")
        self.dialect = url.get_backend_name()
        self.is_shared = self.dialect != "sqlite"
        self._engine = _create_engine(url)
        event.listen(self._engine, "connect", _connection_setup(self.dialect, durability))
        if self.dialect == "sqlite":
            event.listen(self._engine, "begin", _begin)
        # PostgreSQL's default shows each statement another moment, and sums of several would not add up.
        self._read_engine = (
            self._engine.execution_options(isolation_level="REPEATABLE READ")
            if self.is_shared
            else self._engine
        )
        self._write_engine = self._engine.execution_options(
            ketapress_begin="BEGIN IMMEDIATE", preserve_rowcount=True
        )
        # In a turn the driver itself begins and commits; SQLAlchemy, where it is asked at all, says nothing to that.
        self._batch_engine = self._engine.execution_options(ketapress_begin="", preserve_rowcount=True)
        self._batch_connection: Connection | None = None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view. Keep it short: on SQLite an open one keeps the log from being folded in."""
        with self._translate_errors(), self._read_engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self, *, async_commit: bool = False) -> Iterator[Connection]:
        """All of the block or nothing. When it has ended, it is as durable as the store was opened for.

        With `soon`, PostgreSQL may only be so far when the next one ends: no commit outlives a crash that an earlier
        one does not. For work that can be done again, and that nothing leaves this machine for before another commit.
        """
        with self._translate_errors(), self._write_engine.begin() as connection:
            if async_commit and self.is_shared:
                connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
            yield connection

    @contextmanager
    def batch(self) -> Iterator[Connection]:
        """A write on a connection that is kept for the next one: taking it from the pool costs more than a turn's rows.

        So does SQLAlchemy's way into a transaction and out of it. For one thread at a time.
        """
        with self._translate_errors():
            self._batch_connection = self._batch_connection or self._batch_engine.connect()
            try:
                driver: Any = self._batch_connection.connection
                if not self.is_shared:
                    driver.cursor().execute("BEGIN IMMEDIATE")  # PostgreSQL's driver begins by itself
                yield self._batch_connection
                (self._batch_connection if self._batch_connection.in_transaction() else driver).commit()
            except BaseException:
                self._close_batch_connection()
                raise

    def _close_batch_connection(self) -> None:
        if self._batch_connection is not None:
            self._batch_connection.close()
            self._batch_connection = None

    def purge_deleted(self) -> None:
        """Lets go of what was deleted: SQLite's log holds old pages until it is folded in and emptied.

        PostgreSQL lets go of old rows when its autovacuum comes by.
        """
        if self.dialect == "sqlite":
            with self._autocommit() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def copy_to(self, file: Path) -> None:
        """SQLite: the whole database as it is at this moment, into an empty file, while others go on writing."""
        with self._autocommit() as connection:
            connection.exec_driver_sql("VACUUM INTO ?", (str(file),))

    def close(self) -> None:
        self._close_batch_connection()
        self._engine.dispose()

    @contextmanager
    def _autocommit(self) -> Iterator[Connection]:
        """A connection in no transaction, for the statements of SQLite that refuse to be in one."""
        with self._translate_errors(), self._engine.connect() as connection:
            yield connection.execution_options(ketapress_begin="")

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        driver = self._engine.dialect.loaded_dbapi
        try:
            yield
        except (
            DBAPIError,
            driver.Error,
        ) as error:  # the driver's own come from statements that go to it straight
            problem = to_problem(error, self.display_url)
            if problem is None:
                raise
            raise StoreError(problem) from error


def _create_engine(url: URL) -> Engine:
    try:
        return create_engine(url, hide_parameters=True)  # they hold addresses, and errors are logged
    except ModuleNotFoundError as error:
        raise StoreError(_NO_DRIVER) from error


_NO_DRIVER = Problem(
    code="store.driver",
    message="`database.url` is a PostgreSQL database, and the driver for it, psycopg, is not installed.",
    cure='Run `pip install "ketapress[postgres]"`.',
)


def create_private_file(path: Path) -> None:
    """Makes an empty file that only its owner reads, if there is none: the database holds addresses."""
    with suppress(FileExistsError, FileNotFoundError, PermissionError, NotADirectoryError):
        write_new(path, b"", mode=0o600)


def _connection_setup(dialect: str, durability: str) -> Callable[[Any, object], None]:
    """What is done to each new connection before it is used."""
    statements = _sqlite_statements(durability) if dialect == "sqlite" else _postgresql_statements(durability)

    def prepare(connection: Any, _record: object) -> None:
        if dialect == "sqlite":
            # The driver's own BEGIN comes too late, and is never IMMEDIATE.
            connection.isolation_level = None
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()
        connection.commit()  # PostgreSQL forgets a SET whose transaction is rolled back

    return prepare


def _begin(connection: Connection) -> None:
    if statement := connection.get_execution_options().get("ketapress_begin", "BEGIN"):
        connection.exec_driver_sql(statement)


def _sqlite_statements(durability: str) -> tuple[str, ...]:
    return (
        f"PRAGMA busy_timeout = {LOCK_TIMEOUT_MS}",
        "PRAGMA journal_mode = WAL",
        f"PRAGMA synchronous = {_SYNCHRONOUS[durability]}",
        "PRAGMA foreign_keys = ON",
        "PRAGMA secure_delete = ON",  # what is erased is overwritten, not only unlinked
    )


def _postgresql_statements(durability: str) -> tuple[str, ...]:
    return (
        f"SET SESSION synchronous_commit = {_SYNCHRONOUS_COMMIT[durability]}",
        f"SET SESSION idle_in_transaction_session_timeout = {IDLE_TIMEOUT_MS}",
    )
