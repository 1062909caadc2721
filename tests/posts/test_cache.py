"""A reading with the cache returns what one without it returns; a cache that is lost costs time and nothing else."""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings as bounds, strategies as st

from ketapress.model.settings import Settings
from ketapress.posts import reader
from ketapress.posts.cache.post_cache import PostCache
from ketapress.posts.library import Library
from ketapress.posts.loader import load_posts
from ketapress.posts.source.files import read_text
from ketapress.system import parallel
from ketapress.system.build_cache import BuildCache
from support.factories import NOW, SITE, settings
from support.posts_folder import (
    BERLIN,
    FolderWithStamps,
    load_and_save_ids,
    save_ids,
    without_cache_state,
    write_publication,
)

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


POSTS = [path for path in FILES if path != "no-date.md"]


class CachedFolder(FolderWithStamps):
    """A publication, read with and without a cache."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, FILES)
        (root / ".ketapress").mkdir(exist_ok=True)

    def cache(self, program: str = "a program") -> PostCache:
        return PostCache(BuildCache(self.root / ".ketapress" / "build.db"), program, self.stamp)

    def cached_paths(self) -> list[str]:
        stamps = {path: self.stamp(f"{self.root / 'posts'}/{path}") for path in FILES}
        return sorted(self.cache().files(stamps))

    def cached(
        self, using: Settings | None = None, program: str = "a program", now: datetime = NOW
    ) -> Library:
        library = load_posts(self.root, using or settings(), now, self.cache(program))
        save(self.cache(program), library)
        return library

    def read(self, using: Settings | None = None, now: datetime = NOW) -> Library:
        return load_posts(self.root, using or settings(), now)


def save(cache: PostCache, library: Library) -> None:
    cache.save(library.new_entries, frozenset(post.path for post in library.posts), NOW.timestamp())


@pytest.fixture
def folder(tmp_path: Path) -> CachedFolder:
    return CachedFolder(tmp_path)


@pytest.fixture
def read_paths(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read."""
    found: list[str] = []

    def noted(where: Path, path: str) -> str:
        found.append(path)
        return read_text(where, path)

    monkeypatch.setattr("ketapress.posts.reader.read_text", noted)
    return found


def test_what_is_remembered_equals_what_is_read(folder: CachedFolder) -> None:
    first = folder.cached()

    assert (
        without_cache_state(folder.cached())
        == without_cache_state(first)
        == without_cache_state(folder.read())
    )
    assert repr(folder.cached().posts) == repr(folder.read().posts)
    assert len(first.posts) == len(FILES) - 1


def test_only_what_changed_and_what_is_no_post_is_read_again(
    folder: CachedFolder, read_paths: list[str]
) -> None:
    folder.cached()
    folder.write("2023-06-03-other.md", "Another text.")
    read_paths.clear()

    library = folder.cached()

    assert sorted(read_paths) == ["2023-06-03-other.md", "no-date.md"]
    assert without_cache_state(library) == without_cache_state(folder.read())


def test_a_post_is_shown_anew_where_a_page_that_it_links_to_moved(folder: CachedFolder) -> None:
    folder.cached()
    folder.write("2023-06-03-other.md", "---\nslug: elsewhere\n---\nOther.\n")

    library = folder.cached()

    assert without_cache_state(library) == without_cache_state(folder.read())
    (linking,) = (post for post in library.posts if post.path == "2023-06-02-linking.md")
    assert "elsewhere" in linking.html


def test_with_other_settings_or_another_program_everything_is_read(
    folder: CachedFolder, read_paths: list[str]
) -> None:
    folder.cached()
    read_paths.clear()

    assert without_cache_state(folder.cached(BERLIN, "another key")) == without_cache_state(
        folder.read(BERLIN)
    )
    assert len(read_paths) == 2 * len(FILES)


def test_an_entry_is_removed_when_others_are_saved_and_its_file_is_gone(folder: CachedFolder) -> None:
    folder.cached()
    assert folder.cached_paths() == sorted(POSTS)
    folder.remove("2023-06-04-page.html")
    folder.write("2023-06-03-other.md", "Other words.")
    folder.cached()

    with sqlite3.connect(folder.root / ".ketapress" / "build.db") as database:
        for kind in ("post", "body"):
            paths = {path.decode() for (path,) in database.execute(f"SELECT name FROM {kind}")}
            assert paths == set(POSTS) - {"2023-06-04-page.html"}
    database.close()


def test_a_file_that_changed_just_before_it_was_read_is_not_stored(folder: CachedFolder) -> None:
    library = load_posts(folder.root, settings(), NOW, folder.cache())
    paths = frozenset(post.path for post in library.posts)

    folder.cache().save(library.new_entries, paths, 0.01)

    assert folder.cached_paths() == []


def test_reading_alone_writes_nothing(folder: CachedFolder) -> None:
    load_posts(folder.root, settings(), NOW, folder.cache())

    assert not (folder.root / ".ketapress" / "build.db").exists()


