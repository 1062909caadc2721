"""Numbers for Prometheus, in one file a job: `.ketapress/measured-JOB.json`.

As files, they survive a restart, and the web server can show those of other processes on the same machine.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock

from ketapress.model.errors import RefusedError
from ketapress.system.state_file import STATE_FOLDER, read_state, write_state


class Counters:
    """The numbers of one job, which go on from their last saved values. Safe for several threads."""

    def __init__(self, root: Path, job: str) -> None:
        self._root, self._file_name = root, f"measured-{job}.json"
        self._numbers = Counter(_read_file(root, self._file_name))
        self._lock = Lock()

    def add(self, name: str, number: float = 1) -> None:
        with self._lock:
            self._numbers[name] += number  # type: ignore[assignment]  # a Counter adds any number

    def set(self, name: str, number: float) -> None:
        with self._lock:
            self._numbers[name] = number  # type: ignore[assignment]  # as above

    def save(self) -> None:
        """Write the file. A failure is ignored: nothing depends on these numbers."""
        with self._lock:
            numbers = dict(self._numbers)
        with suppress(OSError, RefusedError):
            write_state(self._root, self._file_name, numbers)


def read_counters(root: Path) -> Mapping[str, float]:
    """Return the saved numbers of all jobs."""
    numbers: dict[str, float] = {}
    for file in sorted((root / STATE_FOLDER).glob("measured-*.json")):
        numbers |= _read_file(root, file.name)
    return numbers


def _read_file(root: Path, file_name: str) -> dict[str, float]:
    state = read_state(root, file_name)
    return {name: number for name, number in state.items() if isinstance(number, int | float)}
