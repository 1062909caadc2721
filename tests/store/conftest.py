"""The store on every database it runs on: a test that takes `store` or `opened` runs once for each."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ketapress.store.database import Store, open_store

DATABASES = ("sqlite",)


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database."""
    return {"sqlite": "sqlite:///ketapress.db"}[request.param]


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with nothing but the schema: copying it is quicker than migrating for each test."""
    folder = tmp_path_factory.mktemp("migrated")
    open_store("sqlite:///ketapress.db", folder).close()
    return folder / "ketapress.db"


@pytest.fixture
def opened(url: str, tmp_path: Path, migrated_file: Path) -> Iterator[Callable[[], Store]]:
    """Opens the same database again, as another process would."""
    shutil.copy(migrated_file, tmp_path)
    with ExitStack() as stores:
        yield lambda: stores.enter_context(open_store(url, tmp_path, durability="process"))


@pytest.fixture
def store(opened: Callable[[], Store]) -> Store:
    return opened()
