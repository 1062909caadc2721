"""What was read of `posts/` before, kept in `.ketapress/posts.db`: an edge, and only a memory.

In: rows, one for each file that became a post, with the stamp that the file had. Out: the same rows, as long as the file
has that stamp and the key (of program and settings) is the same. Whoever loses it reads all files again. It is a
database because one changed post must not cost a thousand rows. A row tells by a sum whether it is whole; a file that
is no such database is removed.
"""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, suppress
from datetime import datetime, timedelta, timezone, tzinfo
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32
from zoneinfo import ZoneInfo

from ketapress.model.errors import Problem, Severity
from ketapress.posts.fields import Fields
from ketapress.posts.manuscript import Manuscript
from ketapress.posts.rendering import Body

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS posts (path BLOB PRIMARY KEY, stamp TEXT, about TEXT, html TEXT, sum INTEGER)"
)
_READ = "SELECT path, stamp, about, html, sum FROM posts"
_KEEP = "INSERT OR REPLACE INTO posts VALUES (?, ?, ?, ?, ?)"
_FORGET = "DELETE FROM posts WHERE path = ?"


class Row(NamedTuple):
    """One file: its stamp, its manuscript without a body, the warnings about it, and the body that readers see."""

    stamp: str
    manuscript: Manuscript
    warnings: tuple[Problem, ...]
    body: Body


class Cache:
    """The rows of one publication; `stamp` says of a path in the file system whether it is as it was."""

    def __init__(self, file: Path, key: str, stamp: Callable[[str], str]) -> None:
        self.stamp = stamp
        self._file = file
        self._key = key

    def knowing(self, root: str, stamps: Mapping[str, str]) -> "Cache":
        """The same, which asks nobody for `stamps` that are known already, by paths under `root`.

        They have to be from before the files are read.
        """
        known, ask = {f"{root}/{path}": stamp for path, stamp in stamps.items()}, self.stamp
        return Cache(self._file, self._key, lambda place: known.get(place) or ask(place))

    def rows(self) -> dict[str, Row]:
        """All rows by the paths of their files in `posts/`; none where there are none, or they cannot be read."""
        if not self._file.is_file() or self._file.is_symlink():
            return {}
        try:
            with closing(self._opened()) as database:
                found = database.execute(_READ).fetchall()
        except (sqlite3.Error, UnicodeDecodeError):  # the latter where SQLite quotes what it cannot read
            return {}
        whole = [values for each in found if (values := self._own(*each))]
        rows = map(_row, whole, _decoded([about for _, about, _ in whole]))
        return {row.manuscript.path: row for row in rows if row}

    def keep(self, rows: Mapping[str, Row], gone: Collection[str]) -> None:
        """Writes these rows, and takes out those of files that are gone."""
        if self._file.is_symlink():
            self._file.unlink()
        try:
            self._write([self._values(path, row) for path, row in rows.items()], gone)
        except sqlite3.OperationalError:  # another process is busy with it, or the disk is full
            pass
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            self._file.unlink(missing_ok=True)

    def _write(self, values: list[tuple[Any, ...]], gone: Collection[str]) -> None:
        with closing(self._opened()) as database:
            database.execute("PRAGMA synchronous = OFF")  # the sums tell what a power cut left
            database.execute("BEGIN IMMEDIATE")
            database.execute(_SCHEMA)
            database.executemany(_KEEP, values)
            database.executemany(_FORGET, [(_bytes(path),) for path in gone])
            database.execute("COMMIT")

    def _opened(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._file, timeout=0, isolation_level=None)
        database.execute("PRAGMA trusted_schema = OFF")  # the file comes with a folder
        return database

    def _values(self, path: str, row: Row) -> tuple[Any, ...]:
        values = (_bytes(path), f"{self._key} {row.stamp}", json.dumps(_about(row)), row.body.html)
        return (*values, _sum(*values))

    def _own(self, path: Any, stamp: Any, about: Any, html: Any, stated: Any) -> tuple[str, str, str] | None:
        """Stamp, values and body of a row that this program wrote under these settings; None of any other."""
        with suppress(TypeError, ValueError, AttributeError):
            left = stamp.removeprefix(f"{self._key} ")
            if left != stamp and stated == _sum(path, stamp, about, html):
                return left, about, html
        return None


