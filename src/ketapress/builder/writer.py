"""`public/`: outputs become files; only those whose keys changed are made, and only those that differ are written.

In: outputs, and what the last build made. Out: files, and what became of them. A file is replaced whole or not at all,
so a reader never gets half a page; an equal file keeps its time, so that web servers and mirrors see no change. A file
that somebody removed or edited comes back. It never writes outside its folder, and never removes what it did not make.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from ketapress.builder.manifest import Made
from ketapress.model.errors import Problem, RefusedError
from ketapress.model.output import Output
from ketapress.system.atomic import remove_leftovers, replace_file
from ketapress.system.file_stamp import own_stamp
from ketapress.system.fork_worker import side_by_side

_MANY = 50  # feeds; with fewer, a second process takes as long to begin
_SAME = os.O_RDONLY | os.O_NOFOLLOW


class Written(NamedTuple):
    """What became of the files: `made` is what to remember of all, `clashes` are paths that were asked for twice."""

    written: int
    unchanged: int
    removed: int
    made: Mapping[str, Made]
    clashes: tuple[str, ...] = ()


def write_outputs(
    folder: Path,
    feeds: Iterable[Output],
    pages: Iterable[Output],
    previous: Mapping[str, Made],
    *,
    dry_run: bool = False,
) -> Written:
    """Makes the folder hold these outputs, and of those that were made before (`previous`) no others.

    What was made before under the same key, and is still there as it was left, is not made again. Where two outputs
    have one path, the first is kept and the path is reported. A dry run compares and touches nothing. Feeds and pages
    need nothing of each other, and may be made side by side.
    Raises `RefusedError` for a path that leaves the folder, and where the disk says no.
    """
    target = _Folder(folder.resolve(), dry_run, {}, set(), {})
    look = _Look(target, previous, {}, [])
    changed = [output for output in feeds if look.is_changed(output)]
    others: Iterator[Output] = (output for output in pages if look.is_changed(output))
    if len(changed) < _MANY:
        changed, others = [], chain(changed, others)
    written = 0
    for output, (was_written, stamp) in side_by_side(target.settle_all, changed, others):
        look.made[output.path] = (output.key, stamp)
        written += was_written
    removed = sum(target.remove(path) for path in sorted(previous.keys() - look.made.keys()))
    return Written(written, len(look.made) - written, removed, look.made, tuple(look.clashes))


class _Look(NamedTuple):
    """Which outputs have to be made: notes what is there, and which paths are asked for twice."""

    target: "_Folder"
    previous: Mapping[str, Made]
    made: dict[str, Made]
    clashes: list[str]

    def is_changed(self, output: Output) -> bool:
        if output.path in self.made:
            self.clashes.append(output.path)
            return False
        before = self.previous.get(output.path)
        self.made[output.path] = now = (output.key, self.target.stamp(output.path) if before else "")
        return before != now


class _Folder(NamedTuple):
    """A folder that is being written, with the sub-folders that are known to be inside it, and to be there, and names in them.

    Places are strings: a thousand `Path`s cost more than the thousand comparisons they are made for.
    """

    root: Path
    dry_run: bool
    inside: dict[str, Path]
    made: set[Path]
    names: dict[Path, frozenset[str]]

    def stamp(self, path: str) -> str:
        """The stamp of the file at a path; empty where there is none."""
        parent, name = self._place(path)
        return own_stamp(f"{parent}/{name}")

    def settle_all(self, outputs: Iterable[Output]) -> Iterator[tuple[bool, str]]:
        """Makes the outputs and their files. For each: whether it was written, and with what stamp it was left."""
        for output in outputs:
            yield self.settle(output.path, output.make()), self.stamp(output.path)

    def settle(self, path: str, content: bytes) -> bool:
        """Makes a file hold this content; False where it did."""
        parent, name = self._place(path)
        place = f"{parent}/{name}"
        try:
            if name in self._names(parent) and _content(place) == content:
                return False
            if not self.dry_run:
                self._make_folder(parent)
                replace_file(place, content)
        except OSError as error:
            raise self._blocked(path, error) from error
        return True

    def remove(self, path: str) -> bool:
        """Removes a file that is no longer made, and the folders that it leaves empty; False where it was gone.

        What is not inside was never made here, whoever says so.
        """
        try:
            parent, name = self._place(path)
        except RefusedError:
            return False
        place = parent / name
        if not place.is_symlink() and not place.is_file():
            return False
        try:
            if not self.dry_run:
                place.unlink()
                self._prune(parent)
        except OSError as error:
            raise self._blocked(path, error) from error
        return True

    def _place(self, path: str) -> tuple[Path, str]:
        """The folder and the name of a file. Raises `RefusedError` where the folder is not inside."""
        parent, _, name = path.rpartition("/")
        if parent not in self.inside:
            self.inside[parent] = self._checked(parent, path)
        if name in {"", ".", ".."} or "\0" in name or "\\" in name:
            raise _refused(path, "is no name of a file")
        return self.inside[parent], name

    def _checked(self, parent: str, path: str) -> Path:
        if {".", ".."} & set(parent.split("/")) or "\0" in parent or "\\" in parent:
            raise _refused(path, "is no path of a file inside it")
        place = self.root / parent
        if not place.resolve().is_relative_to(self.root):
            raise _refused(path, "leads out of it")
        return place

    def _names(self, parent: Path) -> frozenset[str]:
        """What was in a folder when something in it was settled first: to open what is not there costs more than to make it."""
        if parent not in self.names:
            try:
                self.names[parent] = frozenset(os.listdir(parent))  # noqa: PTH208 - see above
            except FileNotFoundError:
                self.names[parent] = frozenset()
            if not self.dry_run:
                remove_leftovers(str(parent), self.names[parent])
        return self.names[parent]

    def _make_folder(self, parent: Path) -> None:
        if parent not in self.made:
            parent.mkdir(parents=True, exist_ok=True)
            self.made.add(parent)

    def _prune(self, parent: Path) -> None:
        with contextlib.suppress(OSError):  # it is not empty: something is left in it that is somebody's
            while parent != self.root:
                parent.rmdir()
                parent = parent.parent

    def _blocked(self, path: str, error: OSError) -> RefusedError:
        if isinstance(error, FileExistsError | NotADirectoryError):
            return RefusedError(_no_folder(f"{self.root.name}/{path.rpartition('/')[0]}".rstrip("/")))
        return RefusedError(
            Problem(
                code="public.blocked",
                message=f"The page cannot be written: {error.strerror or error}.",
                cure="Make room, or give the user who runs Ketapress the right to write there; then build again.",
                path=f"{self.root.name}/{path}",
            )
        )


def _no_folder(path: str) -> Problem:
    return Problem(
        code="public.blocked",
        message="a file stands where a folder should be, so no page can be written in it.",
        cure="Move it away, then build again: the folder is made anew.",
        path=path,
    )


def _content(place: str) -> bytes | None:
    """What a file holds; None where there is none. A symbolic link counts as none, and is replaced by a file."""
    try:
        descriptor = os.open(place, _SAME)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        return file.read()


def _refused(path: str, why: str) -> RefusedError:
    return RefusedError(
        Problem(
            code="public.outside",
            message=f"{path!r} is not written to the public folder: it {why}.",
            cure="Change the slug or alias of the post that is to be there, or remove the symbolic link.",
        )
    )
