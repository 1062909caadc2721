"""Transactions on the database: the only module that begins, commits and rolls back.

A write on SQLite takes the lock when it begins (BEGIN IMMEDIATE). A transaction that reads first and locks later fails
at once if another process wrote in between, whatever its timeout. Errors of disk and network become `StoreError`.
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

LOCK_TIMEOUT_MS = 60_000  # a backup or an import by another process may hold the lock this long

IDLE_TIMEOUT_MS = 30_000
"""Milliseconds after which PostgreSQL ends an idle transaction.

A process that was stopped inside a transaction, or a machine that is gone, would keep its locks forever. Half a lease,
so that the locks are free before the lease expires.
"""

_SYNCHRONOUS = {"power": "FULL", "process": "NORMAL"}
_SYNCHRONOUS_COMMIT = {"power": "on", "process": "off"}


class Transactions:
    """Transactions on one database. Threads may share it: each transaction has its own connection.

    `is_shared` is True where processes on other machines may use the same database; leases then decide which of them
    are alive. `display_url` is the URL without its password.
    """

    def __init__(self, url: URL, *, durability: str) -> None:
        self.display_url = url.render_as_string(hide_password=True).replace("sqlite+pysqlite:", "sqlite:")
        self.dialect = url.get_backend_name()
        self.is_shared = self.dialect != "sqlite"
        self._engine = _create_engine(url)
        event.listen(self._engine, "connect", _connection_setup(self.dialect, durability))
        if self.dialect == "sqlite":
            event.listen(self._engine, "begin", _begin)
        # PostgreSQL's default isolation gives each statement its own snapshot: sums of several would not agree.
        self._read_engine = (
            self._engine.execution_options(isolation_level="REPEATABLE READ")
            if self.is_shared
            else self._engine
        )
        self._write_engine = self._engine.execution_options(
            ketapress_begin="BEGIN IMMEDIATE", preserve_rowcount=True
        )
        # In a batch the driver begins and commits, and SQLAlchemy must not.
        self._batch_engine = self._engine.execution_options(ketapress_begin="", preserve_rowcount=True)
        self._batch_connection: Connection | None = None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that reads one snapshot.

        Keep it short: on SQLite an open reader stops the checkpoint of the write-ahead log.
        """
        with self._translate_errors(), self._read_engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self, *, async_commit: bool = False) -> Iterator[Connection]:
        """Open a transaction that writes, and commit it durably, or roll it back if the block raises.

        With `async_commit`, PostgreSQL may make the commit durable later, but never after a later commit: a crash
        that loses it loses the later ones too. For work that can be repeated, and whose result leaves this machine
        only after another commit.
        """
        with self._translate_errors(), self._write_engine.begin() as connection:
            if async_commit and self.is_shared:
                connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
            yield connection

    @contextmanager
    def batch(self) -> Iterator[Connection]:
        """Open a transaction that writes, on a connection that stays open for the next batch. For one thread at a time.

        The pool and SQLAlchemy's begin and commit cost more time than the statements of a batch.
        """
        with self._translate_errors():
            self._batch_connection = self._batch_connection or self._batch_engine.connect()
            try:
                driver: Any = self._batch_connection.connection
                if not self.is_shared:
                    driver.cursor().execute(
                        "BEGIN IMMEDIATE"
                    )  # PostgreSQL's driver begins on the first statement
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
        """Remove deleted data from SQLite's write-ahead log, which keeps old pages until it is truncated.

        On PostgreSQL autovacuum removes old rows.
        """
        if self.dialect == "sqlite":
            with self._autocommit() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def copy_to(self, file: Path) -> None:
        """Copy the database as of now into an empty file, while other processes write. SQLite only."""
        with self._autocommit() as connection:
            connection.exec_driver_sql("VACUUM INTO ?", (str(file),))

    def close(self) -> None:
        """Close all connections."""
        self._close_batch_connection()
        self._engine.dispose()

    @contextmanager
    def _autocommit(self) -> Iterator[Connection]:
        """Open a connection outside any transaction, for the SQLite statements that require it."""
        with self._translate_errors(), self._engine.connect() as connection:
            yield connection.execution_options(ketapress_begin="")

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Raise StoreError for errors that a person can fix."""
        driver = self._engine.dialect.loaded_dbapi
        try:
            yield
        # Statements that use the driver directly raise its own errors.
        except (DBAPIError, driver.Error) as error:
            problem = to_problem(error, self.display_url)
            if problem is None:
                raise
            raise StoreError(problem) from error


def _create_engine(url: URL) -> Engine:
    try:
        return create_engine(url, hide_parameters=True)  # parameters hold addresses, and errors are logged
    except ModuleNotFoundError as error:
        raise StoreError(_NO_DRIVER) from error


_NO_DRIVER = Problem(
    code="store.driver",
    message="`database.url` names a PostgreSQL database, but its driver, psycopg, is not installed.",
    cure='Run `pip install "ketapress[postgres]"`.',
)


def create_private_file(path: Path) -> None:
    """Create an empty file that only its owner can read, unless it exists: the database holds addresses."""
    with suppress(FileExistsError, FileNotFoundError, PermissionError, NotADirectoryError):
        write_new(path, b"", mode=0o600)


def _connection_setup(dialect: str, durability: str) -> Callable[[Any, object], None]:
    """Return the function that prepares each new connection."""
    statements = _sqlite_statements(durability) if dialect == "sqlite" else _postgresql_statements(durability)

    def prepare(connection: Any, _record: object) -> None:
        if dialect == "sqlite":
            # The driver's own BEGIN comes before the first write only, and is never IMMEDIATE.
            connection.isolation_level = None
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()
        connection.commit()  # PostgreSQL undoes a SET when its transaction is rolled back

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
        "PRAGMA secure_delete = ON",  # overwrite what is deleted, not only unlink it
    )


def _postgresql_statements(durability: str) -> tuple[str, ...]:
    return (
        f"SET SESSION synchronous_commit = {_SYNCHRONOUS_COMMIT[durability]}",
        f"SET SESSION idle_in_transaction_session_timeout = {IDLE_TIMEOUT_MS}",
    )
