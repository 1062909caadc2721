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

from ketapress.model.edition import YEARS, Slot

KEY_FORMAT = "%Y-%m-%dT%H%M"
_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)
_NO_SHIFT = timedelta()
_LONGEST_SHIFT = timedelta(hours=25)  # a zone that jumps the date line moves its clocks by 24 hours
_SOME_DAY = datetime(2000, 1, 1)  # noqa: DTZ001 - on a wall without clock changes
_HORIZON = timedelta(days=366 * 8)  # 29 February is at most eight years away (1896 to 1904)


def slots(newsletter: str, cron: str, zone: str, after: datetime, until: datetime) -> tuple[Slot, ...]:
    """Every slot later than `after`, up to and including `until`, in order of time, then of their local minutes."""
    found = _slots(newsletter, cron, zone, after, _civil(until, ZoneInfo(zone)) + _LONGEST_SHIFT)
    return tuple(takewhile(lambda slot: slot.at <= until, found))


def next_slot(newsletter: str, cron: str, zone: str, after: datetime) -> Slot | None:
    """The first slot later than `after`; None where the expression names none in eight years."""
    return next(_slots(newsletter, cron, zone, after, _civil(after, ZoneInfo(zone)) + _HORIZON), None)


def slot_at(newsletter: str, zone: str, now: datetime) -> Slot:
    """A slot of the minute that `now` lies in, for an edition that no schedule names."""
    minute = now.astimezone(UTC).replace(second=0, microsecond=0)
    return Slot(newsletter, _civil(minute, ZoneInfo(zone)).strftime(KEY_FORMAT), minute)


def slot_of(newsletter: str, key: str, zone: str) -> Slot | None:
    """The slot that a key names (`2023-06-12T0800`); None where it is no key, or a day that the zone leaves out."""
    try:
        civil = datetime.strptime(key, KEY_FORMAT)  # noqa: DTZ007 - a local minute, placed in its zone below
    except ValueError:
        return None
    if civil.year not in YEARS:
        return None
    at = instant(civil, ZoneInfo(zone))
    return Slot(newsletter, key, at) if at else None


def is_named(slot: Slot, cron: str, zone: str) -> bool:
    """Whether a schedule names this slot."""
    return slot in slots(slot.newsletter, cron, zone, slot.at - _SECOND, slot.at)


def instant(civil: datetime, tz: ZoneInfo) -> datetime | None:
    """The instant of a local time in UTC, by the rules above; None on a day that the zone leaves out."""
    first = civil.replace(tzinfo=tz, fold=0)
    early, late = (each.utcoffset() or _NO_SHIFT for each in (first, first.replace(fold=1)))
    # PEP 495: the same, but in an overlap, where fold=0 is the first time; in a gap it is smaller
    if early >= late:
        return first.astimezone(UTC)
    if _day_is_missing(civil.date(), tz):
        return None
    return _end_of_gap((civil - late).replace(tzinfo=UTC), (civil - early).replace(tzinfo=UTC), tz)


def midnight(day: date, zone: str) -> datetime:
    """The instant at which a day begins in a zone; where its midnight is left out, the first instant after."""
    tz = ZoneInfo(zone)
    civil = datetime.combine(day, time())
    return instant(civil, tz) or civil.replace(tzinfo=tz).astimezone(UTC)


def _slots(newsletter: str, cron: str, zone: str, after: datetime, last: datetime) -> Iterator[Slot]:
    """The slots later than `after` whose local day is not later than that of `last`, by local time.

    By their instants they stand in the same order, because a wall shows a time for the first time, or leaves it out,
    only when it has shown all earlier ones or left them out. So none of those that are wanted has a local time before
    what the wall shows at `after`.
    """
    tz = ZoneInfo(zone)
    first = _civil(after, tz)
    clock_times = _clock_times(cron)
    for day in _days(cron, first.date(), last.date()):
        date_of_key = day.isoformat()
        for clock, ending in clock_times:
            civil = datetime.combine(day, clock)
            at = instant(civil, tz) if civil >= first else None
            if at is not None and at > after:
                yield Slot(newsletter, f"{date_of_key}T{ending}", at)


@lru_cache(maxsize=64)
def _clock_times(cron: str) -> tuple[tuple[time, str], ...]:
    """The times of day that an expression names, each with how it stands in a key. Days do not matter to them."""
    minute, hour, *_ = cron.split()
    named = CronSim(f"{minute} {hour} * * *", _SOME_DAY - _SECOND)
    found = takewhile(lambda each: each < _SOME_DAY + _DAY, named)
    return tuple((each.time(), f"{each:%H%M}") for each in found)


def _days(cron: str, first: date, last: date) -> Iterator[date]:
    """The days that an expression names, both ends included."""
    begin, end = (datetime.combine(day, time()) for day in (first, last))
    named = CronSim(" ".join(["0", "0", *cron.split()[2:]]), begin - _SECOND)
    with suppress(StopIteration):  # cronsim gives up after fifty years without a day
        while (found := next(named)) <= end:
            yield found.date()


def _civil(moment: datetime, tz: ZoneInfo) -> datetime:
    """What clocks on the wall show at a moment."""
    return moment.astimezone(UTC).astimezone(tz).replace(tzinfo=None, fold=0)


def _day_is_missing(day: date, tz: ZoneInfo) -> bool:
    hours = (datetime.combine(day, time(hour, minute)) for hour in range(24) for minute in (0, 59))
    return all(_civil(civil.replace(tzinfo=tz), tz) != civil for civil in hours)


def _end_of_gap(low: datetime, high: datetime, tz: ZoneInfo) -> datetime:
    """The transition between two UTC instants that lie before and after it, to the second."""
    before = low.astimezone(tz).utcoffset()
    while high - low > _SECOND:
        middle = low + (high - low) // 2
        if middle.astimezone(tz).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)
