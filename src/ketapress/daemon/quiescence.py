"""Detect files that are still being written, and a busy git, so that no half-written post is published."""

from collections.abc import Iterable
from pathlib import Path

QUIET_SECONDS = 2.0
MAX_GIT_LOCK_AGE = 600.0  # seconds: an older lock was left by a git that died
_NANOSECONDS = 1_000_000_000


def is_quiescent(stamps: Iterable[str], file_clock: float) -> bool:
    """Tell whether no file changed in the last two seconds before `file_clock` (seconds since 1970).

    A change more than two seconds in the future counts as old.
    """
    change_times = (int(stamp.split()[1]) / _NANOSECONDS for stamp in stamps if stamp)
    return not any(-QUIET_SECONDS <= file_clock - moment < QUIET_SECONDS for moment in change_times)


def is_git_busy(root: Path, file_clock: float) -> bool:
    """Tell whether git is writing into the folder (pull, checkout, commit), by its `index.lock`."""
    for folder in (root, *root.parents):
        if (folder / ".git").is_dir():
            try:
                lock_time = (folder / ".git" / "index.lock").stat().st_mtime
            except OSError:
                return False
            return file_clock - lock_time < MAX_GIT_LOCK_AGE
    return False
