"""The watch job: wake the schedule as soon as a file changes.

It uses the kernel's file events. Where there are none (a network drive, too many watches), the next scheduled run
notices the change.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from watchfiles import Change, watch

from ketapress.daemon.context import DaemonContext
from ketapress.model.errors import Problem

_FOLDERS = ("posts", "templates")
_DEBOUNCE, _STEP = 400, 50  # milliseconds: how long changes are collected, and how often more are looked for


class WatchJob:
    """The folders of one publication. Calls `on_change` after each burst of changes, until the daemon stops."""

    def __init__(self, context: DaemonContext, on_change: Callable[[], None]) -> None:
        self._context = context
        self._on_change = on_change

    def __call__(self) -> Iterable[Problem]:
        folders = [folder for name in _FOLDERS if (folder := self._context.root / name).is_dir()]
        if folders:
            for _ in watch(
                *folders,
                watch_filter=_is_visible,
                debounce=_DEBOUNCE,
                step=_STEP,
                stop_event=self._context.stop,
                raise_interrupt=False,
            ):
                self._on_change()
        return ()


def _is_visible(_change: Change, path: str) -> bool:
    """Exclude hidden files, which belong to editors and to Ketapress itself."""
    return not Path(path).name.startswith(".")
