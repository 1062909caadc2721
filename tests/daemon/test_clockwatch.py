"""A clock that jumps far ahead holds and alarms before it mails anyone."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest

from ketapress.daemon.clock_guard import FARTHEST, Clockwatch, uptime
from ketapress.daemon.daemon import Daemon
from ketapress.model.errors import KetapressError, Problem
from ketapress.system.event_log import Log
from ketapress.testing import StillClock
from support.cli_runner import ketapress
from support.factories import NOW

DAY = timedelta(days=1)


class Seconds:
    def __init__(self) -> None:
        self.passed = 0.0

    def __call__(self) -> float:
        return self.passed


def test_time_that_goes_by_is_believed() -> None:
    clock, seconds = StillClock(NOW), Seconds()
    watch = Clockwatch(clock, seconds)
    for _ in range(400):
        clock.advance(DAY)
        seconds.passed += DAY.total_seconds()
        watch.look()


@pytest.mark.parametrize("jump", [timedelta(hours=3), -timedelta(hours=3), -3650 * DAY, FARTHEST])
def test_a_small_jump_and_any_jump_back_are_the_calendars_matter(jump: timedelta) -> None:
    clock = StillClock(NOW)
    watch = Clockwatch(clock, Seconds())
    clock.advance(jump)
    watch.look()


def test_a_large_jump_is_refused_until_the_clock_comes_back() -> None:
    clock, done = StillClock(NOW), list[datetime]()

    def note() -> Iterable[Problem]:
        done.append(clock.now)
        return ()

    work = Clockwatch(clock, Seconds()).trusting(note)
    clock.advance(3650 * DAY)
    for _ in range(3):
        with pytest.raises(KetapressError, match="jumped ahead by 3650 days"):
            work()
    clock.advance(-3650 * DAY)
    work()
    assert done == [NOW]


def test_a_person_may_say_that_it_is_right() -> None:
    clock = StillClock(NOW)
    watch = Clockwatch(clock, Seconds())
    clock.advance(30 * DAY)
    watch.believe()
    watch.look()


def test_the_uptime_goes_on() -> None:
    assert uptime() <= uptime()


def test_a_daemon_whose_clock_jumps_mails_nobody_and_tells_a_person(
    publication: Path, tmp_path: Path
) -> None:
    told, heard = tmp_path / "told", StringIO()
    toml = publication / "ketapress.toml"
    hook = f'command = ["sh", "-c", "cat >> {told}"]'
    toml.write_text(f"{toml.read_text()}\n[alerts]\n{hook}\n")
    ketapress(publication, "subscribers", "add", "ann@example.net")
    clock = StillClock(NOW)
    daemon = Daemon(publication, {}, Log(heard, clock), clock=clock)
    clock.advance(3650 * DAY)
    daemon.publish_due()
    daemon.send_ready()
    assert ketapress(publication, "outbox", "list", "--json").result["editions"] == []
    assert "jumped ahead by 36" in heard.getvalue()
    assert '"code": "clock.ahead"' in told.read_text()
    assert not (publication / "public").exists()


def test_what_waits_for_a_person_is_told(publication: Path, tmp_path: Path) -> None:
    told, heard = tmp_path / "told", StringIO()
    toml = publication / "ketapress.toml"
    approval = toml.read_text().replace("starts =", 'approval = "one"\nstarts =')
    toml.write_text(f'{approval}\n[alerts]\ncommand = ["sh", "-c", "cat >> {told}"]\n')
    clock = StillClock(NOW)
    daemon = Daemon(publication, {}, Log(heard, clock), clock=clock)
    daemon.publish_due()
    assert '"code": "edition.awaiting-approval"' in told.read_text()
    assert "ketapress outbox approve weekly/2023-06-12T0800" in heard.getvalue()
