"""The build cache returns what was put into it, or nothing; and it never fails a build."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings as bounds, strategies as st

from ketapress.system.build_cache import BuildCache, cached

LARGE = b"<p>Text.</p>" * 2000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "build.db"
    cache = BuildCache(path)
    cache.put("post", "a.md", "1", b"first")
    cache.put("post", "b.md", "1", LARGE)
    cache.put("target", "a.md", "1", b"another kind")
    cache.save()
    return path


def entries(file: Path) -> dict[str, bytes]:
    return dict(BuildCache(file).get_many("post", {"a.md": "1", "b.md": "1", "c.md": "1"}))


def test_an_entry_is_valid_while_its_key_is_the_same(file: Path) -> None:
    cache = BuildCache(file)

    assert cache.get("post", "a.md", "1") == b"first"
    assert cache.get("target", "a.md", "1") == b"another kind"
    assert cache.get("post", "a.md", "2") is None
    assert cache.get("post", "c.md", "1") is None
    assert cache.get("template", "a.md", "1") is None
    assert dict(cache.get_many("post", {"a.md": "1", "b.md": "2", "c.md": "1"})) == {"a.md": b"first"}
    assert list(cache.get_many("template", {"a.md": "1"})) == []


def test_changes_are_on_disk_once_they_are_saved(file: Path) -> None:
    cache = BuildCache(file)
    cache.put("post", "a.md", "2", b"second")
    cache.keep_only("post", ["a.md"])

    assert cache.get("post", "a.md", "2") == b"second"
    assert cache.get("post", "a.md", "1") is None
    assert entries(file) == {"a.md": b"first", "b.md": LARGE}
    cache.save()
    assert entries(file) == {}
    assert BuildCache(file).get("post", "a.md", "2") == b"second"
    assert BuildCache(file).get("target", "a.md", "1") == b"another kind"


def test_names_and_keys_may_be_any_text(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path / "build.db")
    for name in ("\udcff.md", "日記.md", "", "a\0b"):
        cache.put("post", name, name, b"value")
    cache.save()

    for name in ("\udcff.md", "日記.md", "", "a\0b"):
        assert BuildCache(tmp_path / "build.db").get("post", name, name) == b"value"


def test_a_value_is_made_once(file: Path) -> None:
    class Json:
        def dump(self, value: list[int]) -> bytes:
            return json.dumps(value).encode()

        def load(self, stored: bytes) -> list[int] | None:
            return [json.loads(stored)] if stored == b"7" else None

    calls: list[int] = []

    def make() -> list[int]:
        calls.append(1)
        return [7]

    cache = BuildCache(file)
    assert cached(cache, "post", "c.md", "1", make, Json()) == [7]
    cache.put("post", "c.md", "1", b"7")
    assert cached(cache, "post", "c.md", "1", make, Json()) == [7]
    assert len(calls) == 1
    assert cached(cache, "post", "a.md", "1", make, Json()) == [7]
    assert len(calls) == 2


def run_sql(statement: str) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        with closing(sqlite3.connect(file)) as database:
            database.executescript(statement)

    return change


def replace_by_link(file: Path) -> None:
    file.rename(file.with_name("other.db"))
    file.symlink_to(file.with_name("other.db"))


def replace_by_dangling_link(file: Path) -> None:
    file.unlink()
    file.symlink_to(file.with_name("absent.db"))


def replace_by_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "absent": lambda file: file.unlink(),
    "empty": lambda file: file.write_bytes(b""),
    "text": lambda file: file.write_text("a long text instead of a database" * 100),
    "cut off": lambda file: file.write_bytes(file.read_bytes()[:70_000]),
    "folder": replace_by_folder,
    "link": replace_by_link,
    "dangling link": replace_by_dangling_link,
    "value changed": run_sql("UPDATE post SET value = x'00'"),
    "key changed": run_sql("UPDATE post SET key = x'00'"),
    "name changed": run_sql("UPDATE post SET name = name || x'00'"),
    "other types": run_sql("UPDATE post SET value = 7, key = NULL, sum = 'sum'"),
    "other columns": run_sql("ALTER TABLE post DROP COLUMN value"),
    "other table": run_sql("ALTER TABLE post RENAME TO posts; CREATE TABLE post (name, key, value, sum)"),
    "trigger": run_sql(
        "CREATE TRIGGER planted AFTER INSERT ON post BEGIN UPDATE post SET value = x'00'; END;"
    ),
    "view": run_sql(
        "DROP TABLE post; CREATE VIEW post AS SELECT x'612e6d64' AS name, x'31' AS key, x'00' AS value, 0 AS sum;"
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_or_foreign_file_is_empty_and_is_replaced(file: Path, damage: str) -> None:
    DAMAGE[damage](file)
    before = (file.parent / "other.db").read_bytes() if damage == "link" else b""

    assert set(entries(file).items()) <= {("a.md", b"first"), ("b.md", LARGE)}
    assert damage in {"absent", "cut off"} or entries(file) == {}
    for _ in range(2):  # the first may only remove the file
        cache = BuildCache(file)
        cache.put("post", "a.md", "1", b"new")
        cache.save()
    assert entries(file).get("a.md") == (None if damage == "folder" else b"new")
    assert not (file.parent / "absent.db").exists()
    if damage == "link":
        assert (file.parent / "other.db").read_bytes() == before


@bounds(max_examples=60, deadline=None)
@given(position=st.integers(0, 300_000), change=st.binary(min_size=1, max_size=40))
def test_changed_bytes_never_change_a_value(position: int, change: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "build.db"
        cache = BuildCache(file)
        for number in range(8):
            cache.put("post", f"{number}.md", "1", b"%d" % number + LARGE)
        cache.save()
        content = bytearray(file.read_bytes())
        start = position % len(content)
        content[start : start + len(change)] = change
        file.write_bytes(content)

        for name, value in BuildCache(file).get_many("post", {f"{number}.md": "1" for number in range(8)}):
            assert value == name.removesuffix(".md").encode() + LARGE
        cache.put("post", "0.md", "2", b"new")
        cache.keep_only("post", ["0.md"])
        cache.save()


def test_a_file_in_use_by_another_process_is_left_alone(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ketapress.system.build_cache._TIMEOUT", 0)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        cache = BuildCache(file)
        assert entries(file) == {}
        cache.put("post", "a.md", "2", b"new")
        cache.save()
        other.execute("ROLLBACK")

    assert entries(file) == {"a.md": b"first", "b.md": LARGE}


def test_a_folder_that_is_not_there_is_no_failure(tmp_path: Path) -> None:
    cache = BuildCache(tmp_path / "absent" / "build.db")
    cache.put("post", "a.md", "1", b"value")
    cache.save()

    assert cache.get("post", "a.md", "1") is None


def test_a_kind_is_one_word(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not a kind of entry"):
        BuildCache(tmp_path / "build.db").put('post"; DROP', "a", "1", b"")