def replace_by_link(file: Path) -> None:
    """A link to a database of somebody else."""
    other = file.with_name("theirs.db")
    file.rename(other)
    with sqlite3.connect(other) as database:
        database.execute("DROP TABLE post")
    database.close()
    file.symlink_to(other)


def replace_by_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def run_sql(sql: str) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        with sqlite3.connect(file) as database:
            database.execute(sql)
        database.close()

    return change


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda file: file.write_bytes(b""),
    "text": lambda file: file.write_text("no database, but a long text instead of one" * 100),
    "cut off": lambda file: file.write_bytes(file.read_bytes()[:70_000]),
    "a folder": replace_by_folder,
    "a link": replace_by_link,
    "another table": run_sql("ALTER TABLE body RENAME TO others"),
    "another body": run_sql("UPDATE body SET value = '<script>alert(1)</script>'"),
    "bodies gone": run_sql("DELETE FROM body"),
    "posts gone": run_sql("DELETE FROM post"),
    "other types": run_sql("UPDATE post SET key = 7, value = NULL"),
    "no sums": run_sql("UPDATE post SET sum = 'none'"),
}


@pytest.mark.parametrize("broken", DAMAGE)
def test_a_broken_memory_is_none(folder: CachedFolder, broken: str) -> None:
    folder.cached()
    file = folder.root / ".ketapress" / "build.db"
    DAMAGE[broken](file)

    assert without_cache_state(folder.cached()) == without_cache_state(folder.read())
    assert without_cache_state(folder.cached()) == without_cache_state(folder.read())
    assert folder.cached_paths() == ([] if broken == "a folder" else sorted(POSTS))
    if broken == "a link":
        theirs = sqlite3.connect(file.with_name("theirs.db"))
        assert theirs.execute("SELECT count(*) FROM sqlite_master WHERE name = 'post'").fetchone() == (0,)
        theirs.close()


@bounds(max_examples=40, deadline=None)
@given(position=st.integers(0, 400_000), byte=st.binary(min_size=1, max_size=40))
def test_a_memory_of_changed_bytes_never_changes_a_post(position: int, byte: bytes) -> None:
    with TemporaryDirectory() as place:
        folder = CachedFolder(Path(place))
        folder.cached()
        file = folder.root / ".ketapress" / "build.db"
        content = bytearray(file.read_bytes())
        start = position % len(content)
        content[start : start + len(byte)] = byte
        file.write_bytes(content)

        assert without_cache_state(folder.cached()) == without_cache_state(folder.read())


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
        folder = CachedFolder(Path(place))
        for days, walk in enumerate(walks):
            for name, content in walk:
                if content is None:
                    folder.remove(name)
                else:
                    folder.write(name, content)
            now = NOW + timedelta(days=days)
            library = folder.cached(now=now)
            assert without_cache_state(library) == without_cache_state(folder.read(now=now))
            if days == 0:
                save_ids(folder.root, library)
                assert library.problems_again in {None, folder.read(now=now).problems}


def test_instants_keep_their_zones(folder: CachedFolder) -> None:
    folder.write("2023-03-26-gap.md", '---\ndate: "2023-10-29 02:30"\n---\nTwice.\n')
    for using in (BERLIN, settings(site=SITE)):
        read = folder.cached(using, using.site.timezone)
        again = folder.cached(using, using.site.timezone)

        assert repr([post.date for post in again.posts]) == repr([post.date for post in read.posts])
        assert any(post.date.astimezone(UTC).year == 2024 for post in again.posts)


def test_many_files_are_read_in_several_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_paths: list[str]
) -> None:
    monkeypatch.setattr(parallel, "_process_count", lambda: 2)
    monkeypatch.setattr(reader, "_MIN_PARALLEL_FILES", 100)
    many = {f"2023-05-01-{n:03}.md": f"See [the next](2023-05-01-{n + 1:03}.md).\n" for n in range(150)}
    write_publication(tmp_path, FILES | many)
    cache = PostCache(BuildCache(tmp_path / "build.db"), "program", lambda path: "0 0 0")

    library = load_posts(tmp_path, settings(), NOW, cache)

    assert 0 < len(read_paths) < len(FILES) + len(many)
    monkeypatch.setattr(parallel, "_process_count", lambda: 1)
    assert without_cache_state(library) == without_cache_state(load_posts(tmp_path, settings(), NOW))
    save(cache, library)
    read_paths.clear()
    assert without_cache_state(load_posts(tmp_path, settings(), NOW, cache)) == without_cache_state(library)
    assert read_paths == ["no-date.md"]


def test_what_is_said_once_is_known_not_to_be_said_again(tmp_path: Path) -> None:
    write_publication(tmp_path, {"a/2023-06-01-one.md": "First.", "b/2023-06-01-one.md": "Second."})

    library = load_and_save_ids(tmp_path)

    assert [problem.code for problem in library.problems] == ["post.same-address"]
    assert library.problems_again == ()
    assert load_posts(tmp_path, settings(), NOW).problems == ()
