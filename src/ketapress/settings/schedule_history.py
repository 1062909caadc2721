"""Remember the schedules that slots were last decided with, in `.ketapress/schedules.json`, to show a change beforehand.

The store alone decides slots. An unreadable file counts as missing, and a failed write is not reported: the same disk
then refuses the editions, which is reported.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ketapress.model.errors import RefusedError
from ketapress.model.settings import Schedule, Settings
from ketapress.settings.converters import CONVERTERS
from ketapress.system.state_file import read_state, write_state

_FILE_NAME = "schedules.json"


class ZonedSchedule(NamedTuple):
    """A schedule and the time zone it applies in."""

    schedule: Schedule
    zone: str

    def __str__(self) -> str:
        return f"{self.schedule.text} ({self.zone})"


def current_schedules(settings: Settings) -> dict[str, ZonedSchedule]:
    """Return the schedule of each newsletter in the settings."""
    return {
        name: ZonedSchedule(newsletter.schedule, settings.newsletter_zone(newsletter))
        for name, newsletter in settings.newsletters.items()
    }


def last_schedules(root: Path) -> Mapping[str, ZonedSchedule]:
    """Return the schedule of each newsletter when slots were last decided in this folder."""
    with suppress(ValueError, TypeError, KeyError, AttributeError):
        return {
            name: ZonedSchedule(CONVERTERS["schedule"](entry["schedule"]), CONVERTERS["zone"](entry["zone"]))
            for name, entry in read_state(root, _FILE_NAME).items()
        }
    return {}


def save_schedules(root: Path, settings: Settings) -> None:
    """Remember the current schedules; writes only a change."""
    schedules = current_schedules(settings)
    if last_schedules(root) == schedules:
        return
    entries = {
        name: {"schedule": zoned.schedule.text, "zone": zoned.zone} for name, zoned in schedules.items()
    }
    with suppress(OSError, RefusedError):
        write_state(root, _FILE_NAME, entries)
