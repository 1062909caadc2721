"""One process at a time: a lock on a file in the publication folder, freed by the kernel however its owner dies.

So whoever holds it knows that a leftover of an earlier owner belongs to nobody: no lease has to run out first.
"""

import errno
import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ketapress.model.errors import Problem, RefusedError
from ketapress.system.atomic import open_or_create
from ketapress.system.state_file import FOLDER, private_folder

_NOBODY = {errno.ENOENT, errno.ELOOP}  # no file, or a link, which nobody locks
_LOOKS, _A_LOOK = 100, 0.001  # seconds: to look takes far less
PARTS = ("schedule", "delivery", "web")
"""What `run` keeps going. Of each part there is one in a folder."""


def keeping(part: str) -> str:
    """The kind of work that keeping a part going is."""
    return f"run --only {part}"


@contextmanager
def publication_lock(root: Path, work: str) -> Iterator[None]:
    """Holds the lock for one kind of work (`publish`, `send`) while the block runs.

    RefusedError names the owner: its number, its machine, and since when it is at work, by the file's own time.
    """
    handle = _opened(private_folder(root) / _file(work))
    try:
        if not _is_locked(handle):
            raise RefusedError(_taken(work, _owner(handle)))
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()} on {os.uname().nodename}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def holder(root: Path, work: str) -> str:
    """Who holds the lock for that kind of work now, as a refusal would name it; empty where nobody does."""
    try:
        handle = os.open(root / FOLDER / _file(work), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _NOBODY:
            return ""
        raise
    try:
        return "" if _has(handle, fcntl.LOCK_SH) else _owner(handle)
    finally:
        os.close(handle)


def _is_locked(handle: int) -> bool:
    """Whether the lock is ours now. Who only looks (`holder`) has it for a moment and shares it; that is waited for."""
    for _ in range(_LOOKS):
        if _has(handle, fcntl.LOCK_EX):
            return True
        if not _has(handle, fcntl.LOCK_SH):
            return False
        fcntl.flock(handle, fcntl.LOCK_UN)
        time.sleep(_A_LOOK)
    return False


def _has(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _opened(file: Path) -> int:
    try:
        return open_or_create(file, os.O_RDWR)
    except OSError as error:
        if (
            error.errno == errno.ELOOP
        ):  # to remove it here could remove the file that another process locks by then
            raise RefusedError(_linked(file)) from error
        raise


def _linked(file: Path) -> Problem:
    return Problem(
        code="lock.link",
        path=f"{FOLDER}/{file.name}",
        message="it is a symbolic link, so a file that is not Ketapress's could be written.",
        cure="Remove the link, then run the same command again.",
    )


def _file(work: str) -> str:
    return f"{re.sub('[^a-z]+', '-', work)}.lock"


def _owner(handle: int) -> str:
    """Who wrote into a lock's file, and when: the kernel keeps that time."""
    who = os.pread(handle, 300, 0).decode(errors="replace").strip() or "unknown"
    since = datetime.fromtimestamp(os.fstat(handle).st_mtime, UTC)
    return f"{who}, since {since:%Y-%m-%d %H:%M:%S} UTC"


def _taken(work: str, owner: str) -> Problem:
    if work in map(keeping, PARTS):
        part = work.rpartition(" ")[2]
        return Problem(
            code="lock.taken",
            message=f"`ketapress run` is up in this publication (number {owner}) and keeps its {part} going.",
            cure="Leave it to that one, or end it with SIGTERM and run the same command again; nothing was changed.",
        )
    return Problem(
        code="lock.taken",
        message=f"another Ketapress process (number {owner}) is busy with `{work}` in this publication.",
        cure="Wait until it is done, or end it if it should not run; nothing was changed.",
    )
