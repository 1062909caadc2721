"""Stop work while the wall clock is more than 14 days ahead of the time that has passed.

A clock that was set back, or ahead by some days (a machine that was asleep, a changed zone), is no danger: slots and
their dates decide, and nothing is repeated.
"""

import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from ketapress.daemon.context import Job
from ketapress.model.errors import KetapressError, Problem

MAX_JUMP = timedelta(days=14)
"""A larger jump would publish the posts of coming weeks and give up editions as too late."""


def read_uptime() -> float:
    """Return the seconds since the machine started, including sleep where the system counts it."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class ClockGuard:
    """Compares the wall clock of one process with its uptime. The clock at the start is taken as right."""

    def __init__(self, clock: Callable[[], datetime], uptime: Callable[[], float] = read_uptime) -> None:
        self._clock = clock
        self._uptime = uptime
        self.accept()

    def accept(self) -> None:
        """Take the clock as it is now as right."""
        self._reference = self._clock(), self._uptime()

    def check(self) -> None:
        """Raise KetapressError while the clock is too far ahead."""
        now = self._clock()
        wall_time, uptime = self._reference
        jump = now - wall_time - timedelta(seconds=self._uptime() - uptime)
        if jump > MAX_JUMP:
            problem = Problem(
                code="clock.ahead",
                message=(
                    f"the clock jumped ahead by {jump.days} days, to {now:%Y-%m-%d}; "
                    "publishing and delivery are paused."
                ),
                cure="Set the clock. If it is right, restart `ketapress run` or send it SIGHUP.",
            )
            raise KetapressError(problem)
        self.accept()

    def guard(self, job: Job) -> Job:
        """Return the job with a check of the clock before each run."""

        def run() -> Iterable[Problem]:
            self.check()
            return job()

        return run
