"""A backup is complete, can be made while another process sends, and overwrites nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ketapress.model.delivery import DeliveryState
from ketapress.model.errors import RefusedError, StoreError
from ketapress.store.store import Store, open_store
from support.factories import NOW
from support.store_fixture import (
    create_sending_edition,
    make_import_rows,
    nonzero_counts,
    record_results,
    start_sending,
    subscribe,
)

URL = "sqlite:///ketapress.db"


def open_backup(file: Path) -> Store:
    return open_store(f"sqlite:///{file}", file.parent)


def test_a_backup_holds_everything_that_was_committed(tmp_path: Path) -> None:
    with open_store(URL, tmp_path) as store:
        edition_id = create_sending_edition(store, 5)
        record_results(store, edition_id, start_sending(store, edition_id, 2), DeliveryState.SENT)
        store.backup(tmp_path / "copy.db")
        with open_backup(tmp_path / "copy.db") as copy:
            assert nonzero_counts(copy, edition_id) == nonzero_counts(store, edition_id)
            assert copy.editions.get_message_template(edition_id) == store.editions.get_message_template(
                edition_id
            )
            assert not copy.subscribers.add(make_import_rows(5), ["weekly"], "somebody", NOW).added


def test_a_backup_does_not_wait_for_who_is_writing(tmp_path: Path) -> None:
    with open_store(URL, tmp_path) as store, open_store(URL, tmp_path) as other_store:
        subscribe(store, make_import_rows(1))
        with other_store._transactions.write() as connection:
            connection.exec_driver_sql("UPDATE subscribers SET name = 'not committed'")
            store.backup(tmp_path / "copy.db")
        with open_backup(tmp_path / "copy.db") as copy:
            assert [subscriber.name for subscriber in copy.subscribers.iter_subscribers()] == ["Person 0"]


def test_a_backup_is_for_its_owner_alone_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    with open_store(URL, tmp_path) as store:
        store.backup(tmp_path / "backups" / "copy.db")
    assert [(file.name, file.stat().st_mode & 0o777) for file in (tmp_path / "backups").iterdir()] == [
        ("copy.db", 0o600)
    ]


def test_a_backup_takes_the_place_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("my diary")
    with open_store(URL, tmp_path) as store, pytest.raises(RefusedError, match="already exists"):
        store.backup(tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "my diary"


def test_a_backup_into_a_folder_that_is_not_there_says_so(tmp_path: Path) -> None:
    with open_store(URL, tmp_path) as store, pytest.raises(StoreError) as error:
        store.backup(tmp_path / "nowhere" / "copy.db")
    (problem,) = error.value.problems
    assert problem.message.endswith("nowhere/copy.db was not written: No such file or directory.")
    assert "folder" in problem.cure


@pytest.mark.parametrize("database", ["postgresql"])
def test_postgresql_is_left_to_its_own_tools(open_another: Callable[[], Store], tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="pg_dump"):
        open_another().backup(tmp_path / "copy.db")
