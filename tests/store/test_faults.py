"""Errors of disk, lock and file become problems with a cure, and no step is left half done."""

import resource
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from ketapress.model.errors import StoreError
from ketapress.store.db import engine as transactions
from ketapress.store.db.errors import to_problem
from ketapress.store.store import open_store
from support.factories import NOW
from support.store_fixture import create_edition, make_import_rows, nonzero_counts, subscribe

URL = "sqlite:///ketapress.db"


@contextmanager
def limit_file_size(size: int) -> Iterator[None]:
    """Limit the size of this process's files: like a full disk, without the need for root."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        StoreError, match=r"nowhere/k\.db: it cannot be opened .*Check that its folder exists"
    ):
        open_store("sqlite:///nowhere/k.db", tmp_path)


def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "ketapress.db").write_text("Dear diary, " * 100)
    with pytest.raises(StoreError, match=r"it is damaged, or it is not a database"):
        open_store(URL, tmp_path)
    assert (tmp_path / "ketapress.db").read_text() == "Dear diary, " * 100


def test_a_database_that_others_keep_locked_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "LOCK_TIMEOUT_MS", 10)
    with open_store(URL, tmp_path) as store:
        other_connection = sqlite3.connect(tmp_path / "ketapress.db", isolation_level=None)
        other_connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"another program has locked it .*Nothing was changed"):
            subscribe(store, make_import_rows(1))
        assert store.subscribers.find("person0@example.org") is None
        other_connection.close()
        subscribe(store, make_import_rows(1))


def test_a_full_disk_undoes_the_last_step_and_keeps_the_others(tmp_path: Path) -> None:
    with open_store(URL, tmp_path) as store:
        subscribe(store, make_import_rows(3000))
        edition_id = create_edition(store)
        size = max(file.stat().st_size for file in tmp_path.iterdir())
        with limit_file_size(size + 50_000), pytest.raises(StoreError, match=r"disk .*was rolled back"):
            store.deliveries.freeze(edition_id, "weekly", NOW, chunk_size=500)
        assert store.deliveries.counts_match(edition_id)
        assert store.deliveries.freeze(edition_id, "weekly", NOW) == 3000
        assert list(nonzero_counts(store, edition_id).values()) == [3000]


class _DriverError(Exception):
    def __init__(self, text: str, **codes: str) -> None:
        super().__init__(text)
        self.__dict__ |= codes


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ({"sqlite_errorname": "SQLITE_FULL"}, "store.full"),
        ({"sqlite_errorname": "SQLITE_IOERR_FSYNC"}, "store.disk"),
        ({"sqlite_errorname": "SQLITE_READONLY_DBMOVED"}, "store.read-only"),
        ({"sqlite_errorname": "SQLITE_BUSY_SNAPSHOT"}, "store.busy"),
        ({"sqlstate": "53100"}, "store.full"),
        ({"sqlstate": "57P01"}, "store.unreachable"),
        ({"sqlstate": "28P01"}, "store.refused"),
        ({"sqlstate": "3D000"}, "store.missing"),
        ({"sqlstate": "40P01"}, "store.conflict"),
        ({"sqlstate": "XX000"}, "store.fault"),
        ({}, "store.unreachable"),
    ],
)
def test_each_code_of_the_drivers_has_its_cause_and_cure(codes: dict[str, str], code: str) -> None:
    problem = to_problem(OperationalError("", {}, _DriverError("it failed", **codes)), "sqlite:///k.db")
    assert problem
    assert (problem.code, bool(problem.cure)) == (code, True)
    assert problem.message.startswith("the database sqlite:///k.db: ")


def test_no_password_is_repeated() -> None:
    driver_error = _DriverError("cannot reach postgresql://ada:sesame@db/x, password=sesame host=db")
    problem = to_problem(OperationalError("", {}, driver_error), "postgresql://ada:***@db/x")
    assert problem
    assert "sesame" not in problem.message


@pytest.mark.parametrize(
    "error",
    [
        IntegrityError(
            "", {}, _DriverError("UNIQUE constraint failed", sqlite_errorname="SQLITE_CONSTRAINT_UNIQUE")
        ),
        OperationalError("", {}, _DriverError("no such column", sqlite_errorname="SQLITE_ERROR")),
        IntegrityError("", {}, _DriverError("duplicate key", sqlstate="23505")),
    ],
)
def test_what_is_ours_to_mend_is_no_problem_of_the_user(error: DBAPIError) -> None:
    assert to_problem(error, "sqlite:///k.db") is None


@pytest.mark.parametrize(("durability", "synchronous"), [("power", 2), ("process", 1)])
def test_a_commit_is_as_durable_as_was_asked(tmp_path: Path, durability: str, synchronous: int) -> None:
    with open_store(URL, tmp_path, durability=durability) as store, store._transactions.read() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("synchronous", "journal_mode", "foreign_keys", "secure_delete", "busy_timeout")
        }
    assert pragmas == {
        "synchronous": synchronous,
        "journal_mode": "wal",
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": 60_000,
    }
