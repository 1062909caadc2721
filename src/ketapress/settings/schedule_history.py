"""Edge: the schedules that were last acted on, in `.ketapress/schedules.json`, so that a change can be shown first.

Only a memory: slots are decided by the store. What cannot be read is none, and what cannot be written is said nowhere:
the disk that refuses it refuses the editions too, and they say so.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from ketapress.model.errors import RefusedError
from ketapress.model.settings import Schedule, Settings
from ketapress.settings.converters import READERS
from ketapress.system.state_file import read_state, write_state

_NAME = "schedules.json"


class ZonedSchedule(NamedTuple):
    """When a newsletter is due: the schedule, and the zone it is meant in."""

    schedule: Schedule
    zone: str

    def __str__(self) -> str:
        return f"{self.schedule.text} ({self.zone})"


def schedules_of(settings: Settings) -> dict[str, ZonedSchedule]:
    """The schedule of each newsletter as the settings have it."""
    return {
        name: ZonedSchedule(each.schedule, settings.zone(each)) for name, each in settings.newsletters.items()
    }


def acted_schedules(root: Path) -> Mapping[str, ZonedSchedule]:
    """The schedule of each newsletter when slots were last decided here."""
    with suppress(ValueError, TypeError, KeyError, AttributeError):
        return {name: _read(each) for name, each in read_state(root, _NAME).items()}
    return {}


def keep_schedules(root: Path, settings: Settings) -> None:
    """Remembers the schedules that were acted on just now; writes only what changed."""
    schedules = schedules_of(settings)
    if acted_schedules(root) == schedules:
        return
    kept = {name: {"schedule": each.schedule.text, "zone": each.zone} for name, each in schedules.items()}
    with suppress(OSError, RefusedError):
        write_state(root, _NAME, kept)


def _read(kept: Mapping[str, Any]) -> ZonedSchedule:
    return ZonedSchedule(READERS["schedule"](kept["schedule"]), READERS["zone"](kept["zone"]))
