"""APScheduler computes the next call from the wall clock; when that is set back by hours, calls must not stop for hours."""

from datetime import UTC, datetime, timedelta
from threading import Event

from ketapress.daemon.scheduler import Scheduler
from support.daemon_process import TIMEOUT


def test_ticks_go_on_when_the_clock_is_set_back() -> None:
    was_called = Event()
    scheduler = Scheduler({"schedule": was_called.set}, interval=timedelta(hours=1))
    scheduler.start()
    assert was_called.wait(TIMEOUT)
    was_called.clear()
    scheduler.wake_delayed()
    assert not was_called.is_set()
    scheduler._scheduler.modify_job("schedule", next_run_time=datetime.now(UTC) + timedelta(hours=5))
    scheduler.wake_delayed()
    assert was_called.wait(TIMEOUT)
    scheduler.wake("unknown", "schedule")
    scheduler.stop()
