"""Write build targets to `public/`: render only those whose inputs changed, and write only files that differ.

In: targets, and the build cache, which holds the stamp of each file that the last build left (kind `target`, the path as
name, the key of the target). Out: files. A file is replaced as a whole or not at all, so no reader gets half a page; an
equal file keeps its date, so that web servers and mirrors see no change. A file that somebody removed or edited is
restored. The writer never writes outside its folder, and never removes a file that no build wrote.
"""

import contextlib
import errno
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ketapress.model.build_target import BuildTarget
from ketapress.model.errors import ConfigurationError, Problem, RefusedError
from ketapress.system.atomic import remove_leftovers, replace_file
from ketapress.system.build_cache import BuildCache
from ketapress.system.file_stamp import own_stamp
from ketapress.system.parallel import parallel_map

_KIND = "target"
_READ = os.O_RDONLY | os.O_NOFOLLOW
_MIN_PARALLEL_FEEDS = 50
"""With fewer, a second process takes as long to start as it saves."""


class WriteResult(NamedTuple):
    """How many files were written, left unchanged and removed; the stamps of all; paths that two targets have."""

    written: int
    unchanged: int
    removed: int
    stamps: Mapping[str, str]
    clashes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


class _TargetResult(NamedTuple):
    """The result of writing one target. `problems` say why it was not written."""

    path: str
    stamp: str
    is_written: bool = False
    problems: tuple[Problem, ...] = ()


def write_targets(
    folder: Path,
    feeds: Iterable[BuildTarget],
    pages: Iterable[BuildTarget],
    cache: BuildCache,
    old_paths: Collection[str] = (),
    *,
    dry_run: bool = False,
) -> WriteResult:
    """Make the folder hold these targets, and none of earlier builds that are targets no more.

    A target whose key is that of the last build, and whose file was not touched since, is not rendered. Of two targets
    with the same path, or where one needs a folder with the name of the other's file, the first is written, and the path
    of the other is reported. A target that cannot be rendered, or whose path is taken, is reported, and the others are
    written. `old_paths` are files of earlier builds that the cache does not know. A dry run compares and
    changes nothing.

    Feeds and pages need nothing of each other, and are rendered in two processes where there are many: on two
    processors that saves a quarter of the time of a first build.

    Raises `RefusedError` for a path that leaves the folder, and where the file system refuses.
    """
    feeds, pages, clashes = _remove_clashes(feeds, pages)
    keys = {target.path: target.key for target in (*feeds, *pages)}
    stored = dict(cache.get_many(_KIND, keys))
    previous_paths = cache.names(_KIND) | frozenset(old_paths)
    writer = _Writer(folder.resolve(), dry_run=dry_run)
    stamps = {path: writer.stamp(path) if path in stored else "" for path in keys}

    def is_changed(target: BuildTarget) -> bool:
        stamp = stamps[target.path]
        return not stamp or stored[target.path] != stamp.encode()

    changed = [list(filter(is_changed, pages)), list(filter(is_changed, feeds))]
    fewest = len(changed) if len(changed[1]) >= _MIN_PARALLEL_FEEDS else len(changed) + 1
    # Removed first: a page of an earlier build may have the name of a folder of this one.
    removed = sum(writer.remove(path) for path in sorted(previous_paths - keys.keys()))
    written = 0
    problems: dict[Problem, None] = {}
    for results in parallel_map(writer.write_all, changed, fewest):
        for result in results:
            stamps[result.path] = result.stamp
            written += result.is_written
            problems |= dict.fromkeys(result.problems)
            if not result.problems:
                cache.put(_KIND, result.path, keys[result.path], result.stamp.encode())
    if not dry_run:
        if not previous_paths <= keys.keys():
            cache.keep_only(_KIND, keys.keys())
        cache.save()
    return WriteResult(written, len(keys) - written, removed, stamps, clashes, tuple(problems))


def _remove_clashes(
    feeds: Iterable[BuildTarget], pages: Iterable[BuildTarget]
) -> tuple[list[BuildTarget], list[BuildTarget], tuple[str, ...]]:
    """Return the targets without those whose path an earlier one has as a file or a folder, and the paths of these."""
    paths: set[str] = set()
    folders: set[str] = set()
    clashes: list[str] = []

    def is_first(target: BuildTarget) -> bool:
        parents = set()
        parent = target.path.rpartition("/")[0]
        while parent and parent not in folders:
            parents.add(parent)
            parent = parent.rpartition("/")[0]
        if target.path in paths or target.path in folders or not parents.isdisjoint(paths):
            clashes.append(target.path)
            return False
        paths.add(target.path)
        folders.update(parents)
        return True

    return list(filter(is_first, feeds)), list(filter(is_first, pages)), tuple(clashes)


class _PathConflictError(RefusedError):
    """One page cannot be written, because something else is at its path. Other pages can be written."""


