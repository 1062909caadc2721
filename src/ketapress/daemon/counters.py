"""What one part of a daemon counts for machines, kept beside the publication so that the web door can tell it.

In: counts and durations. Out: a small file a part, `.ketapress/measured-PART.json`, replaced as a whole; so a daemon that
is split into several processes of one machine has one page of metrics.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock

from ketapress.model.errors import RefusedError
from ketapress.system.state_file import STATE_FOLDER, read_state, write_state


class Measures:
    """The numbers of one part, from what was counted before a restart on. Safe to call from several threads."""

    def __init__(self, root: Path, part: str) -> None:
        self._root, self._name = root, f"measured-{part}.json"
        self._numbers = Counter(_numbers(root, self._name))
        self._lock = Lock()

    def add(self, name: str, number: float = 1) -> None:
        with self._lock:
            self._numbers[name] += number  # type: ignore[assignment]  # a Counter adds any number

    def set(self, name: str, number: float) -> None:
        with self._lock:
            self._numbers[name] = number  # type: ignore[assignment]  # as above

    def keep(self) -> None:
        """Writes them down, where the disk allows it: nothing depends on them."""
        with self._lock:
            numbers = dict(self._numbers)
        with suppress(OSError, RefusedError):
            write_state(self._root, self._name, numbers)


def measured(root: Path) -> Mapping[str, float]:
    """The numbers of all parts."""
    found: dict[str, float] = {}
    for file in sorted((root / STATE_FOLDER).glob("measured-*.json")):
        found |= _numbers(root, file.name)
    return found


def _numbers(root: Path, name: str) -> dict[str, float]:
    return {key: number for key, number in read_state(root, name).items() if isinstance(number, int | float)}
