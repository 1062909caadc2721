"""What the file system says of a file, as one word that changes whenever the file does: its stamp.

Everything here is strings, and nothing is imported that takes time: a build that finds nothing changed does little else
than compare stamps.
"""

import os
import sys
from stat import S_ISREG

TYPE_CHECKING = False
if TYPE_CHECKING:  # `typing` is loaded by none of the others, either
    from collections.abc import Mapping

_SECOND = 1_000_000_000  # nanoseconds
_COARSE, _FINE = 2 * _SECOND, _SECOND // 50
"""How long after a change a second one may leave the same stamp: FAT counts by two seconds, Linux by its clock's ticks."""

_PROGRAM: dict[str, str] = {}


def stamp(place: str) -> str:
    """The stamp of what stands there, links followed; empty where nothing does.

    The time of the last change of any kind is part of it: a content that came with an old date is seen all the same.
    """
    try:
        found = os.stat(place)  # noqa: PTH116 - pathlib takes longer to load than a thousand of these to run
    except (OSError, ValueError):
        return ""
    return f"{found.st_mtime_ns} {found.st_ctime_ns} {found.st_size}"


def own_stamp(place: str) -> str:
    """The stamp of a regular file that is no link; empty otherwise."""
    try:
        found = os.lstat(place)
    except (OSError, ValueError):
        return ""
    if not S_ISREG(found.st_mode):
        return ""
    return f"{found.st_mtime_ns} {found.st_ctime_ns} {found.st_size}"


def is_fresh(stamp: str, moment: float) -> bool:
    """Whether what has this stamp could have changed once more, after `moment` (seconds), without another stamp."""
    if not stamp:
        return False
    changed = int(stamp.split()[1])
    return changed > moment * _SECOND - (_FINE if changed % _SECOND else _COARSE)


def tree_stamps(root: str, folder: str, seen: "Mapping[str, str] | None" = None) -> dict[str, str]:
    """The stamps of a folder and all that is in it, but for names that begin with a full stop; by paths under `root`.

    Linked folders are not entered. A folder that is not there has an empty stamp. `seen` are stamps of a moment ago by
    places, which are not asked for again.
    """
    seen = seen or {}
    stamps: dict[str, str] = {}
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        place = os.path.join(root, path)  # noqa: PTH118 - see above
        stamps[path] = seen.get(place) or stamp(place)
        for entry in _entries(place):
            within = f"{path}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                waiting.append(within)
            else:
                stamps[within] = seen.get(entry.path) or stamp(entry.path)
    return stamps


def program_stamps() -> dict[str, str]:
    """The stamps of every module of Ketapress, and of the folders that libraries are installed in.

    They are those that this process found first, because what it runs is what was there then.
    """
    if not _PROGRAM:
        package = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120 - see above
        modules = {path: found for path, found in tree_stamps("", package).items() if path.endswith(".py")}
        _PROGRAM.update(modules | {path: stamp(path) for path in sys.path if path.endswith("-packages")})
    return _PROGRAM.copy()


def _entries(place: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(place) as found:
            return [entry for entry in found if not entry.name.startswith(".")]
    except OSError:
        return []