def _about(row: Row) -> list[Any]:
    """What JSON has of a row: its manuscript with the fields apart, its body, and the warnings about both."""
    manuscript, body = list(map(_plain, row.manuscript)), list(row.body)
    manuscript[_FIELDS] = manuscript[_MARKS] = body[_HTML] = body[_PROBLEMS] = None
    said = list(map(_plain, row.manuscript.fields))
    warnings = ([_problem_values(each) for each in found] for found in (row.warnings, row.body.problems))
    return [manuscript, said, body, *warnings]


def _decoded(abouts: list[str]) -> Iterator[Any]:
    """The values of each text of JSON: all at once, which takes half the time, unless one of them is broken."""
    with suppress(ValueError):
        found = json.loads(f"[{','.join(abouts)}]")
        if len(found) == len(abouts):
            return iter(found)
    return map(_decoded_alone, abouts)


def _decoded_alone(about: str) -> Any:
    try:
        return json.loads(about)
    except ValueError:
        return None


def _row(stored: tuple[str, str, str], about: Any) -> Row | None:
    """The row of what was stored; None where that has another shape."""
    try:
        manuscript, said, body, of_file, of_body = about
        for place in _MOMENTS:
            manuscript[place] = manuscript[place] and _moment(manuscript[place])
        for place in _LISTS:
            said[place] = tuple(said[place])
        manuscript[_FIELDS], manuscript[_MARKS] = Fields(*said), ()
        body[_ASKED], body[_FILES] = tuple(map(tuple, body[_ASKED])), tuple(body[_FILES])
        body[_HTML], body[_PROBLEMS] = stored[2], tuple(map(_problem, of_body))
        return Row(stored[0], Manuscript(*manuscript), tuple(map(_problem, of_file)), Body(*body))
    except (TypeError, ValueError, KeyError, AttributeError, IndexError):
        return None


_FIELDS, _MARKS = map(Manuscript._fields.index, ("fields", "marks"))
_MOMENTS = tuple(map(Manuscript._fields.index, ("date", "expires")))
_LISTS = tuple(map(Fields._fields.index, ("tags", "authors", "aliases")))
_HTML, _PROBLEMS, _ASKED, _FILES = map(Body._fields.index, ("html", "problems", "asked", "files"))


def _plain(value: Any) -> Any:
    """A value as JSON has it; an instant as an object, because its zone is a part of it."""
    if isinstance(value, datetime):
        zone = value.tzinfo
        where = zone.key if isinstance(zone, ZoneInfo) else (value.utcoffset() or timedelta()).total_seconds()
        return {"at": value.replace(tzinfo=None).isoformat(), "fold": value.fold, "zone": where}
    return value


def _moment(plain: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(plain["at"]).replace(tzinfo=_zone(plain["zone"]), fold=plain["fold"])


@cache
def _zone(where: str | float) -> tzinfo:
    return ZoneInfo(where) if isinstance(where, str) else timezone(timedelta(seconds=where))


def _problem_values(problem: Problem) -> list[Any]:
    return [problem.code, problem.message, problem.cure, str(problem.severity), problem.path, problem.line]


def _problem(values: list[Any]) -> Problem:
    code, message, cure, severity, path, line = values
    return Problem(code=code, message=message, cure=cure, severity=Severity(severity), path=path, line=line)


def _bytes(path: str) -> bytes:
    return path.encode(errors="surrogateescape")


def _sum(path: bytes, *texts: str) -> int:
    return crc32("\0".join(texts).encode(), crc32(path))
