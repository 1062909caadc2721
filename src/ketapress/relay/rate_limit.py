"""How fast, and how many at once: what the relay bears, and what each domain of recipients does.

In: what became of messages, and instants in seconds. Out: seconds to wait, numbers of lines. Additive up,
multiplicative down, as TCP and Postfix do. Pure: it never waits, and reads no clock.
"""

from collections import deque
from datetime import date

SLOWEST = 0.1  # messages a second to the relay
SLOWEST_LANE = 1.0  # and to one domain: a greylist of ten thousand is through in three hours
_SEEN = 50  # messages from whose instants the present rate is measured


FIRST_DAY = 200  # messages of a warm-up's first day: what large receivers take from a stranger
WARM_UP_DAYS = 14


def most_a_day(began: date, today: date) -> int | None:
    """How many messages a warm-up allows today: twice as many as the day before; None when it is over."""
    days = (today - began).days
    return FIRST_DAY << max(days, 0) if days < WARM_UP_DAYS else None


class Rate:
    """At most so many messages a second, evenly spaced; halved when somebody says that it is too much.

    `limit` is what the settings allow. Without one there is no limit until it is asked for, and none any more once
    twice the rate that was too much is borne again.
    """

    def __init__(self, limit: float | None, slowest: float = SLOWEST) -> None:
        self._limit = limit
        self._slowest = slowest
        self._rate = limit
        self._step = 0.0
        self._free_at = 0.0
        self._deaf_until = 0.0
        self._seen: deque[float] = deque(maxlen=_SEEN)

    @property
    def limited(self) -> bool:
        return self._rate is not None

    def away(self, now: float) -> float:
        """How many seconds away the next free place is."""
        if self._rate is None:
            return 0.0
        return min(max(self._free_at - now, 0.0), 1 / self._rate)  # no further even if the clock was set back

    def wait(self, now: float) -> float:
        """Books the next place, and says how many seconds away it is. One at a time: whoever booked waits first."""
        if self._rate is None:
            return 0.0
        away = self.away(now)
        self._free_at = now + away + 1 / self._rate
        return away

    def taken(self, now: float) -> None:
        """A message was taken: after each second's worth of them it is a twentieth of the old rate faster."""
        self._seen.append(now)
        if self._rate is None or not self._step:
            return
        self._rate += self._step / max(self._rate, 1)
        if self._limit is not None:
            self._rate = min(self._rate, self._limit)
        elif self._rate > 40 * self._step:
            self._rate = None

    def throttled(self, now: float) -> None:
        """It is too much: half of what it was. What others hear meanwhile is the same complaint."""
        if now < self._deaf_until:
            return
        measured = self._measured(now)
        fastest = measured if self._rate is None else min(self._rate, max(measured, self._slowest))
        self._rate = max(fastest / 2, self._slowest)
        self._step = max(fastest / 20, self._slowest)
        self._free_at = self._deaf_until = now + 1 / self._rate

    def _measured(self, now: float) -> float:
        """Messages a second lately; one a second when nothing is known."""
        span = now - self._seen[0] if self._seen else 0.0
        return len(self._seen) / span if span > 0 else 1.0


class Lane:
    """One domain of recipients: fewer lines and a slower pace after each deferral, more of both while it goes well.

    `busy` is on how many lines it is.
    """

    def __init__(self, lines: int) -> None:
        self.busy = 0
        self._most = self._limit = lines
        self._good = 0
        self._rate = Rate(None, SLOWEST_LANE)

    @property
    def well(self) -> bool:
        """Whether it was never in trouble, or got over it."""
        return self._limit >= self._most and not self._rate.limited

    @property
    def full(self) -> bool:
        return self.busy >= self._limit

    def away(self, now: float) -> float:
        """In how many seconds another message may go there."""
        return self._rate.away(now)

    def begun(self, now: float) -> None:
        self.busy += 1
        self._rate.wait(now)

    def taken(self, now: float) -> None:
        self._rate.taken(now)
        self._good += 1
        if self._limit < self._most and self._good >= self._limit:
            self._good = 0
            self._limit += 1

    def deferred(self, now: float) -> None:
        self._rate.throttled(now)
        self._limit = max(1, self._limit // 2)
        self._good = 0


class Pace:
    """What is known of the relay and of the domains, for one process: an edition goes on where the last one slowed."""

    def __init__(self, rate: float | None, lines: int) -> None:
        self.rate = Rate(rate)
        self.lines = lines
        self._lanes: dict[str, Lane] = {}

    def lane(self, domain: str) -> Lane:
        found = self._lanes.get(domain)
        if found is None:
            found = self._lanes[domain] = Lane(self.lines)
        return found

    def forget(self, domain: str) -> None:
        """Nothing is on its way to it: only trouble is remembered."""
        if self._lanes[domain].well:
            del self._lanes[domain]
