"""What was read of `posts/` before, kept in `.ketapress/posts.db`: an edge, and only a memory.

In: rows, one for each file that became a post, with the stamp that the file had. Out: the same rows, as long as the file
has that stamp and the key (of program and settings) is the same. Whoever loses it reads all files again. It is a
database because one changed post must not cost a thousand rows. A row tells by a sum whether it is whole; a file that
is no such database is removed.
"""

import json
import sqlite3
from collections.abc import Callable, Collection, Mapping
from contextlib import closing, suppress
from datetime import datetime, timedelta, timezone
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

    def rows(self) -> dict[str, Row]:
        """All rows by the paths of their files in `posts/`; none where there are none, or they cannot be read."""
        if not self._file.is_file() or self._file.is_symlink():
            return {}
        try:
            with closing(self._opened()) as database:
                found = database.execute(_READ).fetchall()
        except (sqlite3.Error, UnicodeDecodeError):  # the latter where SQLite quotes what it cannot read
            return {}
        return {row.manuscript.path: row for each in found if (row := self._row(*each))}

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

    def _row(self, path: Any, stamp: Any, about: Any, html: Any, stated: Any) -> Row | None:
        """The row of these values; None where it is another program's or setting's, or not whole."""
        with suppress(TypeError, ValueError, KeyError, AttributeError):
            left = stamp.removeprefix(f"{self._key} ")
            if left != stamp and stated == _sum(path, stamp, about, html):
                return _row(left, html, *json.loads(about))
        return None


def _about(row: Row) -> list[Any]:
    manuscript = [_plain(getattr(row.manuscript, name)) for name in _OF_MANUSCRIPT]
    said = [_plain(getattr(row.manuscript.fields, name)) for name in _OF_FIELDS]
    body = [_plain(getattr(row.body, name)) for name in _OF_BODY]
    warnings = [[_problem_values(each) for each in found] for found in (row.warnings, row.body.problems)]
    return [manuscript, said, body, *warnings]


def _row(
    stamp: str, html: str, manuscript: list[Any], said: list[Any], body: list[Any], *warnings: list[list[Any]]
) -> Row:
    about = Fields(**dict(zip(_OF_FIELDS, _values(said), strict=True)))
    written = dict(zip(_OF_MANUSCRIPT, _values(manuscript), strict=True))
    seen = dict(zip(_OF_BODY, _values(body), strict=True))
    of_file, of_body = (tuple(map(_problem, found)) for found in warnings)
    return Row(
        stamp,
        Manuscript(**written, fields=about, html="", marks=()),
        of_file,
        Body(**seen, html=html, problems=of_body),
    )


def _names(cls: Any, *without: str) -> tuple[str, ...]:
    return tuple(name for name in cls._fields if name not in without)


_OF_MANUSCRIPT = _names(Manuscript, "html", "marks", "fields")
_OF_FIELDS = _names(Fields)
_CHANGED = frozenset({list, dict})  # what JSON has in the place of tuples and instants
_OF_BODY = _names(Body, "html", "problems")


def _plain(value: Any) -> Any:
    """A value as JSON has it; an instant as an object, because its zone is a part of it."""
    if isinstance(value, datetime):
        zone = value.tzinfo
        where = zone.key if isinstance(zone, ZoneInfo) else (value.utcoffset() or timedelta()).total_seconds()
        return {"at": value.replace(tzinfo=None).isoformat(), "fold": value.fold, "zone": where}
    return value


def _values(plain: list[Any]) -> list[Any]:
    return [_value(each) if type(each) in _CHANGED else each for each in plain]


def _value(plain: Any) -> Any:
    if isinstance(plain, list):
        return tuple(_values(plain))
    if isinstance(plain, dict):
        where = plain["zone"]
        zone = ZoneInfo(where) if isinstance(where, str) else timezone(timedelta(seconds=where))
        return datetime.fromisoformat(plain["at"]).replace(tzinfo=zone, fold=plain["fold"])
    return plain


def _problem_values(problem: Problem) -> list[Any]:
    return [problem.code, problem.message, problem.cure, str(problem.severity), problem.path, problem.line]


def _problem(values: list[Any]) -> Problem:
    code, message, cure, severity, path, line = values
    return Problem(code=code, message=message, cure=cure, severity=Severity(severity), path=path, line=line)


def _bytes(path: str) -> bytes:
    return path.encode(errors="surrogateescape")


def _sum(path: bytes, *texts: str) -> int:
    return crc32("\0".join(texts).encode(), crc32(path))
