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
from ketapress.system.state_file import STATE_FOLDER

_NEWEST_REVISION = REVISIONS[-1]
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
        self.deliveries = Deliveries(transactions, root / STATE_FOLDER / SPILL)

    def find_invariant_violations(self, *, thorough: bool = False) -> tuple[InvariantViolation, ...]:
        """Editions whose deliveries do not add up, which there should never be; `thorough` counts the old ones, too."""
        with self._transactions.read() as connection:
            cursor = get_driver_cursor(connection)
            return check_invariants(cursor, self._transactions.dialect, thorough=thorough).violations

    def read_overview(self) -> StoreOverview:
        """How all of it stands at this moment."""
        with self._transactions.read() as connection:
            return select_overview(get_driver_cursor(connection), self._transactions.dialect)

    @property
    def generation(self) -> int:
        """How often sending was started on this database, or a copy made of it."""
        with self._transactions.read() as connection:
            return read_generation(connection)

    def raise_generation(self, minimum: int = 0) -> int:
        """One more, and at least so many; what it is now."""
        with self._transactions.write() as connection:
            return raise_generation(connection, minimum)

    def skip_ids(self) -> None:
        """For an older copy: new people get no number that was given out after it was made."""
        with self._transactions.write() as connection:
            skip_ids(connection)

    def resolve(
        self, edition_id: int, addresses: Sequence[str], *, is_sent: bool, evidence: str, now: datetime
    ) -> int:
        """A person's word on deliveries in doubt, of all or of some addresses: they arrived, or go out again. How many."""
        with self._transactions.write() as connection:
            condition = in_doubt_condition(edition_id, addresses)
            if is_sent:
                return mark_sent(connection, condition, edition_id, evidence)
            return allow_resend(connection, condition, now)

    def settle_older_copy(self, edition_id: int, *, is_done: bool, evidence: str) -> int:
        """For an older copy: what is open in an edition went out since (`over`), or may have, and waits for a person."""
        with self._transactions.write() as connection:
            if is_done:
                return mark_open_sent(connection, edition_id, evidence)
            return mark_open_in_doubt(connection, edition_id)

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
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def open_store(url: str, root: Path, *, durability: str = "power") -> Store:
    """Opens the database, making it where there is none. Relative SQLite paths are meant inside `root`.

    `durability`: after a commit, `power` outlives a power cut, `process` outlives a kill of this process.
    Raises StoreError when it cannot be opened, or its schema is not this Ketapress's; ConfigurationError for a URL
    that is none.
    """
    transactions = Transactions(_resolve_url(url, root), durability=durability)
    try:
        _require_newest_revision(transactions)
    except BaseException:
        transactions.close()
        raise
    return Store(transactions, root)


def upgrade_database(url: str, root: Path) -> tuple[str, str]:
    """Brings the schema to the newest revision, all or nothing: what it was (empty: there was none), what it is."""
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
    """Puts a checked copy of a backup, at the newest schema, in the place of the database.

    Where that one is now, if there was one, and how often sending had been started on the copy.

    The caller keeps everybody else out. The file itself is left as it is. Raises RefusedError or StoreError, with
    the database untouched, where the file is no backup, or somebody has the database open. SQLite only.
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
    """The URL with its file inside the publication folder (made, where it is not there), or with the driver we use."""
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
    """Sets up an empty database; refuses one of another schema."""
    revision = _read_revision(transactions)
    if revision is None:
        _migrate(transactions)
    elif revision != _NEWEST_REVISION:
        raise StoreError(_revision_problem(transactions.display_url, revision))


def _read_revision(transactions: Transactions) -> str | None:
    """The schema that the database says it has; None where it was never set up."""
    with transactions.read() as connection:
        return _select_revision(connection)


def _select_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _migrate(transactions: Transactions) -> None:
    """Holds everybody else off, looks again, and migrates: of two that start at once, one does it."""
    from ketapress.store.db.migrate import migrate  # noqa: PLC0415 - Alembic takes longer to load than a store to open

    with transactions.write() as connection:
        if transactions.is_shared:
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MIGRATION_LOCK})
        if _select_revision(connection) != _NEWEST_REVISION:
            migrate(connection)


def _revision_problem(display_url: str, revision: str) -> Problem:
    if revision in REVISIONS:
        return Problem(
            code="store.older",
            message=f"the database {display_url} has schema {revision}, from an older Ketapress; this one needs {_NEWEST_REVISION}.",
            cure="Stop other Ketapress processes, make a backup, then run `ketapress db upgrade`.",
        )
    return Problem(
        code="store.newer",
        message=f"the database {display_url} has schema {revision}, which this Ketapress does not know: a newer one made it.",
        cure="Install the newer Ketapress again; nothing was changed.",
    )


_POSTGRESQL_RESTORE = Problem(
    code="restore.postgresql",
    message="`database.url` is a PostgreSQL database, which has its own tools for backups.",
    cure="Stop all senders, run `pg_restore --clean --dbname=… ketapress.dump`, then `ketapress db restore --accept`.",
)
