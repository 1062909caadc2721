"""How fast, and how many at once: a rate that the relay bears, and how many lines one domain of recipients may take.

In: what became of messages, and instants in seconds. Out: seconds to wait, numbers of lines. Additive up,
multiplicative down, as TCP and Postfix do. Pure: it never waits, and reads no clock.
"""

from collections import defaultdict, deque
from collections.abc import Iterable

SLOWEST = 0.1  # messages a second
_SEEN = 50  # messages from whose instants the present rate is measured


class Rate:
    """At most so many messages a second, evenly spaced; halved when the relay says that it is too much.

    `limit` is what the settings allow. Without one there is no limit until the relay asks for one.
    """

    def __init__(self, limit: float | None) -> None:
        self._limit = limit
        self._rate = limit
        self._step = 0.0
        self._free_at = 0.0
        self._deaf_until = 0.0
        self._seen: deque[float] = deque(maxlen=_SEEN)

    @property
    def limited(self) -> bool:
        return self._rate is not None

    def wait(self, now: float) -> float:
        """Books the next place, and says how many seconds away it is. One at a time: whoever booked waits first."""
        if self._rate is None:
            return 0.0
        gap = 1 / self._rate
        place = min(max(self._free_at, now), now + gap)  # no further away even if the clock was set back
        self._free_at = place + gap
        return place - now

    def taken(self, now: float) -> None:
        """A message was taken: after each second's worth of them it is a twentieth of the old rate faster."""
        self._seen.append(now)
        if self._rate is not None and self._step:
            self._rate += self._step / max(self._rate, 1)
            if self._limit is not None:
                self._rate = min(self._rate, self._limit)

    def throttled(self, now: float) -> None:
        """The relay said that it is too much: half of what it was. What others hear meanwhile is the same complaint."""
        if now < self._deaf_until:
            return
        measured = self._measured(now)
        fastest = measured if self._rate is None else min(self._rate, max(measured, SLOWEST))
        self._rate = max(fastest / 2, SLOWEST)
        self._step = max(fastest / 20, SLOWEST)
        self._free_at = self._deaf_until = now + 1 / self._rate

    def _measured(self, now: float) -> float:
        """Messages a second lately; one a second when nothing is known."""
        span = now - self._seen[0] if self._seen else 0.0
        return len(self._seen) / span if span > 0 else 1.0


class Lanes:
    """How many lines each recipient domain may take at once: fewer after each deferral, one more after a good row."""

    def __init__(self, lines: int) -> None:
        self._lines = lines
        self._limits: dict[str, int] = {}
        self._good: defaultdict[str, int] = defaultdict(int)
        self._busy: defaultdict[str, int] = defaultdict(int)

    def begun(self, domain: str) -> None:
        self._busy[domain] += 1

    def ended(self, domain: str) -> None:
        self._busy[domain] -= 1
        if not self._busy[domain]:
            del self._busy[domain]

    def taken(self, domain: str) -> None:
        limit = self._limits.get(domain)
        if limit is None:
            return
        self._good[domain] += 1
        if self._good[domain] >= limit:
            self._good[domain] = 0
            self._limits[domain] = limit + 1
            if limit + 1 >= self._lines:
                del self._limits[domain], self._good[domain]

    def deferred(self, domain: str) -> None:
        self._limits[domain] = max(1, self._limits.get(domain, self._lines) // 2)
        self._good[domain] = 0

    @property
    def half(self) -> int:
        return max(1, self._lines // 2)

    def busy(self, domain: str) -> int:
        return self._busy.get(domain, 0)

    def freest(self, domains: Iterable[str]) -> str | None:
        """The domain with the fewest lines that may have one more: so one that is slow never takes them all.

        Looks at no more domains than there are lines, and a few.
        """
        best, fewest = None, self._lines
        for domain in domains:
            busy = self.busy(domain)
            if busy < min(fewest, self._limits.get(domain, self._lines)):
                best, fewest = domain, busy
                if not busy:
                    break
        return best
