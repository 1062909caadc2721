"""What clocks on walls show: slots found by looking, with nothing of ours and nothing of cron's but the rules.

Minutes are counted since 1970, of UTC or as a wall shows them. A wall minute that comes is taken the first time; one
that a zone leaves out is taken at the first instant after; a day that never comes has none.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY, HOUR = 24 * 60, 60
MINUTE = timedelta(minutes=1)
_LEAD = 25 * HOUR  # no clock was ever set back by more
_STEP = 3 * HOUR  # no zone has two changes so near to each other since 1970

SlotTest = Callable[[datetime], bool]
"""Whether a schedule names a time on a wall."""


def to_minutes(moment: datetime) -> int:
    return (moment - EPOCH) // MINUTE


def list_slots_by_walking(
    zone: str, is_slot: SlotTest, first: int, last: int, step: int = 1
) -> dict[str, int]:
    """Every slot in a span, by its key: somebody stands before the clock and looks at it every `step` minutes."""
    tz = ZoneInfo(zone)
    minutes_by_wall: dict[datetime, int] = {}
    days = set()
    skipped: list[tuple[datetime, int]] = []
    previous_wall = _wall(first - _LEAD - step, tz)
    for minute in range(first - _LEAD, last, step):
        wall = _wall(minute, tz)
        days.add(wall.date())
        missing = previous_wall + step * MINUTE
        while missing < wall:
            skipped.append((missing, minute))
            missing += step * MINUTE
        minutes_by_wall.setdefault(wall, minute)
        previous_wall = wall
    for wall, minute in skipped:
        if wall.date() in days:
            minutes_by_wall.setdefault(wall, minute)
    return {
        f"{wall:%Y-%m-%dT%H%M}": minute
        for wall, minute in minutes_by_wall.items()
        if first <= minute < last and is_slot(wall)
    }


@dataclass(frozen=True)
class Span:
    """Minutes in which a zone does not change its clocks: walls show UTC's minute and `shift` more."""

    start: int
    end: int
    shift: int


def find_spans(zone: str, first: int, last: int) -> Iterator[Span]:
    """The time from `first` to `last`, cut where clocks are changed."""
    tz = ZoneInfo(zone)
    start = first
    for look in range(first, last, _STEP):
        if _shift(look, tz) != _shift(min(look + _STEP, last), tz):
            change = (
                look
                + 1
                + bisect_left(
                    range(look + 1, look + _STEP),
                    True,
                    key=lambda minute: _shift(minute, tz) != _shift(look, tz),
                )
            )
            yield Span(start, change, _shift(start, tz))
            start = change
    yield Span(start, last, _shift(start, tz))


def slots_of(spans: Sequence[Span], walls: Sequence[int], first: int, last: int) -> list[tuple[int, int]]:
    """Every slot in a span of time: its minute of UTC and its minute on the wall, for sorted minutes on walls.

    `cut` has to begin some days before `first`.
    """
    slots: list[tuple[int, int]] = []
    latest_wall = spans[0].start + spans[0].shift
    for span in spans:
        begin, end = span.start + span.shift, span.end + span.shift
        for wall in walls[bisect_left(walls, latest_wall) : bisect_left(walls, begin)]:
            day = wall - wall % DAY
            if not latest_wall <= day <= begin - DAY:
                slots.append((span.start, wall))
        new_walls = walls[bisect_left(walls, max(latest_wall, begin)) : bisect_left(walls, end)]
        slots += [(wall - span.shift, wall) for wall in new_walls]
        latest_wall = max(latest_wall, end)
    return [slot for slot in slots if first <= slot[0] < last]


def _wall(minute: int, tz: ZoneInfo) -> datetime:
    return (EPOCH + minute * MINUTE).astimezone(tz).replace(tzinfo=None, fold=0)


def _shift(minute: int, tz: ZoneInfo) -> int:
    return ((EPOCH + minute * MINUTE).astimezone(tz).utcoffset() or timedelta()) // MINUTE
