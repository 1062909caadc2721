"""APScheduler calls the jobs at intervals, and nothing more: each job asks what is due.

`misfire_grace_time=None` and `coalesce`: a call that a busy machine delays comes late, and once (by default it is
dropped). Each job has a thread of its own, so that a long delivery does not delay publishing; no job overlaps itself.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

INTERVAL = timedelta(seconds=15)


class Scheduler:
    """Calls jobs at once, and then at every interval."""

    def __init__(self, jobs: Mapping[str, Callable[[], None]], interval: timedelta = INTERVAL) -> None:
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # it warns of every long job
        self.names = frozenset(jobs)
        self._interval = interval
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={name: {"type": "threadpool", "max_workers": 1} for name in ("default", *jobs)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        for name, job in jobs.items():
            self._scheduler.add_job(job, "interval", seconds=interval.total_seconds(), id=name, executor=name)

    def start(self) -> None:
        for job in self._scheduler.get_jobs():
            job.modify(next_run_time=datetime.now(UTC))
        self._scheduler.start()

    def wake(self, *names: str) -> None:
        """Call these jobs now unless they are running. Unknown names are ignored."""
        for name in names:
            try:
                self._scheduler.modify_job(name, next_run_time=datetime.now(UTC))
            except JobLookupError:
                continue

    def wake_delayed(self) -> None:
        """Call jobs whose next call is too far in the future, because the clock was set back."""
        latest = datetime.now(UTC) + 2 * self._interval
        self.wake(*(job.id for job in self._scheduler.get_jobs() if job.next_run_time > latest))

    def stop(self) -> None:
        """Call no more jobs, and wait for those that are running."""
        self._scheduler.shutdown(wait=True)
