"""What was read of `posts/` before, kept in `.ketapress/posts.db`: an edge, and only a memory.

In: rows, one for each file that became a post, with the stamp that the file had; a census of the folder. Out: the same, as
long as the file has that stamp and the key (of program and settings) is the same. Whoever loses it reads all files
again. It is a database because one changed post must not cost a thousand rows. A row tells by sums whether it is
whole; a file that is no such database is removed.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple, Self
from weakref import finalize
from zlib import crc32

from ketapress.model.errors import Problem
from ketapress.model.post import FiledPost
from ketapress.posts.cache.codec import (
    Kept,
    Row,
    about,
    decoded,
    kept,
    post_text,
    problem_values,
    problems_of,
    row,
)

_SETTINGS = (
    "PRAGMA page_size = 65536",  # of a new file: a body in one page is read in half the time that it takes from several
    "PRAGMA synchronous = OFF",  # the sums tell what a power cut left
)
_SCHEMA = (
    "DROP TABLE IF EXISTS posts",  # as an earlier version had it
    "CREATE TABLE IF NOT EXISTS files (path BLOB PRIMARY KEY, key TEXT, stamp TEXT, line TEXT, post TEXT, sum INTEGER)",
    # Most readings need the others alone, which are a tenth of all.
    "CREATE TABLE IF NOT EXISTS texts (path BLOB PRIMARY KEY, about TEXT, about_sum INTEGER, html TEXT, html_sum INTEGER)",
    "CREATE TABLE IF NOT EXISTS folder (id INTEGER PRIMARY KEY CHECK (id = 1), key TEXT, census TEXT, sum INTEGER)",
)
_STAMPS = "SELECT path, stamp FROM files WHERE key = ?"
_POSTS = "SELECT path, stamp, line, post, sum FROM files WHERE key = ?"
_ROWS = """
    SELECT path, stamp, line, about, about_sum, html, html_sum FROM files JOIN texts USING (path) WHERE key = ?
