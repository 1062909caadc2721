"""Edge: the files of one folder, opened so that no path leads out of it, and no link is followed.

In: a path as it came over the wire. Out: an open file and what tells its content from another, or nothing. What is
small is kept in memory as long as the file stays as it was.
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

SMALL = 1 << 20  # bytes: larger files are not kept in memory
_KEPT = 64 << 20  # bytes of all files that are kept
_MOST = 4096  # files
_CHUNK = 1 << 16
_INSIDE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_HIDDEN_ALLOWED = ".well-known"  # RFC 8615


class File(NamedTuple):
    """A regular file as it was when it was opened. `content` is None where it is too large to be kept.

    Its entity tag is a hash of the content: two contents share it only when their bytes are the same. That of a large
    file is a hash of its stamp, which no second content of that file has.
    """

    size: int
    validators: Validators
    content: bytes | None


def path_parts(raw: bytes) -> tuple[str, ...] | None:
    """The names in a path of a request, each decoded once and for all; the last is empty where a slash ends the path.

    None for a path that names no file here: with `..` in whatever spelling, with an empty or hidden name, a slash or a
    NUL inside a name, or bytes that are no UTF-8.
    """
    if not raw.startswith(b"/"):
        return None
    try:
        parts = tuple(unquote_to_bytes(part).decode() for part in raw[1:].split(b"/"))
    except UnicodeDecodeError:
        return None
    return parts if all(map(_is_name, parts[:-1])) and (not parts[-1] or _is_name(parts[-1])) else None


def _is_name(part: str) -> bool:
    hidden = part.startswith(".") and part != _HIDDEN_ALLOWED
    return (
        bool(part)
        and part.isprintable()
        and not hidden
        and not part.endswith(TEMPORARY)
        and not {*part} & {*"/\\"}
    )


class Shelf:
    """The files of one folder. For one thread at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._kept: OrderedDict[tuple[str, ...], tuple[os.stat_result, File]] = OrderedDict()
        self._bytes = 0

    def find(self, parts: Sequence[str]) -> File | None:
        """The regular file of that path; None where there is none."""
        with self._opened(parts) as descriptor:
            found = os.fstat(descriptor) if descriptor is not None else None
            if descriptor is None or found is None or not S_ISREG(found.st_mode):
                self._forget(tuple(parts))
                return None
            return self._known(tuple(parts), found) or self._read(tuple(parts), descriptor, found)

    def chunks(self, parts: Sequence[str], first: int, last: int) -> Iterator[bytes]:
        """The bytes of a large file from `first` to `last`; fewer where it has become shorter."""
        with self._opened(parts) as descriptor:
            while descriptor is not None and first <= last:
                chunk = os.pread(descriptor, min(_CHUNK, last - first + 1), first)
                if not chunk:
                    return
                yield chunk
                first += len(chunk)

    @contextmanager
    def _opened(self, parts: Sequence[str]) -> Iterator[int | None]:
        """Step by step from the folder down, so that a link anywhere on the way ends it."""
        descriptors: list[int] = []
        try:
            try:
                descriptors.append(os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
                for part in parts:
                    descriptors.append(os.open(part, _INSIDE, dir_fd=descriptors[-1]))
            except OSError:
                yield None
            else:
                yield descriptors[-1]
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def _known(self, parts: tuple[str, ...], found: os.stat_result) -> File | None:
        before, file = self._kept.get(parts, (None, None))
        if before is None or file is None or _stamp(before) != _stamp(found):
            return None
        self._kept.move_to_end(parts)
        return file

    def _read(self, parts: tuple[str, ...], descriptor: int, found: os.stat_result) -> File:
        if found.st_size > SMALL:
            tag = blake2b(repr(_stamp(found)).encode(), digest_size=16).hexdigest()
            return File(found.st_size, Validators(f'"{tag}"', int(found.st_mtime)), None)
        content = b"".join(iter(lambda: os.read(descriptor, _CHUNK), b""))
        tag = blake2b(content, digest_size=16).hexdigest()
        file = File(len(content), Validators(f'"{tag}"', int(found.st_mtime)), content)
        self._keep(parts, found, file)
        return file

    def _keep(self, parts: tuple[str, ...], found: os.stat_result, file: File) -> None:
        self._forget(parts)
        self._kept[parts] = found, file
        self._bytes += len(file.content or b"")
        while self._bytes > _KEPT or len(self._kept) > _MOST:
            self._forget(next(iter(self._kept)))

    def _forget(self, parts: tuple[str, ...]) -> None:
        _, file = self._kept.pop(parts, (None, None))
        self._bytes -= len(file.content or b"") if file else 0


def _stamp(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino
