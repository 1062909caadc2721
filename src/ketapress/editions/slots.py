"""The instants that a schedule names. In: a cron expression, a zone, a span. Out: slots.

cronsim says which local times an expression names, on a calendar without clock changes; what those times mean in
a zone is decided here (APScheduler's own trigger loses whole days at clock changes, and fires twice in an overlap):

- a time inside a gap comes once, at the first instant after the gap;
- a time that comes twice (an overlap) is taken the first time;
- a civil day that a zone leaves out altogether (Apia, 30 December 2011) has no slots.

Instants are in UTC: two times in the same zone compare by their wall clocks, which is wrong in an overlap.
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
_LONGEST_SHIFT = timedelta(hours=25)  # a zone that jumps the date line moves its clocks by 24 hours
_ANY_DAY = datetime(2000, 1, 1)  # noqa: DTZ001 - on a wall without clock changes
_HORIZON = timedelta(days=366 * 8)  # 29 February is at most eight years away (1896 to 1904)


def list_slots(newsletter: str, cron: str, zone: str, start: datetime, end: datetime) -> tuple[Slot, ...]:
    """Every slot later than `after`, up to and including `until`, in order of time, then of their local minutes."""
    candidates = _iterate_slots(
        newsletter, cron, zone, start, _to_local_time(end, ZoneInfo(zone)) + _LONGEST_SHIFT
    )
    return tuple(takewhile(lambda slot: slot.at <= end, candidates))


def find_next_slot(newsletter: str, cron: str, zone: str, moment: datetime) -> Slot | None:
    """The first slot later than `after`; None where the expression names none in eight years."""
    return next(
        _iterate_slots(newsletter, cron, zone, moment, _to_local_time(moment, ZoneInfo(zone)) + _HORIZON),
        None,
    )


def minute_slot(newsletter: str, zone: str, now: datetime) -> Slot:
    """A slot of the minute that `now` lies in, for an edition that no schedule names."""
    minute = now.astimezone(UTC).replace(second=0, microsecond=0)
    return Slot(newsletter, _to_local_time(minute, ZoneInfo(zone)).strftime(SLOT_KEY_FORMAT), minute)


def parse_slot_key(newsletter: str, key: str, zone: str) -> Slot | None:
    """The slot that a key names (`2023-06-12T0800`); None where it is no key, or a day that the zone leaves out."""
    try:
        local_time = datetime.strptime(key, SLOT_KEY_FORMAT)  # noqa: DTZ007 - a local minute, placed in its zone below
    except ValueError:
        return None
    if local_time.year not in SUPPORTED_YEARS:
        return None
    moment = local_to_utc(local_time, ZoneInfo(zone))
    return Slot(newsletter, key, moment) if moment else None


def is_scheduled(slot: Slot, cron: str, zone: str) -> bool:
    """Whether a schedule names this slot."""
    return slot in list_slots(slot.newsletter, cron, zone, slot.at - _SECOND, slot.at)


def local_to_utc(local_time: datetime, tz: ZoneInfo) -> datetime | None:
    """The instant of a local time in UTC, by the rules above; None on a day that the zone leaves out."""
    earlier = local_time.replace(tzinfo=tz, fold=0)
    early_offset, late_offset = (moment.utcoffset() or _ZERO for moment in (earlier, earlier.replace(fold=1)))
    # PEP 495: the same, but in an overlap, where fold=0 is the first time; in a gap it is smaller
    if early_offset >= late_offset:
        return earlier.astimezone(UTC)
    if _is_day_missing(local_time.date(), tz):
        return None
    return _find_gap_end(
        (local_time - late_offset).replace(tzinfo=UTC), (local_time - early_offset).replace(tzinfo=UTC), tz
    )


def local_midnight(day: date, zone: str) -> datetime:
    """The instant at which a day begins in a zone; where its midnight is left out, the first instant after."""
    tz = ZoneInfo(zone)
    local_time = datetime.combine(day, time())
    return local_to_utc(local_time, tz) or local_time.replace(tzinfo=tz).astimezone(UTC)


def _iterate_slots(newsletter: str, cron: str, zone: str, start: datetime, end: datetime) -> Iterator[Slot]:
    """The slots later than `after` whose local day is not later than that of `last`, by local time.

    By their instants they stand in the same order, because a wall shows a time for the first time, or leaves it out,
    only when it has shown all earlier ones or left them out. So none of those that are wanted has a local time before
    what the wall shows at `after`.
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
    """The times of day that an expression names, each with how it stands in a key. Days do not matter to them."""
    minute, hour, *_ = cron.split()
    occurrences = CronSim(f"{minute} {hour} * * *", _ANY_DAY - _SECOND)
    first_day = takewhile(lambda occurrence: occurrence < _ANY_DAY + _DAY, occurrences)
    return tuple((occurrence.time(), f"{occurrence:%H%M}") for occurrence in first_day)


def _iterate_days(cron: str, first: date, last: date) -> Iterator[date]:
    """The days that an expression names, both ends included."""
    start, end = (datetime.combine(day, time()) for day in (first, last))
    occurrences = CronSim(" ".join(["0", "0", *cron.split()[2:]]), start - _SECOND)
    with suppress(StopIteration):  # cronsim gives up after fifty years without a day
        while (occurrence := next(occurrences)) <= end:
            yield occurrence.date()


def _to_local_time(moment: datetime, tz: ZoneInfo) -> datetime:
    """What clocks on the wall show at a moment."""
    return moment.astimezone(UTC).astimezone(tz).replace(tzinfo=None, fold=0)


def _is_day_missing(day: date, tz: ZoneInfo) -> bool:
    local_times = (datetime.combine(day, time(hour, minute)) for hour in range(24) for minute in (0, 59))
    return all(_to_local_time(local_time.replace(tzinfo=tz), tz) != local_time for local_time in local_times)


def _find_gap_end(low: datetime, high: datetime, tz: ZoneInfo) -> datetime:
    """The transition between two UTC instants that lie before and after it, to the second."""
    offset = low.astimezone(tz).utcoffset()
    while high - low > _SECOND:
        middle = low + (high - low) // 2
        if middle.astimezone(tz).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)
