"""APScheduler ticks and nothing more. In: jobs and an event that ends them. Every tick asks what is due now.

`misfire_grace_time=None` and `coalesce`: a tick that a busy machine was late for comes once, and late (the defaults
drop it). One worker a job, so that a long send does not keep the schedule waiting, and no job overlaps itself.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Event

from apscheduler.schedulers.background import BackgroundScheduler

EVERY = timedelta(seconds=15)


def tick(
    jobs: Mapping[str, Callable[[], None]], stop: Event, *, now: datetime, every: timedelta = EVERY
) -> None:
    """Runs each job at once and then every so often, until `stop` is set; then waits for those that run to end."""
    scheduler = BackgroundScheduler(
        timezone="UTC",
        executors={name: {"type": "threadpool", "max_workers": 1} for name in ("default", *jobs)},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    for name, job in jobs.items():
        scheduler.add_job(
            job, "interval", seconds=every.total_seconds(), id=name, executor=name, next_run_time=now
        )
    scheduler.start()
    stop.wait()
    scheduler.shutdown(wait=True)
