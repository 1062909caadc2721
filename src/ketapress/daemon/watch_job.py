"""Wakes the schedule when something in the folder changes: a save, a pull by git, an edited template.

The kernel tells, so that a change is seen within a second. Where it cannot (a network drive, too many watches), the
ticks see it all the same, later.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from watchfiles import Change, watch

from ketapress.daemon.context import Ground
from ketapress.model.errors import Problem

_WATCHED = ("posts", "templates")
_TOGETHER, _STEP = (
    400,
    50,
)  # milliseconds: how long changes are gathered, and how often it is looked whether more came


class Watching:
    """The folders of one publication. `changed` is called after each burst of changes. Lasts until the end."""

    def __init__(self, ground: Ground, changed: Callable[[], None]) -> None:
        self._ground = ground
        self._changed = changed

    def __call__(self) -> Iterable[Problem]:
        folders = [folder for name in _WATCHED if (folder := self._ground.root / name).is_dir()]
        if folders:
            for _ in watch(
                *folders,
                watch_filter=_is_ours,
                debounce=_TOGETHER,
                step=_STEP,
                stop_event=self._ground.stop,
                raise_interrupt=False,
            ):
                self._changed()
        return ()


def _is_ours(_change: Change, path: str) -> bool:
    """Hidden files are those of editors and of Ketapress itself."""
    return not Path(path).name.startswith(".")
