"""A clock that jumps far ahead stops publishing and delivery, and alerts a person."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest

from ketapress.daemon.clock_guard import MAX_JUMP, ClockGuard, read_uptime
from ketapress.daemon.daemon import Daemon
from ketapress.model.errors import KetapressError, Problem
from ketapress.system.event_log import Log
from ketapress.testing import StillClock
from support.cli_runner import ketapress
from support.factories import NOW

DAY = timedelta(days=1)


class Uptime:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_time_that_goes_by_is_believed() -> None:
    clock, uptime = StillClock(NOW), Uptime()
    guard = ClockGuard(clock, uptime)
    for _ in range(400):
        clock.advance(DAY)
        uptime.seconds += DAY.total_seconds()
        guard.check()


@pytest.mark.parametrize("jump", [timedelta(hours=3), -timedelta(hours=3), -3650 * DAY, MAX_JUMP])
def test_a_small_jump_and_any_jump_back_are_the_calendars_matter(jump: timedelta) -> None:
    clock = StillClock(NOW)
    guard = ClockGuard(clock, Uptime())
    clock.advance(jump)
    guard.check()


def test_a_large_jump_is_refused_until_the_clock_comes_back() -> None:
    clock, run_times = StillClock(NOW), list[datetime]()

    def record() -> Iterable[Problem]:
        run_times.append(clock.now)
        return ()

    job = ClockGuard(clock, Uptime()).guard(record)
    clock.advance(3650 * DAY)
    for _ in range(3):
        with pytest.raises(KetapressError, match="jumped ahead by 3650 days"):
            job()
    clock.advance(-3650 * DAY)
    job()
    assert run_times == [NOW]


def test_a_person_may_say_that_it_is_right() -> None:
    clock = StillClock(NOW)
    guard = ClockGuard(clock, Uptime())
    clock.advance(30 * DAY)
    guard.accept()
    guard.check()


def test_the_uptime_goes_on() -> None:
    assert read_uptime() <= read_uptime()


def test_a_daemon_whose_clock_jumps_mails_nobody_and_tells_a_person(
    publication: Path, tmp_path: Path
) -> None:
    alerts, log_output = tmp_path / "alerts", StringIO()
    toml = publication / "ketapress.toml"
    command = f'command = ["sh", "-c", "cat >> {alerts}"]'
    toml.write_text(f"{toml.read_text()}\n[alerts]\n{command}\n")
    ketapress(publication, "subscribers", "add", "ann@example.net")
    clock = StillClock(NOW)
    daemon = Daemon(publication, {}, Log(log_output, clock), clock=clock)
    clock.advance(3650 * DAY)
    daemon.publish_due()
    daemon.send_ready()
    assert ketapress(publication, "outbox", "list", "--json").result["editions"] == []
    assert "jumped ahead by 36" in log_output.getvalue()
    assert '"code": "clock.ahead"' in alerts.read_text()
    assert not (publication / "public").exists()


def test_what_waits_for_a_person_is_told(publication: Path, tmp_path: Path) -> None:
    alerts, log_output = tmp_path / "alerts", StringIO()
    toml = publication / "ketapress.toml"
    approval = toml.read_text().replace("starts =", 'approval = "one"\nstarts =')
    toml.write_text(f'{approval}\n[alerts]\ncommand = ["sh", "-c", "cat >> {alerts}"]\n')
    clock = StillClock(NOW)
    daemon = Daemon(publication, {}, Log(log_output, clock), clock=clock)
    daemon.publish_due()
    assert '"code": "edition.awaiting-approval"' in alerts.read_text()
    assert "ketapress outbox approve weekly/2023-06-12T0800" in log_output.getvalue()
