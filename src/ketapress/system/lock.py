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
from ketapress.system.state_file import STATE_FOLDER, make_state_folder

_NO_LOCK_ERRORS = {errno.ENOENT, errno.ELOOP}  # no file, or a link, which nobody locks
_ATTEMPTS, _ATTEMPT_SECONDS = 100, 0.001  # seconds: to look takes far less
PARTS = ("schedule", "delivery", "web")
"""What `run` keeps going. Of each part there is one in a folder."""


def run_work(part: str) -> str:
    """The kind of work that keeping a part going is."""
    return f"run --only {part}"


@contextmanager
def publication_lock(root: Path, work: str) -> Iterator[None]:
    """Holds the lock for one kind of work (`publish`, `send`) while the block runs.

    RefusedError names the owner: its number, its machine, and since when it is at work, by the file's own time.
    """
    handle = _open_lock_file(make_state_folder(root) / _file_name(work))
    try:
        if not _acquire(handle):
            raise RefusedError(_taken_problem(work, _read_owner(handle)))
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()} on {os.uname().nodename}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def lock_holder(root: Path, work: str) -> str:
    """Who holds the lock for that kind of work now, as a refusal would name it; empty where nobody does."""
    try:
        handle = os.open(root / STATE_FOLDER / _file_name(work), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _NO_LOCK_ERRORS:
            return ""
        raise
    try:
        return "" if _try_flock(handle, fcntl.LOCK_SH) else _read_owner(handle)
    finally:
        os.close(handle)


def _acquire(handle: int) -> bool:
    """Whether the lock is ours now. Who only looks (`holder`) has it for a moment and shares it; that is waited for."""
    for _ in range(_ATTEMPTS):
        if _try_flock(handle, fcntl.LOCK_EX):
            return True
        if not _try_flock(handle, fcntl.LOCK_SH):
            return False
        fcntl.flock(handle, fcntl.LOCK_UN)
        time.sleep(_ATTEMPT_SECONDS)
    return False


def _try_flock(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open_lock_file(file: Path) -> int:
    try:
        return open_or_create(file, os.O_RDWR)
    except OSError as error:
        if (
            error.errno == errno.ELOOP
        ):  # to remove it here could remove the file that another process locks by then
            raise RefusedError(_link_problem(file)) from error
        raise


def _link_problem(file: Path) -> Problem:
    return Problem(
        code="lock.link",
        path=f"{STATE_FOLDER}/{file.name}",
        message="it is a symbolic link, so a file that is not Ketapress's could be written.",
        cure="Remove the link, then run the same command again.",
    )


def _file_name(work: str) -> str:
    return f"{re.sub('[^a-z]+', '-', work)}.lock"


def _read_owner(handle: int) -> str:
    """Who wrote into a lock's file, and when: the kernel keeps that time."""
    process = os.pread(handle, 300, 0).decode(errors="replace").strip() or "unknown"
    since = datetime.fromtimestamp(os.fstat(handle).st_mtime, UTC)
    return f"{process}, since {since:%Y-%m-%d %H:%M:%S} UTC"


def _taken_problem(work: str, owner: str) -> Problem:
    if work in map(run_work, PARTS):
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
