"""What is remembered of files is what reading them would give, and a memory that is none costs time and nothing else."""

import itertools
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings as bounds, strategies as st

from ketapress.model.settings import Settings
from ketapress.posts import reader as shelf
from ketapress.posts.cache.sqlite_cache import Cache
from ketapress.posts.library import Library
from ketapress.posts.loader import read_library
from ketapress.posts.source.files import text
from ketapress.system import fork_worker as processes
from support.factories import NOW, SITE, settings
from support.posts_folder import BERLIN, Desk, built, keep_ids, publication, seen

FILES = {
    "2023-06-01-plain.txt": "Thursday, June 01, 2023\n\nLead: A text.\n\nMore of it.\n",
    "2023-06-02-linking.md": "---\ntags: [a, b]\n---\nSee [that](2023-06-03-other.md) and [this](none.md#x).\n",
    "2023-06-03-other.md": "---\ntitle: Other\nexpires: 2030-01-01\n---\n# One\n\n## Two\n\n[^1]\n\n[^1]: Note.\n",
    "2023-06-04-page.html": "<html><head><title>Page</title></head><body><h1>Page</h1><p>One.</p></body></html>",
    "2023-06-05-marks.md": "{% include x %} and {{ y }} and ![](z.png)\n\n<script>no</script>\n",
    "2023-06-06-arabic.md": '---\ndate: "2023-06-06 10:00 +0300"\nimage: /i.png\nlang: ar\n---\nالسلام عليكم\n',
    "2023-06-07-draft.md": "---\ndraft: true\nid: pinned\naliases: [/old]\n---\nA draft.\n",
    "2024-01-01-coming.md": "In the future.\n",
    "no-date.md": "Nothing says when.\n",
    "deep/2023-06-08-index.md": "---\nauthor: Ada\nupdated: maybe\n---\nDeep.\n",
}


class Readings(Desk):
    """A publication, read with and without a cache; what was read from disk."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, FILES)
        (root / ".ketapress").mkdir(exist_ok=True)

    def cache(self, key: str = "a program") -> Cache:
        return Cache(self.root / ".ketapress" / "posts.db", key, self.stamp)

    def cached(self, using: Settings | None = None, key: str = "a program", now: datetime = NOW) -> Library:
        library = read_library(self.root, using or settings(), now, self.cache(key))
        self.cache(key).keep(library.learned)
        return library

    def read(self, using: Settings | None = None, now: datetime = NOW) -> Library:
        return read_library(self.root, using or settings(), now)


@pytest.fixture
def readings(tmp_path: Path) -> Readings:
    return Readings(tmp_path)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read."""
    found: list[str] = []

    def noted(where: Path, path: str) -> str:
        found.append(path)
        return text(where, path)

    monkeypatch.setattr("ketapress.posts.reader.text", noted)
    return found


def test_what_is_remembered_equals_what_is_read(readings: Readings) -> None:
    first = readings.cached()

    assert seen(readings.cached()) == seen(first) == seen(readings.read())
    assert repr(readings.cached().posts) == repr(readings.read().posts)
    assert len(first.posts) == len(FILES) - 1


def test_only_what_changed_and_what_is_no_post_is_read_again(readings: Readings, opened: list[str]) -> None:
    readings.cached()
    readings.write("2023-06-03-other.md", "Another text.")
    opened.clear()

    library = readings.cached()

    assert sorted(opened) == ["2023-06-03-other.md", "no-date.md"]
    assert seen(library) == seen(readings.read())


def test_a_post_is_shown_anew_where_a_page_that_it_links_to_moved(readings: Readings) -> None:
    readings.cached()
    readings.write("2023-06-03-other.md", "---\nslug: elsewhere\n---\nOther.\n")

    library = readings.cached()

    assert seen(library) == seen(readings.read())
    (linking,) = (post for post in library.posts if post.path == "2023-06-02-linking.md")
    assert "elsewhere" in linking.html


def test_with_other_settings_or_another_program_everything_is_read(
    readings: Readings, opened: list[str]
) -> None:
    readings.cached()
    opened.clear()

    assert seen(readings.cached(BERLIN, "another key")) == seen(readings.read(BERLIN))
    assert len(opened) == 2 * len(FILES)


def test_what_is_gone_is_forgotten(readings: Readings) -> None:
    readings.cached()
    readings.remove("2023-06-04-page.html")
    readings.cached()

    assert "2023-06-04-page.html" not in readings.cache().rows()
    assert len(readings.cache().rows()) == len(FILES) - 2


def test_reading_alone_writes_nothing(readings: Readings) -> None:
    read_library(readings.root, settings(), NOW, readings.cache())

    assert not (readings.root / ".ketapress" / "posts.db").exists()


def linked(file: Path) -> None:
    """A link to a database of somebody else."""
    other = file.with_name("theirs.db")
    file.rename(other)
    with sqlite3.connect(other) as database:
        database.execute("DROP TABLE files")
    database.close()
    file.symlink_to(other)


def made_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def with_row(sql: str) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        with sqlite3.connect(file) as database:
            database.execute(sql)
        database.close()

    return change