"""
_HTML = "SELECT stamp, html, html_sum FROM files JOIN texts USING (path) WHERE key = ? AND path = ?"
_KEEP = "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)"
_KEEP_TEXTS = "INSERT OR REPLACE INTO texts VALUES (?, ?, ?, ?, ?)"
_FORGET = ("DELETE FROM files WHERE path = ?", "DELETE FROM texts WHERE path = ?")
_CENSUS = "SELECT census, sum FROM folder WHERE key = ?"
_COUNT = "INSERT OR REPLACE INTO folder VALUES (1, ?, ?, ?)"


class Census(NamedTuple):
    """The folder as a whole, when all of it was read and nobody had to be asked about a post.

    From `began` to `until` (seconds since 1970) the same posts can be seen. `ids` is the digest of the file of ids,
    `beside` that of the paths of files that are no writing; `unread` are files that could not be posts, with their stamps;
    `listed` is what was wrong with the listing, `problems` all that does not belong to a post, `remarks` are those of pinning.
    """

    began: float
    until: float
    ids: str
    beside: str
    unread: Mapping[str, str]
    listed: tuple[Problem, ...]
    problems: tuple[Problem, ...]
    remarks: tuple[Problem, ...]


_FIGURES = Census._fields.index("listed")


class Learned(NamedTuple):
    """What a cache may keep beside what it has: rows of files that were read, paths of those that are gone, the census.

    `news` says that the census is another one than the cache has.
    """

    rows: Mapping[str, Row] = {}
    gone: frozenset[str] = frozenset()
    census: Census | None = None
    news: bool = False

    def __bool__(self) -> bool:
        """Whether there is anything to keep."""
        return bool(self.rows or self.gone or self.news)

    def settled(self, is_fresh: Callable[[str], bool]) -> Self:
        """Without what could change once more under the stamp that it has."""
        rows = {path: each for path, each in self.rows.items() if not is_fresh(each.stamp)}
        census = None if self.census and any(map(is_fresh, self.census.unread.values())) else self.census
        return self._replace(rows=rows, census=census)


class Cache:
    """The rows of one publication; `stamp` says of a path in the file system whether it is as it was."""

    def __init__(self, file: Path, key: str, stamp: Callable[[str], str]) -> None:
        self.stamp = stamp
        self._file = file
        self._key = key
        self._readers: dict[int, sqlite3.Connection] = {}

    def knowing(self, folder: Path, stamps: Mapping[str, str]) -> "Cache":
        """The same, which asks nobody for `stamps` that are known already, by paths that begin with the name of `folder`.

        They have to be from before the files are read.
        """
        within, ask = len(str(folder)) - len(folder.name), self.stamp
        return Cache(self._file, self._key, lambda place: stamps.get(place[within:]) or ask(place))

    def census(self) -> Census | None:
        """What is known of the folder as a whole, if anything."""
        for text, stated in self._found(_CENSUS):
            if _is_sum(stated, self._sum, b"", text):
                return _census(text)
        return None

    def stamps(self) -> dict[str, str]:
        """The stamps of the files that there are rows of, by their paths in `posts/`."""
        found = self._found(_STAMPS)
        return {path.decode(errors="surrogateescape"): stamp for path, stamp in found if type(path) is bytes}

    def rows(self) -> dict[str, Row]:
        """All rows by the paths of their files in `posts/`; none where there are none, or they cannot be read."""
        return {path: each for path, stored in self._whole_rows(_ROWS) if (each := row(*stored))}

    def row(self, path: str) -> Row | None:
        """The row of one file, whatever its stamp."""
        found = (row(*stored) for _, stored in self._whole_rows(f"{_ROWS} AND path = ?", _bytes(path)))
        return next(found, None)

    def posts(self, fetch: Callable[[FiledPost], str]) -> dict[str, Kept]:
        """The posts of all rows by their paths, of what cannot be read none; `fetch` is to bring their HTML."""
        found = ((path, kept(*stored, fetch)) for path, stored in self._whole(self._found(_POSTS)))
        return {path: each for path, each in found if each}

    def html(self, path: str) -> str | None:
        """The HTML of one row, if it is whole."""
        place = _bytes(path)
        for stamp, html, stated in self._found(_HTML, place):
            if _is_sum(stated, self._sum, place, stamp, html):
                return str(html)
        return None

    def keep(self, learned: Learned) -> None:
        """Writes what was learned, and takes out the rows of files that are gone."""
        if self._file.parent.is_symlink():
            return
        if self._file.is_symlink():
            self._file.unlink()
        try:
            self._write(learned)
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if (
                not isinstance(error, sqlite3.OperationalError)
                or error.sqlite_errorcode == sqlite3.SQLITE_ERROR
            ):
                self._file.unlink(missing_ok=True)
            # otherwise another process is busy with it, or the disk is full

    def _found(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            database = self._reading()
            return database.execute(query, (self._key, *values)).fetchall() if database else []
        except (sqlite3.Error, UnicodeDecodeError):  # the latter where SQLite quotes what it cannot read
            return []

    def _reading(self) -> sqlite3.Connection | None:
        """A connection that stays open: a copy of this process opens one of its own (sqlite.org/howtocorrupt.html, 2.6)."""
        process = os.getpid()
        if process not in self._readers and self._file.is_file() and not self._file.is_symlink():
            self._readers[process] = opened = self._opened()
            finalize(self, _close, process, opened)
        return self._readers.get(process)

    def _whole_rows(self, query: str, *values: object) -> Iterator[tuple[str, tuple[str, str, Any, str]]]:
        """The path, and stamp, line, values, HTML of each row that is whole."""
        found = self._found(query, *values)
        bodies = {
            path: html
            for path, stamp, *_, html, stated in found
            if _is_sum(stated, self._sum, path, stamp, html)
        }
        for path, stored in self._whole([each[:5] for each in found if each[0] in bodies]):
            yield path, (*stored, bodies[_bytes(path)])

    def _whole(self, found: Sequence[tuple[Any, ...]]) -> Iterator[tuple[str, tuple[str, str, Any]]]:
        """The path, and stamp, line, values of each row whose text is whole."""
        whole = [(*each, text) for *each, text, stated in found if _is_sum(stated, self._sum, *each, text)]
        for (path, stamp, line, _), values in zip(whole, decoded([each[-1] for each in whole]), strict=True):
            yield path.decode(errors="surrogateescape"), (stamp, line, values)

    def _sum(self, path: bytes, *texts: str) -> int:
        return crc32("\0".join((self._key, *texts)).encode(), crc32(path))

    def _write(self, learned: Learned) -> None:
        with closing(self._opened()) as database:
            for statement in _SETTINGS:
                database.execute(statement)
            database.execute("BEGIN IMMEDIATE")
            for statement in _SCHEMA:
                database.execute(statement)
            database.executemany(_KEEP, (self._values(*each) for each in learned.rows.items()))
            database.executemany(_KEEP_TEXTS, (self._texts(*each) for each in learned.rows.items()))
            for statement in _FORGET:
                database.executemany(statement, [(_bytes(path),) for path in learned.gone])
            database.execute("DELETE FROM folder")
            if learned.census:
                text = _census_text(learned.census)
                database.execute(_COUNT, (self._key, text, self._sum(b"", text)))
            database.execute("COMMIT")

    def _opened(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._file, timeout=0, isolation_level=None, check_same_thread=False)
        database.execute("PRAGMA trusted_schema = OFF")  # the file comes with a folder
        return database

    def _values(self, path: str, each: Row) -> tuple[Any, ...]:
        values = (_bytes(path), each.stamp, each.line, post_text(each))
        return (values[0], self._key, *values[1:], self._sum(*values))

    def _texts(self, path: str, each: Row) -> tuple[Any, ...]:
        place, said, html = _bytes(path), about(each), each.body.html
        said_sum = self._sum(place, each.stamp, each.line, said)
        return (place, said, said_sum, html, self._sum(place, each.stamp, html))


def _census_text(census: Census) -> str:
    problems = map(problem_values, (census.listed, census.problems, census.remarks))
    return json.dumps([*census[:_FIGURES], *problems])


def _census(text: str) -> Census | None:
    with suppress(TypeError, ValueError):
        values = json.loads(text)
        return Census(*values[:_FIGURES], *map(problems_of, values[_FIGURES:]))
    return None


def _bytes(path: str) -> bytes:
    return path.encode(errors="surrogateescape")


def _close(process: int, database: sqlite3.Connection) -> None:
    """Closes what this process opened."""
    if process == os.getpid():
        database.close()


def _is_sum(stated: Any, reckoned: Callable[..., int], *values: Any) -> bool:
    """Whether that is the sum of these values, which may be of any type."""
    try:
        return bool(stated == reckoned(*values))
    except (TypeError, ValueError, AttributeError):
        return False
