"""The stamp of a file: its times and size as one string, which changes whenever the file does.

A build that finds nothing changed does little else than compare stamps. So everything here is strings, and no module is
imported that takes time to load.
"""

import os
import sys
from stat import S_ISREG

TYPE_CHECKING = False
if TYPE_CHECKING:  # importing `typing` would take as long as comparing a thousand stamps
    from collections.abc import Mapping

_SECOND = 1_000_000_000  # nanoseconds
_COARSE, _FINE = 2 * _SECOND, _SECOND // 50
"""Nanoseconds after a change in which a second one may leave the same stamp: FAT has a resolution of two seconds, Linux
of a tick of its clock."""

_PROGRAM: dict[str, str] = {}


def stamp(path: str) -> str:
    """Return the stamp of a file or folder, links followed; an empty string where there is none.

    The time of the last change of any kind (`ctime`) is a part of it, because a new content may come with an old date.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - importing pathlib takes longer than a thousand of these calls
    except (OSError, ValueError):
        return ""
    return f"{status.st_mtime_ns} {status.st_ctime_ns} {status.st_size}"


def own_stamp(path: str) -> str:
    """Return the stamp of a regular file that is not a link; an empty string for anything else."""
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return ""
    if not S_ISREG(status.st_mode):
        return ""
    return f"{status.st_mtime_ns} {status.st_ctime_ns} {status.st_size}"


def is_fresh(stamp: str, moment: float) -> bool:
    """Return whether a file with this stamp could change again after `moment` (seconds since 1970) and keep the stamp."""
    if not stamp:
        return False
    change_times = int(stamp.split()[1])
    return change_times > moment * _SECOND - (_FINE if change_times % _SECOND else _COARSE)


def tree_stamps(root: str, folder: str, recent: "Mapping[str, str] | None" = None) -> dict[str, str]:
    """Return the stamps of a folder and everything in it, by paths under `root`; names with a leading dot are left out.

    Linked folders are not entered. A folder that does not exist has an empty stamp. `recent` are stamps of a moment ago,
    by full paths, which are not read again.
    """
    recent = recent or {}
    stamps: dict[str, str] = {}
    pending_folders = [folder]
    while pending_folders:
        path = pending_folders.pop()
        full_path = os.path.join(root, path)  # noqa: PTH118 - see above
        stamps[path] = recent.get(full_path) or stamp(full_path)
        for entry in _entries(full_path):
            inner_path = f"{path}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                pending_folders.append(inner_path)
            else:
                stamps[inner_path] = recent.get(entry.path) or stamp(entry.path)
    return stamps


def program_stamps() -> dict[str, str]:
    """Return the stamps of every module of Ketapress, and of the folders that libraries are installed in.

    They are those of the first call in this process, because that is the code that it runs.
    """
    if not _PROGRAM:
        package = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120 - see above
        stamps = tree_stamps("", package)
        modules = {path: value for path, value in stamps.items() if path.endswith(".py")}
        _PROGRAM.update(modules | {path: stamp(path) for path in sys.path if path.endswith("-packages")})
    return _PROGRAM.copy()


def _entries(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError:
        return []
