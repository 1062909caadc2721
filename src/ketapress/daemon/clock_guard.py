"""A clock that is far ahead of the time that went by is not believed: nothing is decided or mailed by it.

In: the wall clock, and one that only counts. Out: work that is refused while the two disagree. A clock set back, or
ahead by some days (a machine that was asleep, a changed zone), is the calendar's matter: it repeats nothing.
"""

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from ketapress.model.errors import KetapressError, Problem

FARTHEST = timedelta(days=14)
"""So far ahead posts of weeks to come would be published, and editions given up as too late."""

Work = Callable[[], Iterable[Problem]]


def uptime() -> float:
    """Seconds since the machine was started, those that it slept included where the system counts them."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Clockwatch:
    """Of one process. What it saw first, a person has seen too: they started it."""

    def __init__(self, clock: Callable[[], datetime], elapsed: Callable[[], float] = uptime) -> None:
        self._clock = clock
        self._elapsed = elapsed
        self.believe()

    def believe(self) -> None:
        """A person says that the clock is right as it is now."""
        self._wall, self._counted = self._clock(), self._elapsed()

    def look(self) -> None:
        """Raises KetapressError while the clock is too far ahead; a clock that came back is believed again."""
        now = self._clock()
        expected = self._wall + timedelta(seconds=self._elapsed() - self._counted)
        if now - expected > FARTHEST:
            raise KetapressError(_jumped(now, expected))
        self.believe()

    def trusting(self, work: Work) -> Work:
        """The same work, done only while the clock is believed."""

        def watched() -> Iterable[Problem]:
            self.look()
            return work()

        return watched


def _jumped(now: datetime, expected: datetime) -> Problem:
    return Problem(
        code="clock.ahead",
        message=(
            f"the clock jumped ahead by {(now - expected).days} days, to {now:%Y-%m-%d}: "
            "nothing is decided, published or mailed by it."
        ),
        cure="Set the clock; if it is right, restart `ketapress run` or send it SIGHUP.",
    )
