"""APScheduler ticks and nothing more. In: jobs. Out: their calls. Every tick asks what is due now.

`misfire_grace_time=None` and `coalesce`: a tick that a busy machine was late for comes once, and late (the defaults
drop it). One worker a job, so that a long send does not keep the schedule waiting, and no job overlaps itself.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

EVERY = timedelta(seconds=15)


class Ticks:
    """Jobs that are called at once and then every so often, each in a thread of its own."""

    def __init__(self, jobs: Mapping[str, Callable[[], None]], every: timedelta = EVERY) -> None:
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # it warns of every job that lasts
        self.names = frozenset(jobs)
        self._every = every
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={name: {"type": "threadpool", "max_workers": 1} for name in ("default", *jobs)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        for name, job in jobs.items():
            self._scheduler.add_job(job, "interval", seconds=every.total_seconds(), id=name, executor=name)

    def start(self) -> None:
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=datetime.now(UTC))
        self._scheduler.start()

    def wake(self, *names: str) -> None:
        """Calls these jobs now, where they are not running; what is no job is left out."""
        for name in names:
            try:
                self._scheduler.modify_job(name, next_run_time=datetime.now(UTC))
            except JobLookupError:
                continue

    def set_right(self) -> None:
        """Calls jobs that are due later than they should be: their next tick was reckoned before the clock was set back."""
        latest = datetime.now(UTC) + 2 * self._every
        self.wake(*(job.id for job in self._scheduler.get_jobs() if job.next_run_time > latest))

    def end(self) -> None:
        """No more ticks; returns when the jobs that run have ended."""
        self._scheduler.shutdown(wait=True)
