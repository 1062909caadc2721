"""What one part of a daemon counts for machines, kept beside the publication so that the web door can tell it.

In: counts and durations. Out: a small file a part, `.ketapress/measured-PART.json`, replaced as a whole; so a daemon that
is split into several processes of one machine has one page of metrics.
"""

import json
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from ketapress.system.lock import private_folder


class Measures:
    """The numbers of one part, from what was counted before a restart on. Safe to call from several threads."""

    def __init__(self, root: Path, part: str) -> None:
        self._file = private_folder(root) / f"measured-{part}.json"
        self._numbers = Counter(_numbers(self._file))
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
            text = json.dumps(self._numbers)
        new = self._file.with_suffix(".new")
        try:
            new.write_text(text)
            os.replace(new, self._file)  # noqa: PTH105 - one call, whole or not at all
        except OSError:
            return


def measured(root: Path) -> Mapping[str, float]:
    """The numbers of all parts."""
    found: dict[str, float] = {}
    for file in sorted((root / ".ketapress").glob("measured-*.json")):
        found |= _numbers(file)
    return found


def _numbers(file: Path) -> dict[str, float]:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return (
        {str(name): number for name, number in found.items() if isinstance(number, int | float)}
        if isinstance(found, dict)
        else {}
    )
