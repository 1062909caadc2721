"""The files of one folder, opened so that no path leads out of it and no symbolic link is followed.

Small files are cached in memory until their stamp changes.
"""

import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from ketapress.system.atomic import TEMPORARY
from ketapress.web.static.http_conditional import Validators

MAX_CACHED_FILE = 1 << 20  # bytes
_MAX_CACHE_BYTES = 64 << 20
_MAX_CACHE_FILES = 4096
_CHUNK_BYTES = 1 << 16
_OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WELL_KNOWN = ".well-known"  # the one hidden name that is served (RFC 8615)


class StaticFile(NamedTuple):
    """A regular file when it was opened. `content` is None where it is too large for the cache.

    The entity tag of a small file is a hash of its content, so that it stays the same when the file is written again
    or served by another machine. That of a large file is a hash of its stamp.
    """

    size: int
    validators: Validators
    content: bytes | None


def parse_path(raw_path: bytes) -> tuple[str, ...] | None:
    """Return the names in the path of a request, decoded once; the last is empty where the path ends in a slash.

    None where a name is empty, hidden, `..` in any spelling, holds a slash or a control character, or is not UTF-8.
    """
    if not raw_path.startswith(b"/"):
        return None
    try:
        names = tuple(unquote_to_bytes(part).decode() for part in raw_path[1:].split(b"/"))
    except UnicodeDecodeError:
        return None
    return (
        names
        if all(map(_is_valid_name, names[:-1])) and (not names[-1] or _is_valid_name(names[-1]))
        else None
    )


def _is_valid_name(name: str) -> bool:
    is_hidden = name.startswith(".") and name != _WELL_KNOWN
    is_temporary = name.endswith(TEMPORARY)
    return bool(name) and name.isprintable() and not is_hidden and not is_temporary and not {*name} & {*"/\\"}


class FileCache:
    """The files of one folder. Not safe for several threads."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._entries: OrderedDict[tuple[str, ...], tuple[os.stat_result, StaticFile]] = OrderedDict()
        self._total_bytes = 0

    def find(self, names: Sequence[str]) -> StaticFile | None:
        """Return the regular file at this path; None where there is none."""
        path = tuple(names)
        with self._open(path) as descriptor:
            status = os.fstat(descriptor) if descriptor is not None else None
            if descriptor is None or status is None or not S_ISREG(status.st_mode):
                self._forget(path)
                return None
            old_status, old_file = self._entries.get(path, (None, None))
            if old_status and old_file and _get_stamp(old_status) == _get_stamp(status):
                self._entries.move_to_end(path)
                return old_file
            return self._read(path, descriptor, status)

    def read_range(self, names: Sequence[str], first: int, last: int) -> Iterator[bytes]:
        """Yield the bytes of a large file from `first` to `last`; fewer where it has become shorter."""
        with self._open(names) as descriptor:
            while descriptor is not None and first <= last:
                chunk = os.pread(descriptor, min(_CHUNK_BYTES, last - first + 1), first)
                if not chunk:
                    return
                yield chunk
                first += len(chunk)

    @contextmanager
    def _open(self, names: Sequence[str]) -> Iterator[int | None]:
        """Open a path one folder at a time, so that a symbolic link anywhere in it makes this fail: None."""
        descriptors: list[int] = []
        try:
            try:
                descriptors.append(os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
                for name in names:
                    descriptors.append(os.open(name, _OPEN_FLAGS, dir_fd=descriptors[-1]))
            except OSError:
                yield None
            else:
                yield descriptors[-1]
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _read(self, path: tuple[str, ...], descriptor: int, status: os.stat_result) -> StaticFile:
        is_large = status.st_size > MAX_CACHED_FILE
        content = None if is_large else b"".join(iter(lambda: os.read(descriptor, _CHUNK_BYTES), b""))
        identity = repr(_get_stamp(status)).encode() if content is None else content
        validators = Validators(f'"{blake2b(identity, digest_size=16).hexdigest()}"', int(status.st_mtime))
        if content is None:
            return StaticFile(status.st_size, validators, None)
        file = StaticFile(len(content), validators, content)
        self._forget(path)
        self._entries[path] = status, file
        self._total_bytes += len(content)
        while self._total_bytes > _MAX_CACHE_BYTES or len(self._entries) > _MAX_CACHE_FILES:
            self._forget(next(iter(self._entries)))
        return file

    def _forget(self, path: tuple[str, ...]) -> None:
        _, file = self._entries.pop(path, (None, None))
        self._total_bytes -= len(file.content or b"") if file else 0


def _get_stamp(status: os.stat_result) -> tuple[int, int, int, int]:
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino
