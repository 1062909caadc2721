"""List the slots of a schedule: a cron expression in a time zone.

cronsim lists the local times of an expression, on a calendar without clock changes. This module converts them to UTC
(APScheduler's own trigger loses whole days at clock changes, and fires twice in an overlap):

- a time in a gap is due once, at the first instant after the gap;
- a time that occurs twice (an overlap) is due the first time;
- a day that a time zone skips (Apia, 30 December 2011) has no slots.

All instants are in UTC: Python compares two times in the same zone by their local times, which is wrong in an overlap.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim

from ketapress.model.edition import SUPPORTED_YEARS, Slot

SLOT_KEY_FORMAT = "%Y-%m-%dT%H%M"
_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)
_ZERO = timedelta()
_LONGEST_SHIFT = timedelta(hours=25)  # a zone that crosses the date line moves its clocks by 24 hours
_ANY_DAY = datetime(2000, 1, 1)  # noqa: DTZ001 - on a calendar without clock changes
_HORIZON = timedelta(days=366 * 8)  # two 29ths of February are at most eight years apart (1896, 1904)


def list_slots(newsletter: str, cron: str, zone: str, start: datetime, end: datetime) -> tuple[Slot, ...]:
    """Return the slots later than `start`, up to and including `end`, ordered by time, then by local minute."""
    candidates = _iterate_slots(
        newsletter, cron, zone, start, _to_local_time(end, ZoneInfo(zone)) + _LONGEST_SHIFT
    )
    return tuple(takewhile(lambda slot: slot.at <= end, candidates))


def find_next_slot(newsletter: str, cron: str, zone: str, moment: datetime) -> Slot | None:
    """Return the first slot later than `moment`; None where there is none within eight years."""
    return next(
        _iterate_slots(newsletter, cron, zone, moment, _to_local_time(moment, ZoneInfo(zone)) + _HORIZON),
        None,
    )


def minute_slot(newsletter: str, zone: str, now: datetime) -> Slot:
    """Return a slot for the current minute, for an edition outside the schedule."""
    minute = now.astimezone(UTC).replace(second=0, microsecond=0)
    return Slot(newsletter, _to_local_time(minute, ZoneInfo(zone)).strftime(SLOT_KEY_FORMAT), minute)


def parse_slot_key(newsletter: str, key: str, zone: str) -> Slot | None:
    """Parse a slot key (`2023-06-12T0800`); None where it is not valid, or its day does not exist in the zone."""
    try:
        local_time = datetime.strptime(key, SLOT_KEY_FORMAT)  # noqa: DTZ007 - a local minute; its zone follows below
    except ValueError:
        return None
    if local_time.year not in SUPPORTED_YEARS:
        return None
    moment = local_to_utc(local_time, ZoneInfo(zone))
    return Slot(newsletter, key, moment) if moment else None


def is_scheduled(slot: Slot, cron: str, zone: str) -> bool:
    """Return whether a schedule names this slot."""
    return slot in list_slots(slot.newsletter, cron, zone, slot.at - _SECOND, slot.at)


def local_to_utc(local_time: datetime, tz: ZoneInfo) -> datetime | None:
    """Convert a local time to UTC by the rules above; None on a day that the zone skips."""
    earlier = local_time.replace(tzinfo=tz, fold=0)
    early_offset, late_offset = (moment.utcoffset() or _ZERO for moment in (earlier, earlier.replace(fold=1)))
    # PEP 495: equal, except in an overlap, where fold=0 is the first time, and in a gap, where it is smaller.
    if early_offset >= late_offset:
        return earlier.astimezone(UTC)
    if _is_day_missing(local_time.date(), tz):
        return None
    return _find_gap_end(
        (local_time - late_offset).replace(tzinfo=UTC), (local_time - early_offset).replace(tzinfo=UTC), tz
    )


def local_midnight(day: date, zone: str) -> datetime:
    """Return the instant at which a day starts in a zone: its midnight, or the first instant after where that is skipped."""
    tz = ZoneInfo(zone)
    local_time = datetime.combine(day, time())
    return local_to_utc(local_time, tz) or local_time.replace(tzinfo=tz).astimezone(UTC)


def _iterate_slots(newsletter: str, cron: str, zone: str, start: datetime, end: datetime) -> Iterator[Slot]:
    """Yield the slots later than `start` whose local day is not later than that of `end`, ordered by local time.

    Their instants have the same order: a local time occurs for the first time, or is skipped, only after all earlier ones
    have occurred or were skipped. So no slot that is wanted has a local time before that of `start`.
    """
    tz = ZoneInfo(zone)
    first_time = _to_local_time(start, tz)
    day_times = _times_of_day(cron)
    for day in _iterate_days(cron, first_time.date(), end.date()):
        key_date = day.isoformat()
        for time_of_day, key_time in day_times:
            local_time = datetime.combine(day, time_of_day)
            moment = local_to_utc(local_time, tz) if local_time >= first_time else None
            if moment is not None and moment > start:
                yield Slot(newsletter, f"{key_date}T{key_time}", moment)


@lru_cache(maxsize=64)
def _times_of_day(cron: str) -> tuple[tuple[time, str], ...]:
    """Return the times of day of an expression, each also in the format of slot keys."""
    minute, hour, *_ = cron.split()
    occurrences = CronSim(f"{minute} {hour} * * *", _ANY_DAY - _SECOND)
    first_day = takewhile(lambda occurrence: occurrence < _ANY_DAY + _DAY, occurrences)
    return tuple((occurrence.time(), f"{occurrence:%H%M}") for occurrence in first_day)


def _iterate_days(cron: str, first: date, last: date) -> Iterator[date]:
    """Yield the days of an expression, both ends included."""
    start, end = (datetime.combine(day, time()) for day in (first, last))
    occurrences = CronSim(" ".join(["0", "0", *cron.split()[2:]]), start - _SECOND)
    with suppress(StopIteration):  # cronsim stops after fifty years without a match
        while (occurrence := next(occurrences)) <= end:
            yield occurrence.date()


def _to_local_time(moment: datetime, tz: ZoneInfo) -> datetime:
    """Convert a moment to the local time in a zone."""
    return moment.astimezone(UTC).astimezone(tz).replace(tzinfo=None, fold=0)


def _is_day_missing(day: date, tz: ZoneInfo) -> bool:
    local_times = (datetime.combine(day, time(hour, minute)) for hour in range(24) for minute in (0, 59))
    return all(_to_local_time(local_time.replace(tzinfo=tz), tz) != local_time for local_time in local_times)


def _find_gap_end(low: datetime, high: datetime, tz: ZoneInfo) -> datetime:
    """Find the clock change between two instants in UTC, to the second."""
    offset = low.astimezone(tz).utcoffset()
    while high - low > _SECOND:
        middle = low + (high - low) // 2
        if middle.astimezone(tz).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)
