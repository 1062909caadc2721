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
from ketapress.settings.converters import CONVERTERS
from ketapress.system.state_file import read_state, write_state

_FILE_NAME = "schedules.json"


class ZonedSchedule(NamedTuple):
    """When a newsletter is due: the schedule, and the zone it is meant in."""

    schedule: Schedule
    zone: str

    def __str__(self) -> str:
        return f"{self.schedule.text} ({self.zone})"


def current_schedules(settings: Settings) -> dict[str, ZonedSchedule]:
    """The schedule of each newsletter as the settings have it."""
    return {
        name: ZonedSchedule(newsletter.schedule, settings.newsletter_zone(newsletter))
        for name, newsletter in settings.newsletters.items()
    }


def last_schedules(root: Path) -> Mapping[str, ZonedSchedule]:
    """The schedule of each newsletter when slots were last decided here."""
    with suppress(ValueError, TypeError, KeyError, AttributeError):
        return {name: _parse_entry(entry) for name, entry in read_state(root, _FILE_NAME).items()}
    return {}


def save_schedules(root: Path, settings: Settings) -> None:
    """Remembers the schedules that were acted on just now; writes only what changed."""
    schedules = current_schedules(settings)
    if last_schedules(root) == schedules:
        return
    entries = {
        name: {"schedule": zoned.schedule.text, "zone": zoned.zone} for name, zoned in schedules.items()
    }
    with suppress(OSError, RefusedError):
        write_state(root, _FILE_NAME, entries)


def _parse_entry(entry: Mapping[str, Any]) -> ZonedSchedule:
    return ZonedSchedule(CONVERTERS["schedule"](entry["schedule"]), CONVERTERS["zone"](entry["zone"]))
