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
_BACK = 25 * HOUR  # no clock was ever set back by more
_LOOK = 3 * HOUR  # no zone has two changes so near to each other since 1970

Named = Callable[[datetime], bool]
"""Whether a schedule names a time on a wall."""


def minutes_of(moment: datetime) -> int:
    return (moment - EPOCH) // MINUTE


def walked(zone: str, named: Named, first: int, last: int, step: int = 1) -> dict[str, int]:
    """Every slot in a span, by its key: somebody stands before the clock and looks at it every `step` minutes."""
    tz = ZoneInfo(zone)
    found: dict[datetime, int] = {}
    days = set()
    skipped: list[tuple[datetime, int]] = []
    before = _wall(first - _BACK - step, tz)
    for minute in range(first - _BACK, last, step):
        wall = _wall(minute, tz)
        days.add(wall.date())
        missing = before + step * MINUTE
        while missing < wall:
            skipped.append((missing, minute))
            missing += step * MINUTE
        found.setdefault(wall, minute)
        before = wall
    for wall, minute in skipped:
        if wall.date() in days:
            found.setdefault(wall, minute)
    return {
        f"{wall:%Y-%m-%dT%H%M}": minute
        for wall, minute in found.items()
        if first <= minute < last and named(wall)
    }


@dataclass(frozen=True)
class Span:
    """Minutes in which a zone does not change its clocks: walls show UTC's minute and `shift` more."""

    start: int
    end: int
    shift: int


def spans(zone: str, first: int, last: int) -> Iterator[Span]:
    """The time from `first` to `last`, cut where clocks are changed."""
    tz = ZoneInfo(zone)
    start = first
    for look in range(first, last, _LOOK):
        if _shift(look, tz) != _shift(min(look + _LOOK, last), tz):
            change = (
                look
                + 1
                + bisect_left(
                    range(look + 1, look + _LOOK),
                    True,
                    key=lambda minute: _shift(minute, tz) != _shift(look, tz),
                )
            )
            yield Span(start, change, _shift(start, tz))
            start = change
    yield Span(start, last, _shift(start, tz))


def slots_of(cut: Sequence[Span], walls: Sequence[int], first: int, last: int) -> list[tuple[int, int]]:
    """Every slot in a span of time: its minute of UTC and its minute on the wall, for sorted minutes on walls.

    `cut` has to begin some days before `first`.
    """
    found: list[tuple[int, int]] = []
    seen = cut[0].start + cut[0].shift
    for span in cut:
        begin, end = span.start + span.shift, span.end + span.shift
        for wall in walls[bisect_left(walls, seen) : bisect_left(walls, begin)]:
            day = wall - wall % DAY
            if not seen <= day <= begin - DAY:
                found.append((span.start, wall))
        come = walls[bisect_left(walls, max(seen, begin)) : bisect_left(walls, end)]
        found += [(wall - span.shift, wall) for wall in come]
        seen = max(seen, end)
    return [each for each in found if first <= each[0] < last]


def _wall(minute: int, tz: ZoneInfo) -> datetime:
    return (EPOCH + minute * MINUTE).astimezone(tz).replace(tzinfo=None, fold=0)


def _shift(minute: int, tz: ZoneInfo) -> int:
    return ((EPOCH + minute * MINUTE).astimezone(tz).utcoffset() or timedelta()) // MINUTE
