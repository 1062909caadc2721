"""Locks on files in the publication folder, for one process at a time per kind of work.

The kernel frees a lock however its owner ends. A process that holds it may therefore clean up after an earlier owner at
once, without waiting for a lease to expire.
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

_NO_LOCK_ERRORS = {errno.ENOENT, errno.ELOOP}  # no file, or a symbolic link, which no process locks
_ATTEMPTS, _ATTEMPT_SECONDS = 100, 0.001  # `lock_holder` has the lock for far less than a millisecond
PARTS = ("schedule", "delivery", "web")
"""The parts of `ketapress run`. Each runs once per folder."""


def part_work(part: str) -> str:
    """Return the name of the work of a part of `run`, for its lock."""
    return f"run --only {part}"


@contextmanager
def publication_lock(root: Path, work: str) -> Iterator[None]:
    """Hold the lock for one kind of work (`publish`, `send`) while the block runs.

    Raises RefusedError with the owner: its process id, its machine, and the time of the lock.
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
    """Return the current owner of the lock for one kind of work, as a refusal names it; empty where it is free."""
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
    """Take the lock; False where another process has it. A shared lock of `lock_holder` lasts a moment: wait for it."""
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
        if error.errno != errno.ELOOP:
            raise
        # Not removed here: meanwhile, another process may have replaced it by a file, and locked that.
        raise RefusedError(
            Problem(
                code="lock.link",
                path=f"{STATE_FOLDER}/{file.name}",
                message="the lock file is a symbolic link, so a file outside Ketapress could be overwritten.",
                cure="Remove the link, then run the same command again.",
            )
        ) from error


def _file_name(work: str) -> str:
    return f"{re.sub('[^a-z]+', '-', work)}.lock"


def _read_owner(handle: int) -> str:
    """Return the process that wrote a lock file, and when, by the time of the file."""
    process = os.pread(handle, 300, 0).decode(errors="replace").strip() or "unknown"
    since = datetime.fromtimestamp(os.fstat(handle).st_mtime, UTC)
    return f"{process}, since {since:%Y-%m-%d %H:%M:%S} UTC"


def _taken_problem(work: str, owner: str) -> Problem:
    if work in map(part_work, PARTS):
        part = work.rpartition(" ")[2]
        return Problem(
            code="lock.taken",
            message=f"`ketapress run` already runs the {part} part of this publication (process {owner}).",
            cure="Leave it to that process, or end it with SIGTERM and run the same command again. Nothing was changed.",
        )
    return Problem(
        code="lock.taken",
        message=f"another Ketapress process ({owner}) is running `{work}` in this publication.",
        cure="Wait until it is done, or end it if it should not run. Nothing was changed.",
    )