BROKEN: dict[str, Callable[[Path], object]] = {
    "empty": lambda file: file.write_bytes(b""),
    "text": lambda file: file.write_text("no database, but a long text instead of one" * 100),
    "cut off": lambda file: file.write_bytes(file.read_bytes()[:5000]),
    "zeros at its end": lambda file: file.write_bytes(file.read_bytes()[:-3000] + bytes(3000)),
    "a folder": made_a_folder,
    "a link": linked,
    "another table": with_row("ALTER TABLE files RENAME TO others"),
    "other columns": with_row("ALTER TABLE texts DROP COLUMN html"),
    "another body": with_row("UPDATE texts SET html = '<script>alert(1)</script>'"),
    "other types": with_row("UPDATE files SET post = 7, stamp = NULL"),
    "other texts": with_row("UPDATE texts SET about = 7, html = NULL"),
    "no sums": with_row("UPDATE files SET sum = 'none'"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_memory_is_none(readings: Readings, broken: str) -> None:
    readings.cached()
    file = readings.root / ".ketapress" / "posts.db"
    BROKEN[broken](file)

    assert seen(readings.cached()) == seen(readings.read())
    assert seen(readings.cached()) == seen(readings.read())
    assert len(readings.cache().rows()) == len(FILES) - 1 or broken == "a folder"
    if broken == "a link":
        theirs = sqlite3.connect(file.with_name("theirs.db"))
        assert theirs.execute("SELECT count(*) FROM sqlite_master WHERE name = 'files'").fetchone() == (0,)
        theirs.close()


@bounds(max_examples=40, deadline=None)
@given(position=st.integers(0, 40_000), byte=st.binary(min_size=1, max_size=40))
@example(position=4058, byte=b"\x80")  # in the name of a table
def test_a_memory_of_changed_bytes_never_changes_a_post(position: int, byte: bytes) -> None:
    with TemporaryDirectory() as place:
        readings = Readings(Path(place))
        readings.cached()
        file = readings.root / ".ketapress" / "posts.db"
        content = bytearray(file.read_bytes())
        start = position % len(content)
        content[start : start + len(byte)] = byte
        file.write_bytes(content)

        assert seen(readings.cached()) == seen(readings.read())


CONTENTS = st.sampled_from(
    [
        *FILES.values(),
        "",
        "---\ntitle: [\n---\n",
        "---\nid: pinned\n---\nX",
        "See [it](2023-06-01-plain.txt).",
    ]
)
CHANGES = st.tuples(st.sampled_from([*FILES, "2023-06-09-new.md"]), st.none() | CONTENTS)


@bounds(max_examples=40, deadline=None)
@given(st.lists(st.lists(CHANGES, max_size=3), min_size=1, max_size=4))
def test_after_any_changes_what_is_remembered_equals_what_is_read(
    walks: Sequence[Sequence[tuple[str, str | None]]],
) -> None:
    with TemporaryDirectory() as place:
        readings = Readings(Path(place))
        for days, walk in enumerate(walks):
            for name, content in walk:
                if content is None:
                    readings.remove(name)
                else:
                    readings.write(name, content)
            now = NOW + timedelta(days=days)
            library = readings.cached(now=now)
            assert seen(library) == seen(readings.read(now=now))
            if days == 0:
                keep_ids(readings.root, library)
                assert library.problems_again in {None, readings.read(now=now).problems}


def test_instants_keep_their_zones(readings: Readings) -> None:
    readings.write("2023-03-26-gap.md", '---\ndate: "2023-10-29 02:30"\n---\nTwice.\n')
    for using in (BERLIN, settings(site=SITE)):
        read = readings.cached(using, using.site.timezone)
        again = readings.cached(using, using.site.timezone)

        assert repr([post.date for post in again.posts]) == repr([post.date for post in read.posts])
        assert any(post.date.astimezone(UTC).year == 2024 for post in again.posts)


def test_a_folder_of_many_files_is_read_in_two_halves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    monkeypatch.setattr(processes, "_pays", lambda: True)
    monkeypatch.setattr(shelf, "_MANY", 100)
    many = {f"2023-05-01-{n:03}.md": f"See [the next](2023-05-01-{n + 1:03}.md).\n" for n in range(150)}
    publication(tmp_path, FILES | many)
    at_once = read_library(tmp_path, settings(), NOW)
    cache = Cache(tmp_path / "posts.db", "key", lambda place: place)
    opened.clear()

    halved = read_library(tmp_path, settings(), NOW, cache, processes.companion)

    assert seen(halved) == seen(at_once)
    assert 0 < len(opened) < len(FILES) + len(many)
    cache.keep(halved.learned)
    assert len(cache.rows()) == len(FILES) + len(many) - 1
    remembered = read_library(tmp_path, settings(), NOW, cache, processes.companion)
    assert seen(remembered) == seen(at_once)


@pytest.mark.parametrize("said", [0, 40, 75, 120])
def test_what_a_companion_leaves_is_read_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: int
) -> None:
    """It reads 75 of the files, and makes their bodies; it dies before it has said so many things."""
    monkeypatch.setattr(shelf, "_MANY", 100)
    many = {f"2023-05-01-{n:03}.md": f"See [the next](2023-05-01-{n + 1:03}.md).\n" for n in range(150)}
    publication(tmp_path, many)

    def dying(work: Callable[[Iterator[Any]], Iterator[Iterable[Any]]]) -> processes.Companion:
        def until_it_dies(questions: Iterator[Any]) -> Iterator[Iterable[Any]]:
            count = itertools.count()
            for results in work(questions):
                yield itertools.takewhile(lambda _: next(count) < said or os._exit(9), results)

        return processes.Companion(until_it_dies)

    assert seen(read_library(tmp_path, settings(), NOW, None, dying)) == seen(
        read_library(tmp_path, settings(), NOW)
    )


def test_what_is_said_once_is_known_not_to_be_said_again(tmp_path: Path) -> None:
    publication(tmp_path, {"a/2023-06-01-one.md": "First.", "b/2023-06-01-one.md": "Second."})

    library = built(tmp_path)

    assert [problem.code for problem in library.problems] == ["post.same-address"]
    assert library.problems_again == ()
    assert read_library(tmp_path, settings(), NOW).problems == ()
