"""The instants that a schedule names. In: a cron expression, a zone, a span. Out: slots.

cronsim says which local times an expression names, on a calendar without clock changes; what those times mean in
a zone is decided here (APScheduler's own trigger loses whole days at clock changes, and fires twice in an overlap):

- a time inside a gap comes once, at the first instant after the gap;
- a time that comes twice (an overlap) is taken the first time;
- a civil day that a zone leaves out altogether (Apia, 30 December 2011) has no slots.

Instants are in UTC: two times in the same zone compare by their wall clocks, which is wrong in an overlap.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from ketapress.model.edition import YEARS, Slot

KEY_FORMAT = "%Y-%m-%dT%H%M"
_SECOND = timedelta(seconds=1)
_LONGEST_SHIFT = timedelta(hours=25)  # a zone that jumps the date line moves its clocks by 24 hours
_EXPRESSION_HORIZON = timedelta(days=366 * 8)  # 29 February is at most eight years away (1896 to 1904)


def slots(newsletter: str, cron: str, zone: str, after: datetime, until: datetime) -> tuple[Slot, ...]:
    """Every slot later than `after`, up to and including `until`, in order of time, then of their local minutes."""
    tz = ZoneInfo(zone)
    first = _civil(after, tz) - _LONGEST_SHIFT
    last = _civil(until, tz) + _LONGEST_SHIFT
    found = []
    for civil in _civil_times(cron, first, last):
        at = instant(civil, tz)
        if at is not None and after < at <= until:
            found.append(Slot(newsletter, civil.strftime(KEY_FORMAT), at))
    return tuple(sorted(found, key=lambda slot: (slot.at, slot.key)))


def next_slot(newsletter: str, cron: str, zone: str, after: datetime) -> Slot | None:
    """The first slot later than `after`; None where the expression names none in eight years."""
    tz = ZoneInfo(zone)
    first = _civil(after, tz) - _LONGEST_SHIFT
    candidates = (
        Slot(newsletter, civil.strftime(KEY_FORMAT), at)
        for civil in _civil_times(cron, first, first + _EXPRESSION_HORIZON)
        if (at := instant(civil, tz)) is not None and at > after
    )
    return next(candidates, None)


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
    early, late = (civil.replace(tzinfo=tz, fold=fold).astimezone(UTC) for fold in (0, 1))
    if _civil(early, tz) == civil:
        return early
    if _day_is_missing(civil.date(), tz):
        return None
    return _end_of_gap(late, early, tz)


def midnight(day: date, zone: str) -> datetime:
    """The instant at which a day begins in a zone; where its midnight is left out, the first instant after."""
    tz = ZoneInfo(zone)
    civil = datetime.combine(day, time())
    return instant(civil, tz) or civil.replace(tzinfo=tz).astimezone(UTC)


def _civil_times(cron: str, first: datetime, last: datetime) -> Iterator[datetime]:
    """The local times an expression names, as naive datetimes: the calendar on the wall, without clock changes."""
    try:
        for civil in CronSim(cron, first):
            if civil > last:
                return
            yield civil
    except StopIteration:
        return


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
