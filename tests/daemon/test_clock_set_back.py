"""APScheduler reckons the next tick by the wall clock: after that was set back by hours, ticks must not stay away for hours."""

from datetime import UTC, datetime, timedelta
from threading import Event

from ketapress.daemon.scheduler import Ticks
from support.daemon_process import PATIENCE


def test_ticks_go_on_when_the_clock_is_set_back() -> None:
    ticked = Event()
    ticks = Ticks({"schedule": ticked.set}, every=timedelta(hours=1))
    ticks.start()
    assert ticked.wait(PATIENCE)
    ticked.clear()
    ticks.set_right()
    assert not ticked.is_set()
    ticks._scheduler.modify_job("schedule", next_run_time=datetime.now(UTC) + timedelta(hours=5))
    ticks.set_right()
    assert ticked.wait(PATIENCE)
    ticks.wake("nobody", "schedule")
    ticks.end()
