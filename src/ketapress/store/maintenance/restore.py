"""Edge: a backup's way into the place of the database.

In: a file, the place. Out: the copy in its place, and the replaced database beside it, whole, under another name. At
every moment there is one database under the name, the old or the new. SQLite only.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from ketapress.model.errors import Problem, RefusedError, StoreError
from ketapress.store.db.engine import private_file
from ketapress.system.atomic import sync_file, sync_folder

_COMPANIONS = ("-wal", "-shm")
_OURS = "SELECT name FROM sqlite_master WHERE name = 'alembic_version'"
_PATIENCE = 5  # seconds that somebody who just reads may take


@contextmanager
def unfinished_copy(file: Path, place: Path) -> Iterator[Path]:
    """A copy of the backup beside the database, read from first to last page; gone, where it is not put in place.

    Raises RefusedError where the file is not there or is no whole database.
    """
    if not file.is_file():
        raise RefusedError(_not_there(file))
    copy = place.with_name(f"{place.name}.restoring")
    _remove(copy)
    private_file(copy)
    try:
        try:
            with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
                source.backup(target)
                (found,) = target.execute("PRAGMA integrity_check(1)").fetchone()
                ours = target.execute(_OURS).fetchone()
        except sqlite3.Error as error:
            raise RefusedError(_not_whole(file, str(error))) from error
        if found != "ok":
            raise RefusedError(_not_whole(file, found))
        if ours is None:
            raise RefusedError(_not_ours(file))
        yield copy
    finally:
        _remove(copy)


def put_in_place(copy: Path, place: Path, now: datetime) -> Path | None:
    """The copy takes the database's name; where the database is now, if there was one. `now` is in UTC.

    Raises RefusedError where somebody has it open, StoreError where the disk refuses; then nothing has changed.
    """
    aside = place.with_name(f"{place.name}.replaced-{now:%Y%m%dT%H%M%SZ}") if place.exists() else None
    try:
        sync_file(copy)
        if aside:
            _gather(place)
            for each in _COMPANIONS:  # there only if it is damaged: they are a part of it
                if (log := Path(f"{place}{each}")).exists():
                    log.rename(f"{aside}{each}")
            os.link(place, aside)
        copy.rename(place)
        sync_folder(place.parent)
    except OSError as error:
        raise StoreError(_not_moved(place, error.strerror or str(error))) from error
    return aside


def _gather(place: Path) -> None:
    """Folds the log in and removes it, which only works when nobody else has the database open."""
    try:
        with closing(sqlite3.connect(place, timeout=_PATIENCE)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise RefusedError(_in_use(place)) from error
    except sqlite3.DatabaseError:
        pass  # it is damaged: then it is put aside as it is


def _remove(copy: Path) -> None:
    for each in ("", *_COMPANIONS):
        Path(f"{copy}{each}").unlink(missing_ok=True)


def _not_there(file: Path) -> Problem:
    return Problem(
        code="restore.missing",
        message=f"{file} is not there, or is no file; nothing was changed.",
        cure="Name a file that `ketapress db backup` made.",
    )


def _not_whole(file: Path, why: str) -> Problem:
    return Problem(
        code="restore.damaged",
        message=f"{file} is no whole database ({why}); nothing was changed.",
        cure="Take an earlier backup.",
    )


def _not_ours(file: Path) -> Problem:
    return Problem(
        code="restore.foreign",
        message=f"{file} is a database, but none of Ketapress's; nothing was changed.",
        cure="Name a file that `ketapress db backup` made.",
    )


def _in_use(place: Path) -> Problem:
    return Problem(
        code="restore.busy",
        message=f"somebody has {place} open; nothing was changed.",
        cure="End every other Ketapress process, and whatever else looks at it, then run the same command again.",
    )


def _not_moved(place: Path, why: str) -> Problem:
    return Problem(
        code="restore.failed",
        path=place.name,
        message=f"it could not be replaced: {why}.",
        cure="Look at the disk and the folder, then run the same command again.",
    )
