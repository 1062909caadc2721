"""Open, upgrade and restore the database.

A missing database is created. One of an older or newer Ketapress is refused, and not changed.
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
from ketapress.store.db.engine import Transactions, create_private_file
from ketapress.store.deliveries import Deliveries
from ketapress.store.editions import Editions
from ketapress.store.maintenance.backup import write_backup
from ketapress.store.maintenance.restore import replace_database, temporary_copy
from ketapress.store.overview import StoreOverview, select_overview
from ketapress.store.spill_file import SPILL_FILE_NAME as SPILL
from ketapress.store.statements.counts import get_driver_cursor
from ketapress.store.statements.generation import raise_generation, read_generation, skip_ids
from ketapress.store.statements.invariants import InvariantViolation, check_invariants
from ketapress.store.statements.resolve_in_doubt import (
    allow_resend,
    in_doubt_condition,
    mark_open_in_doubt,
    mark_open_sent,
    mark_sent,
)
from ketapress.store.subscribers import Subscribers
from ketapress.store.visibility import Visibility
from ketapress.system.state_file import STATE_FOLDER

_NEWEST_REVISION = REVISIONS[-1]
# The message does not quote the URL, which may hold a password.
_NO_DATABASE = Problem(
    code="settings.database",
    message="`database.url` is not the URL of a database that Ketapress supports.",
    cure="Write `sqlite:///ketapress.db`, or `postgresql+psycopg://user:${DATABASE_PASSWORD}@host/name`.",
    path="ketapress.toml",
)
_MIGRATION_LOCK = 0x6B657461  # an arbitrary number: PostgreSQL identifies advisory locks by number


class Store:
    """The subscribers, editions and deliveries of a publication. A context manager, which closes it."""

    def __init__(self, transactions: Transactions, root: Path) -> None:
        self._transactions = transactions
        self.subscribers = Subscribers(transactions)
        self.editions = Editions(transactions)
        self.visibility = Visibility(transactions)
        self.deliveries = Deliveries(transactions, root / STATE_FOLDER / SPILL)

    def find_invariant_violations(self, *, thorough: bool = False) -> tuple[InvariantViolation, ...]:
        """Return the editions that have lost or surplus deliveries, which must never be. Oldest first.

        `thorough` also counts the deliveries of editions that are done.
        """
        with self._transactions.read() as connection:
            cursor = get_driver_cursor(connection)
            return check_invariants(cursor, self._transactions.dialect, thorough=thorough).violations

    def read_overview(self) -> StoreOverview:
        """Return an overview of all editions, subscriptions and deliveries."""
        with self._transactions.read() as connection:
            return select_overview(get_driver_cursor(connection), self._transactions.dialect)

    @property
    def generation(self) -> int:
        """How often sending was started on this database. A copy starts with the number of its original."""
        with self._transactions.read() as connection:
            return read_generation(connection)

    def raise_generation(self, minimum: int = 0) -> int:
        """Add one to the generation, or set it to `minimum` if that is greater. Return it."""
        with self._transactions.write() as connection:
            return raise_generation(connection, minimum)

    def skip_ids(self) -> None:
        """Skip the ids that may have been used after this copy of the database was made."""
        with self._transactions.write() as connection:
            skip_ids(connection)

    def resolve(
        self, edition_id: int, addresses: Sequence[str], *, is_sent: bool, evidence: str, now: datetime
    ) -> int:
        """Resolve deliveries in doubt, all of an edition or those to some addresses. Return how many.

        With `is_sent` they are SENT, with the evidence as reply; otherwise they are sent again.
        """
        with self._transactions.write() as connection:
            condition = in_doubt_condition(edition_id, addresses)
            if is_sent:
                return mark_sent(connection, condition, edition_id, evidence)
            return allow_resend(connection, condition, now)

    def settle_older_copy(self, edition_id: int, *, is_done: bool, evidence: str) -> int:
        """End the open deliveries of an edition in an older copy of the database. Return how many.

        With `is_done` they were sent since; otherwise they may have been, and wait for a person.
        """
        with self._transactions.write() as connection:
            if is_done:
                return mark_open_sent(connection, edition_id, evidence)
            return mark_open_in_doubt(connection, edition_id)

    def backup(self, file: Path) -> None:
        """Write a complete, checked copy into a new file, also while another process sends. SQLite only.

        Raises RefusedError if the file exists or the database is PostgreSQL, StoreError for errors of the disk.
        """
        write_backup(self._transactions, file)

    def close(self) -> None:
        """Close all connections."""
        self._transactions.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def open_store(url: str, root: Path, *, durability: str = "power") -> Store:
    """Open the database; create it if it is missing. Relative SQLite paths are relative to `root`.

    `durability` is what a commit survives: `power`, a power failure, or `process`, the end of this process.
    Raises StoreError if it cannot be opened or has another schema, ConfigurationError for an invalid URL.
    """
    transactions = Transactions(_resolve_url(url, root), durability=durability)
    try:
        _require_newest_revision(transactions)
    except BaseException:
        transactions.close()
        raise
    return Store(transactions, root)


def upgrade_database(url: str, root: Path) -> tuple[str, str]:
    """Migrate the database to the newest schema. Return the revision before (empty if there was none) and after."""
    transactions = Transactions(_resolve_url(url, root), durability="power")
    try:
        revision = _read_revision(transactions)
        if revision is not None and revision not in REVISIONS:
            raise StoreError(_revision_problem(transactions.display_url, revision))
        if revision != _NEWEST_REVISION:
            _migrate(transactions)
    finally:
        transactions.close()
    return revision or "", _NEWEST_REVISION


def restore_backup(file: Path, url: str, root: Path, now: datetime) -> tuple[Path | None, int]:
    """Replace the database with a checked copy of a backup, migrated to the newest schema. SQLite only.

    Return the new path of the replaced database (None if there was none), and the generation of the backup. The
    caller locks out other processes. The backup file is not changed. Raises RefusedError or StoreError, and changes
    nothing, if the file is not a backup or another process uses the database.
    """
    database_url = _resolve_url(url, root, create=False)
    if database_url.get_backend_name() != "sqlite":
        raise RefusedError(_POSTGRESQL_RESTORE)
    database_path = Path(str(database_url.database))
    with temporary_copy(file, database_path) as copy_path:
        copy_url = f"sqlite:///{copy_path.absolute()}"
        upgrade_database(copy_url, root)
        with open_store(copy_url, root) as store:
            known_generation = store.generation
        return replace_database(copy_path, database_path, now), known_generation


def _resolve_url(url: str, root: Path, *, create: bool = True) -> URL:
    """Return the URL with the absolute path of the SQLite file, or with the PostgreSQL driver.

    With `create`, create the file if it is missing. Raises ConfigurationError for an invalid URL.
    """
    try:
        parsed_url = make_url(url)
    except ArgumentError:
        raise ConfigurationError(_NO_DATABASE) from None
    backend = parsed_url.get_backend_name()
    if backend in {"postgresql", "postgres"}:
        return parsed_url.set(drivername="postgresql+psycopg")
    if backend != "sqlite" or parsed_url.database in {None, "", ":memory:"}:
        raise ConfigurationError(_NO_DATABASE)
    file = root / str(parsed_url.database)
    if create:
        create_private_file(file)
    return parsed_url.set(drivername="sqlite+pysqlite", database=str(file))


def _require_newest_revision(transactions: Transactions) -> None:
    """Migrate an empty database. Raises StoreError if it has another schema."""
    revision = _read_revision(transactions)
    if revision is None:
        _migrate(transactions)
    elif revision != _NEWEST_REVISION:
        raise StoreError(_revision_problem(transactions.display_url, revision))


def _read_revision(transactions: Transactions) -> str | None:
    """Return the schema revision of the database; None if it is empty."""
    with transactions.read() as connection:
        return _select_revision(connection)


def _select_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _migrate(transactions: Transactions) -> None:
    """Lock the database, and migrate it unless another process has just done so."""
    from ketapress.store.db.migrate import migrate  # noqa: PLC0415 - loading Alembic takes longer than opening a store

    with transactions.write() as connection:
        if transactions.is_shared:
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MIGRATION_LOCK})
        if _select_revision(connection) != _NEWEST_REVISION:
            migrate(connection)


def _revision_problem(display_url: str, revision: str) -> Problem:
    if revision in REVISIONS:
        return Problem(
            code="store.older",
            message=f"the database {display_url} has schema {revision} of an older Ketapress; "
            f"this version needs {_NEWEST_REVISION}.",
            cure="Stop all other Ketapress processes, make a backup, then run `ketapress db upgrade`.",
        )
    return Problem(
        code="store.newer",
        message=f"the database {display_url} has schema {revision} of a newer Ketapress; nothing was changed.",
        cure="Install the newer Ketapress.",
    )


_POSTGRESQL_RESTORE = Problem(
    code="restore.postgresql",
    message="`database.url` is a PostgreSQL database, which needs PostgreSQL's own backup tools.",
    cure="Stop all senders, run `pg_restore --clean --dbname=… ketapress.dump`, then `ketapress db restore --accept`.",
)
