"""The schema: created if missing, upgraded on request, refused if it is of another version."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from ketapress.model.errors import ConfigurationError, StoreError
from ketapress.store.db.codes import REVISIONS
from ketapress.store.db.migrate import migrations_folder
from ketapress.store.db.schema import metadata
from ketapress.store.store import Store, open_store, upgrade_database
from support.store_fixture import make_import_rows, subscribe


def set_revision(store: Store, revision: str) -> None:
    with store._transactions.write() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")


def test_the_revisions_in_the_code_are_the_migrations_there_are() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    revisions = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(revisions)) == REVISIONS


def test_the_migrations_make_the_tables_that_the_code_knows(store: Store) -> None:
    with store._transactions.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_database_of_a_newer_ketapress_is_refused_and_left_alone(empty_url: str, tmp_path: Path) -> None:
    with open_store(empty_url, tmp_path) as store:
        subscribe(store, make_import_rows(1))
        set_revision(store, "9999")
    for action in (open_store, upgrade_database):
        with pytest.raises(StoreError, match=r"schema 9999 of a newer Ketapress.*Install the newer"):
            action(empty_url, tmp_path)


def test_an_older_database_is_refused_until_it_is_upgraded(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(empty_url, tmp_path):
        pass
    monkeypatch.setattr("ketapress.store.store.REVISIONS", (*REVISIONS, "next"))
    monkeypatch.setattr("ketapress.store.store._NEWEST_REVISION", "next")
    with pytest.raises(StoreError, match=r"of an older Ketapress.*ketapress db upgrade"):
        open_store(empty_url, tmp_path)


def test_an_upgrade_says_what_it_was_and_what_it_is(empty_url: str, tmp_path: Path) -> None:
    assert upgrade_database(empty_url, tmp_path) == ("", REVISIONS[-1])
    assert upgrade_database(empty_url, tmp_path) == (REVISIONS[-1], REVISIONS[-1])


def test_several_processes_may_find_no_database_at_once(empty_url: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as processes:
        stores = list(processes.map(lambda _: open_store(empty_url, tmp_path), range(4)))
    for store in stores:
        assert store.subscribers.find("nobody@example.org") is None
        store.close()


def test_alembic_is_loaded_only_when_there_is_something_to_change(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from ketapress.store.store import open_store;"
        "open_store('sqlite:///k.db', Path(sys.argv[1])).close(); print('alembic' in sys.modules)"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", script, tmp_path], check=True, capture_output=True, text=True
        ).stdout
        for _ in range(2)
    ]
    assert outputs == ["True\n", "False\n"]


def test_the_database_stands_in_the_publication_folder_for_its_owner_alone(tmp_path: Path) -> None:
    with open_store("sqlite:///sub folder 100%.db", tmp_path):
        assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
    assert [file.name for file in tmp_path.iterdir()] == ["sub folder 100%.db"]


def test_an_absolute_path_is_taken_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "elsewhere.db"
    with open_store(f"sqlite:///{file}", Path("/nonexistent")):
        assert file.exists()


@pytest.mark.parametrize(
    "url", ["", "no url", "sqlite://", "sqlite:///:memory:", "mysql://u:secret@h/d", "oracle+x://"]
)
def test_what_names_no_database_is_refused_without_showing_it(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is not the URL of a database") as error:
        open_store(url, tmp_path)
    assert "secret" not in str(error.value)
    assert list(tmp_path.iterdir()) == []