class _Writer:
    """Writes into one folder. Remembers which folders it checked and made, and the names that they held.

    Paths are strings: a thousand `Path`s cost more than the comparisons that they would be made for.
    """

    def __init__(self, root: Path, *, dry_run: bool) -> None:
        self._root = root
        self._dry_run = dry_run
        self._folders: dict[str, Path] = {}
        self._created: set[Path] = set()
        self._names: dict[Path, frozenset[str]] = {}

    def stamp(self, path: str) -> str:
        """Return the stamp of a file; empty where there is none."""
        parent, name = self._locate(path)
        return own_stamp(f"{parent}/{name}")

    def write_all(self, targets: Sequence[BuildTarget]) -> list[_TargetResult]:
        """Render targets and write their files. Raises RefusedError if none can be written, for example on a full disk."""
        results = []
        for target in targets:
            try:
                is_written = self._write(target.path, target.render())
            except (ConfigurationError, _PathConflictError) as error:
                results.append(_TargetResult(target.path, self.stamp(target.path), problems=error.problems))
            else:
                results.append(_TargetResult(target.path, self.stamp(target.path), is_written))
        return results

    def remove(self, path: str) -> bool:
        """Remove a file that is no longer a target, and the folders that it leaves empty; return False where it is gone.

        A path outside the folder was never written, whatever the cache says.
        """
        try:
            parent, name = self._locate(path)
        except RefusedError:
            return False
        file = parent / name
        if not file.is_symlink() and not file.is_file():
            return False
        try:
            if not self._dry_run:
                file.unlink()
                self._remove_empty(parent)
        except OSError as error:
            raise self._refusal(path, error) from error
        return True

    def _write(self, path: str, content: bytes) -> bool:
        """Make a file hold this content; return False where it does."""
        parent, name = self._locate(path)
        file = f"{parent}/{name}"
        try:
            if name in self._names_in(parent) and _read(file) == content:
                return False
            if not self._dry_run:
                if parent not in self._created:
                    parent.mkdir(parents=True, exist_ok=True)
                    self._created.add(parent)
                replace_file(file, content)
        except OSError as error:
            raise self._refusal(path, error) from error
        return True

    def _locate(self, path: str) -> tuple[Path, str]:
        """Return the folder and the name of a file. Raises `RefusedError` where the folder is not inside."""
        parent, _, name = path.rpartition("/")
        if parent not in self._folders:
            self._folders[parent] = self._check_folder(parent, path)
        if name in {"", ".", ".."} or "\0" in name or "\\" in name:
            raise _refuse_path(path, "is not a file name")
        return self._folders[parent], name

    def _check_folder(self, parent: str, path: str) -> Path:
        if {".", ".."} & set(parent.split("/")) or "\0" in parent or "\\" in parent:
            raise _refuse_path(path, "is not a path inside that folder")
        folder = self._root / parent
        if not folder.resolve().is_relative_to(self._root):
            raise _refuse_path(path, "leads out of that folder")
        return folder

    def _names_in(self, parent: Path) -> frozenset[str]:
        """Return what a folder held before anything was written: opening a missing file costs more than creating it."""
        if parent not in self._names:
            try:
                self._names[parent] = frozenset(os.listdir(parent))  # noqa: PTH208 - names, not paths
            except FileNotFoundError:
                self._names[parent] = frozenset()
            if not self._dry_run:
                remove_leftovers(str(parent), self._names[parent])
        return self._names[parent]

    def _remove_empty(self, parent: Path) -> None:
        with contextlib.suppress(OSError):  # the folder is not empty
            while parent != self._root:
                parent.rmdir()
                parent = parent.parent

    def _refusal(self, path: str, error: OSError) -> RefusedError:
        if isinstance(error, FileExistsError | NotADirectoryError):
            folder = f"{self._root.name}/{path.rpartition('/')[0]}".rstrip("/")
            return _PathConflictError(
                Problem(
                    code="public.blocked",
                    message="a file stands where a folder should be, so no page can be written in it.",
                    cure="Move it away, then build again: the folder is made anew.",
                    path=folder,
                )
            )
        error_class = (
            _PathConflictError
            if isinstance(error, IsADirectoryError) or error.errno == errno.ENAMETOOLONG
            else RefusedError
        )
        return error_class(
            Problem(
                code="public.blocked",
                message=f"The page cannot be written: {error.strerror or error}.",
                cure="Make room, or give the user who runs Ketapress the right to write there; then build again.",
                path=f"{self._root.name}/{path}",
            )
        )


def _read(file: str) -> bytes | None:
    """Return the content of a file; None where there is none. A symbolic link counts as none, and is replaced."""
    try:
        descriptor = os.open(file, _READ)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb", buffering=0) as opened:
        return opened.read()


def _refuse_path(path: str, reason: str) -> RefusedError:
    return RefusedError(
        Problem(
            code="public.outside",
            message=f"{path!r} is not written to the public folder: it {reason}.",
            cure="Change the slug or alias of the post that is to be there, or remove the symbolic link.",
        )
    )
