"""Whether the folder of posts stands still: a file that is just being written, or a checkout, is waited for.

In: the stamps of files, and the wall clock that made them. A file is whole when nothing about it has changed for two
seconds; git is done when its lock is gone.
"""

from collections.abc import Iterable
from pathlib import Path

STILL = 2.0  # seconds
STALE = 600.0  # seconds: a lock of git that is older belongs to nobody
_SECOND = 1_000_000_000  # nanoseconds


def stands_still(stamps: Iterable[str], wall: float) -> bool:
    """Whether nothing changed in the last two seconds before `wall` (since 1970). A time that is to come counts as old."""
    changes = (int(stamp.split()[1]) / _SECOND for stamp in stamps if stamp)
    return not any(wall - STILL < change <= wall + STILL for change in changes)


def git_is_busy(root: Path, wall: float) -> bool:
    """Whether git is writing into the folder: a pull, a checkout, a commit (`index.lock`)."""
    for folder in (root, *root.parents):
        if (folder / ".git").is_dir():
            try:
                return wall - (folder / ".git" / "index.lock").stat().st_mtime < STALE
            except OSError:
                return False
    return False
