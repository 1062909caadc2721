"""Write files completely or not at all, and never through a symbolic link, because the folder may come from anyone.

Every file that the program writes is written here. After an OSError the old file is unchanged. Paths are strings and the
calls are those of `os`, because a build writes thousands of files.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock

TEMPORARY = ".ketapress-new"
"""The suffix of files that are still being written. Their names start with a period, so they are not posts or pages."""
_RANDOM_BYTES = 8  # in a name; process ids are not unique among machines and containers that share a folder
_NAME_LENGTH = 1 + 2 * _RANDOM_BYTES + len(TEMPORARY)
_CREATE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

FilePath = str | os.PathLike[str]


def write_atomic(path: FilePath, data: bytes, *, durable: bool = False, mode: int = 0o644) -> None:
    """Replace a file by one with this content, and remove unfinished files of killed processes from its folder.

    A symbolic link is replaced, not followed. `durable`: the file survives a power failure once this returns.
    """
    with open_atomic(path, durable=durable, mode=mode) as handle:
        write_all(handle, data)


@contextmanager
def open_atomic(path: FilePath, *, durable: bool = False, mode: int = 0o644) -> Iterator[int]:
    """Replace a file by what the block writes to the descriptor. If the block raises, the file is unchanged."""
    target = os.fspath(path)
    folder = _parent_folder(target)
    with suppress(OSError):
        remove_leftovers(folder, os.listdir(folder))
    with _open_replacement(target, folder, mode, durable=durable) as handle:
        yield handle


def replace_file(path: str, data: bytes) -> None:
    """Replace a file as `write_atomic` does, for a caller that writes many files and removes leftovers only once."""
    with _open_replacement(path, _parent_folder(path), 0o644, durable=False) as handle:
        write_all(handle, data)


def write_new(path: FilePath, data: bytes, *, durable: bool = False, mode: int = 0o644) -> None:
    """Write a new file. Raises FileExistsError where the name exists, even as a broken link."""
    handle = os.open(path, _CREATE_FLAGS, mode)
    try:
        write_all(handle, data)
        if durable:
            os.fsync(handle)
    except BaseException:
        with suppress(OSError):
            os.unlink(path)
        raise
    finally:
        os.close(handle)


def open_or_create(path: FilePath, flags: int, mode: int = 0o644) -> int:
    """Open a file to write it in place, and create it where it is missing. Raises OSError (ELOOP) for a link."""
    return os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, mode)


def write_all(handle: int, data: bytes) -> None:
    """Write all of the data: one call of the system may write less."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]


def sync_file(path: FilePath) -> None:
    """Make the content of a file survive a power failure."""
    _sync(path, os.O_RDONLY)


def sync_folder(path: FilePath) -> None:
    """Make the names in a folder survive a power failure."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def remove_leftovers(folder: str, names: Iterable[str]) -> None:
    """Remove the unfinished files among the names in a folder, unless they are still being written.

    A writer locks its file until it has its final name, and the kernel frees the lock however the writer ends.
    """
    for name in names:
        if name.endswith(TEMPORARY) and name.startswith(".") and len(name) == _NAME_LENGTH:
            with suppress(OSError):  # it was renamed in the meantime, or belongs to another user
                _remove_leftover(f"{folder}/{name}")


def _remove_leftover(path: str) -> None:
    if os.path.islink(path):  # not made by a writer
        os.unlink(path)
        return
    handle = os.open(path, _READ_FLAGS)
    try:
        flock(handle, LOCK_EX | LOCK_NB)
        os.unlink(path)
    finally:
        os.close(handle)


@contextmanager
def _open_replacement(path: str, folder: str, mode: int, *, durable: bool) -> Iterator[int]:
    temporary_path = ""
    handle = -1
    try:
        temporary_path, handle = _create_temporary(folder, mode)
        yield handle
        if durable:
            os.fsync(handle)
        os.close(os.dup(handle))  # a network file system reports a full disk only on close
        os.replace(temporary_path, path)
    except BaseException as error:
        if temporary_path:
            with suppress(OSError):
                os.unlink(temporary_path)
        if isinstance(error, OSError) and error.filename is not None:
            error.filename, error.filename2 = path, None  # the temporary name means nothing to a person
        raise
    finally:
        if handle >= 0:
            os.close(handle)  # not earlier: its lock keeps other processes from removing the file
    if durable:
        sync_folder(folder)


def _create_temporary(folder: str, mode: int) -> tuple[str, int]:
    """Create a file with an unpredictable name, and lock it."""
    while True:
        temporary_path = f"{folder}/.{os.urandom(_RANDOM_BYTES).hex()}{TEMPORARY}"
        handle = os.open(temporary_path, _CREATE_FLAGS, mode)
        with suppress(
            OSError
        ):  # without locks on this file system, no process can lock it to remove it, either
            flock(handle, LOCK_EX)
        if os.path.lexists(temporary_path):
            return temporary_path, handle
        os.close(handle)  # another process removed it as a leftover before it was locked


def _parent_folder(path: str) -> str:
    return os.path.dirname(path) or "."


def _sync(path: FilePath, flags: int) -> None:
    handle = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
