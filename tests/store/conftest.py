"""The store on both databases: a test that takes `store` or `open_another` runs once on each."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import URL

from ketapress.store.db.schema import metadata, properties
from ketapress.store.store import Store, open_store
from support.postgresql import administer

DATABASES = ("sqlite", "postgresql")
_SQLITE_URL = "sqlite:///ketapress.db"
_database_numbers = count()


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """The database that this run of the test uses."""
    return str(request.param)


@pytest.fixture
def empty_url(database: str, request: pytest.FixtureRequest) -> str:
    """The URL of a database without tables."""
    return _SQLITE_URL if database == "sqlite" else _create_database(request.getfixturevalue("server"))


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the empty schema: copying it is faster than a migration in each test."""
    folder = tmp_path_factory.mktemp("migrated")
    open_store(_SQLITE_URL, folder).close()
    return folder / "ketapress.db"


@pytest.fixture(scope="session")
def migrated_url(server: URL) -> str:
    """A PostgreSQL database with the empty schema, which the tests use one after another."""
    url = _create_database(server)
    open_store(url, Path()).close()
    return url


@pytest.fixture(scope="session")
def cleanup_store(migrated_url: str) -> Iterator[Store]:
    """The store that empties the shared database after each test."""
    with open_store(migrated_url, Path(), durability="process") as store:
        yield store


@pytest.fixture
def open_another(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[[], Store]]:
    """Open the same, initially empty database again, as another process would.

    After the test no delivery may be lost, unless the test uses `allow_losses`.
    """
    if database == "sqlite":
        url = _SQLITE_URL
        shutil.copy(request.getfixturevalue("migrated_file"), tmp_path)
        cleanup_store = None
    else:
        url = request.getfixturevalue("migrated_url")
        cleanup_store = request.getfixturevalue("cleanup_store")
    with ExitStack() as stores:
        yield lambda: stores.enter_context(open_store(url, tmp_path, durability="process"))
    with open_store(url, tmp_path, durability="process") as store:
        assert "allow_losses" in request.fixturenames or not store.find_invariant_violations(thorough=True)
    if cleanup_store:
        _empty_tables(cleanup_store)


@pytest.fixture
def allow_losses() -> None:
    """Skip the check for lost deliveries, in tests that delete some."""


@pytest.fixture
def store(open_another: Callable[[], Store]) -> Store:
    return open_another()


def _create_database(server: URL) -> str:
    name = f"test{next(_database_numbers)}"
    administer(server, f"CREATE DATABASE {name}")
    return server.set(database=name).render_as_string(hide_password=False)


def _empty_tables(store: Store) -> None:
    with store._transactions.write() as connection:
        for table in reversed(metadata.sorted_tables):
            if table is not properties:
                connection.execute(table.delete())
        connection.execute(properties.delete().where(properties.c.name == "generation"))
