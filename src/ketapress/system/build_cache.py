"""The build cache: results of one build that the next build can use, in the SQLite file `.ketapress/build.db`.

One rule: an entry is valid while the fingerprint of its inputs is the same; whatever is in doubt is made again. An entry
has a kind (`post`), a name within that kind (a path), a key (the fingerprint) and a value (bytes).

The publication folder, and this file with it, may come from anybody. So a value is never executed or unpickled, a
symbolic link is never followed, and a file with another schema counts as empty. The cache never fails a build: a file
that is missing, damaged or locked costs the time of making its entries again, and nothing else.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Protocol, TypeVar
from zlib import crc32

T = TypeVar("T")

FILE = ".ketapress/build.db"
"""Where the cache of a publication is, under its folder."""
_TIMEOUT = 1.0  # seconds to wait for another process that reads or writes the file
_NOT_DAMAGED = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_CANTOPEN,
}
"""Errors after which the file may be in order: another process uses it, or the disk is full or read-only."""
_CREATE = 'CREATE TABLE "{kind}" (name BLOB PRIMARY KEY, key BLOB, value BLOB, sum INTEGER)'
"""A table for each kind, so that small values are not read between large ones. SQLite stores the statement as it is here."""
_SELECT = 'SELECT name, key, value, sum FROM "{kind}"'
_SELECT_NAMES = 'SELECT name FROM "{kind}"'
_INSERT = 'INSERT OR REPLACE INTO "{kind}" VALUES (?, ?, ?, ?)'
_DELETE = 'DELETE FROM "{kind}" WHERE name = ?'
_PAGE_SIZE = 65536  # bytes; a value of a few KB in one page is read in half the time that several pages take


class Codec(Protocol[T]):
    """How a value becomes bytes and back."""

    def dump(self, value: T) -> bytes:
        """Return the bytes of a value."""
        ...

    def load(self, stored: bytes) -> T | None:
        """Return the value of stored bytes; None where they are not what `dump` writes."""
        ...


class BuildCache:
    """The entries of one publication. `put` and `keep_only` take effect on disk when `save` is called.

    A connection is opened for each call and closed at its end, so any number of threads and processes may share a file.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._changes: dict[str, dict[str, tuple[str, bytes]]] = {}
        self._names: dict[str, frozenset[str]] = {}

    def get(self, kind: str, name: str, key: str) -> bytes | None:
        """Return the value of an entry; None where there is none with this key.

        To read many entries of a kind, `get_many` is faster.
        """
        if entry := self._changes.get(kind, {}).get(name):
            return entry[1] if entry[0] == key else None
        query = f"{_sql(_SELECT, kind)} WHERE name = ?"
        return dict(self._read(query, {name: key}, (_encode(name),))).get(name)

    def get_many(self, kind: str, keys: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
        """Yield the names and values of the stored entries that have these keys, by name, in no particular order."""
        yield from self._read(_sql(_SELECT, kind), keys, ())

    def names(self, kind: str) -> frozenset[str]:
        """Return the names of all stored entries of a kind, whatever their keys."""
        if not _is_regular_file(self._file):
            return frozenset()
        with suppress(sqlite3.Error, UnicodeDecodeError), closing(self._open()) as database:
            rows = database.execute(_sql(_SELECT_NAMES, kind))
            return frozenset(
                name.decode(errors="surrogatepass") for (name,) in rows if isinstance(name, bytes)
            )
        return frozenset()

    def put(self, kind: str, name: str, key: str, value: bytes) -> None:
        """Add an entry, in place of one that has the same kind and name."""
        _check_kind(kind)
        self._changes.setdefault(kind, {})[name] = (key, value)

    def keep_only(self, kind: str, names: Collection[str]) -> None:
        """Remove all entries of a kind but those with these names."""
        _check_kind(kind)
        self._names[kind] = frozenset(names)

    def save(self) -> None:
        """Write the changes to the file, all or none. Where that is impossible, the file stays as it is or is removed."""
        changes, self._changes = self._changes, {}
        names, self._names = self._names, {}
        if not (changes or names):
            return
        with suppress(OSError):
            if not _is_regular_file(self._file):
                self._file.unlink(missing_ok=True)
            try:
                self._write(changes, names)
            except (sqlite3.Error, UnicodeDecodeError) as error:
                # An extended code has the primary one in its lowest byte.
                if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _NOT_DAMAGED:
                    self._file.unlink(missing_ok=True)

    def _read(
        self, query: str, keys: Mapping[str, str], values: tuple[bytes, ...]
    ) -> Iterator[tuple[str, bytes]]:
        """Yield the whole entries that the query finds and that have these keys."""
        if not _is_regular_file(self._file):
            return
        names = {_encode(name): name for name in keys}
        # UnicodeDecodeError: SQLite quotes damaged text in an error message.
        with suppress(sqlite3.Error, UnicodeDecodeError), closing(self._open()) as database:
            for stored_name, key, value, checksum in database.execute(query, values):
                name = names.get(stored_name)
                if name is None or key != _encode(keys[name]) or not isinstance(value, bytes):
                    continue
                if checksum == _checksum(stored_name, key, value):
                    yield name, value

    def _write(
        self,
        changes: Mapping[str, Mapping[str, tuple[str, bytes]]],
        names: Mapping[str, Collection[str]],
    ) -> None:
        with closing(self._open()) as database:
            database.execute(f"PRAGMA page_size = {_PAGE_SIZE}")  # of a new file
            database.execute(
                "PRAGMA synchronous = OFF"
            )  # after a power cut, checksums tell which entries are whole
            database.execute("BEGIN IMMEDIATE")
            for kind in (*changes, *names):
                database.execute(_sql(_CREATE, kind).replace("TABLE", "TABLE IF NOT EXISTS", 1))
            for kind, current_names in names.items():
                _delete_others(database, kind, current_names)
            for kind, entries in changes.items():
                database.executemany(_sql(_INSERT, kind), _rows(entries))
            database.execute("COMMIT")

    def _open(self) -> sqlite3.Connection:
        """Open the file. Raises `sqlite3.DatabaseError` where its schema is not that of a build cache."""
        database = sqlite3.connect(self._file, timeout=_TIMEOUT, isolation_level=None)
        try:
            database.execute("PRAGMA trusted_schema = OFF")
            _check_schema(database)
        except BaseException:
            database.close()
            raise
        return database


def cached(cache: BuildCache, kind: str, name: str, key: str, make: Callable[[], T], codec: Codec[T]) -> T:
    """Return the value that is cached under this key, or else the one that `make` returns, which is then cached."""
    stored = cache.get(kind, name, key)
    if stored is not None and (value := codec.load(stored)) is not None:
        return value
    value = make()
    cache.put(kind, name, key, codec.dump(value))
    return value


def _check_kind(kind: str) -> None:
    if not kind.isidentifier():
        raise ValueError(f"{kind!r} is not a kind of entry")


def _sql(statement: str, kind: str) -> str:
    _check_kind(kind)
    return statement.format(kind=kind)


def _check_schema(database: sqlite3.Connection) -> None:
    """Raise `sqlite3.DatabaseError` where there is more than tables of ours: views and triggers would be run."""
    for name, statement in database.execute("SELECT name, sql FROM sqlite_master"):
        if statement is None:  # an index that SQLite makes for a primary key
            continue
        if not (isinstance(name, str) and name.isidentifier() and statement == _CREATE.format(kind=name)):
            raise sqlite3.DatabaseError("not the schema of a build cache")


def _delete_others(database: sqlite3.Connection, kind: str, names: Iterable[str]) -> None:
    encoded_names = set(map(_encode, names))
    others = [row for row in database.execute(_sql(_SELECT_NAMES, kind)) if row[0] not in encoded_names]
    database.executemany(_sql(_DELETE, kind), others)


def _rows(entries: Mapping[str, tuple[str, bytes]]) -> Iterator[tuple[bytes, bytes, bytes, int]]:
    for name, (key, value) in entries.items():
        stored_name, stored_key = _encode(name), _encode(key)
        yield stored_name, stored_key, value, _checksum(stored_name, stored_key, value)


def _checksum(name: bytes, key: bytes, value: bytes) -> int:
    return crc32(value, crc32(key, crc32(name)))


def _encode(text: str) -> bytes:
    """Return the bytes of a name or key. Paths of the file system may hold characters that UTF-8 does not allow."""
    return text.encode(errors="surrogatepass")


def _is_regular_file(file: Path) -> bool:
    return file.is_file() and not file.is_symlink()
