"""Alerts: sent once, together, and never at the cost of the work."""

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from ketapress.alerts.channels import run_command
from ketapress.alerts.message import build_alert_message
from ketapress.alerts.notifier import Notifier
from ketapress.alerts.policy import MIN_INTERVAL, due_problems, mark_notified, update_states
from ketapress.model.address import Mailbox
from ketapress.model.delivery import Phase
from ketapress.model.errors import Problem, Severity
from ketapress.model.settings import AlertSettings, RelaySettings, Settings
from ketapress.testing import ScriptedRelay
from support.factories import NOW, settings

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ALERTS = AlertSettings(email="ops@example.org")
HELD = Problem(code="send.held", path="weekly/2023-06-12T0800", message="it is held.", cure="Look at it.")
DOWN = Problem(code="send.relay-down", message="the relay is down.", cure="Start it.")


@pytest.fixture
def hook(tmp_path: Path) -> tuple[tuple[str, ...], Callable[[], list[dict[str, Any]]]]:
    """Return a command that saves its stdin, and a function that reads the saved alerts."""
    file = tmp_path / "told"
    script = f"import sys; open({str(file)!r}, 'a').write(sys.stdin.read() + chr(10))"
    return (sys.executable, "-c", script), lambda: [
        json.loads(line) for line in file.read_text().splitlines()
    ]


def with_alerts(**values: Any) -> Settings:
    return settings(alerts=AlertSettings(**values))


def test_a_held_edition_is_told_at_once_and_once(tmp_path: Path, hook: Any) -> None:
    command, read_alerts = hook
    notifier = Notifier(tmp_path)
    for minutes in range(0, 120, 5):
        assert notifier.notify(with_alerts(command=command), [HELD], NOW + minutes * MINUTE) == ()
    [alert] = read_alerts()
    assert alert["publication"] == "The Example Press"
    assert alert["problems"][0]["code"] == "send.held"
    assert "it is held" in alert["summary"]


def test_what_still_stands_is_told_again_a_day_later(tmp_path: Path, hook: Any) -> None:
    command, read_alerts = hook
    notifier = Notifier(tmp_path)
    for hours in range(0, 49, 6):
        notifier.notify(with_alerts(command=command), [HELD], NOW + hours * HOUR)
    assert len(read_alerts()) == 3


def test_a_restart_tells_nothing_again(tmp_path: Path, hook: Any) -> None:
    command, read_alerts = hook
    for minutes in (0, 30, 60):
        Notifier(tmp_path).notify(with_alerts(command=command), [HELD], NOW + minutes * MINUTE)
    assert len(read_alerts()) == 1


def test_a_relay_that_is_down_is_told_when_it_stays_down(tmp_path: Path, hook: Any) -> None:
    command, read_alerts = hook
    notifier = Notifier(tmp_path)
    for minutes in range(15):
        notifier.notify(with_alerts(command=command), [DOWN], NOW + minutes * MINUTE)
    assert not (tmp_path / "told").exists()
    notifier.notify(with_alerts(command=command), [DOWN], NOW + 15 * MINUTE)
    assert len(read_alerts()) == 1


def test_what_comes_up_soon_after_is_told_together(tmp_path: Path, hook: Any) -> None:
    command, read_alerts = hook
    notifier = Notifier(tmp_path)
    others = [HELD._replace(path=f"weekly/{number}") for number in range(50)]
    for count in range(51):
        notifier.notify(
            with_alerts(command=command), [HELD, *others[:count]], NOW + count * timedelta(seconds=5)
        )
    notifier.notify(with_alerts(command=command), [HELD, *others], NOW + MIN_INTERVAL)
    first, second = read_alerts()
    assert len(first["problems"]) == 1
    assert len(second["problems"]) == 50


def test_a_warning_that_asks_nobody_is_not_told() -> None:
    problem = HELD._replace(severity=Severity.WARNING)
    assert due_problems(update_states({}, [problem], NOW), [problem], ALERTS, NOW) == ()


def test_what_went_away_and_came_back_is_told_again_but_not_at_every_flicker() -> None:
    times, states = [], update_states({}, [], NOW)
    for minute in range(181):
        now = NOW + minute * MINUTE
        problems = [HELD] if minute % 2 == 0 else []
        states = update_states(states, problems, now)
        if due := due_problems(states, problems, ALERTS, now):
            states = mark_notified(states, due, now)
            times.append(minute)
    assert times == [0, 60, 120, 180]


def test_a_clock_set_back_does_not_silence_the_alarm() -> None:
    states = mark_notified(update_states({}, [HELD], NOW), [HELD], NOW)
    earlier = NOW - 365 * 24 * HOUR
    assert due_problems(update_states(states, [HELD], earlier), [HELD], ALERTS, earlier) == (HELD,)


def test_it_mails_through_the_relay(tmp_path: Path) -> None:
    with ScriptedRelay() as relay:
        values = settings(alerts=ALERTS, relay=RelaySettings(url=relay.url))
        assert Notifier(tmp_path).notify(values, [HELD], NOW) == ()
        [message] = relay.messages
    assert message.recipient == "ops@example.org"
    parsed = message_from_bytes(message.message, policy=policy.default)
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert "weekly/2023-06-12T0800: it is held. Look at it." in parsed.get_content()


def test_a_relay_that_refuses_the_alert_is_a_warning_and_the_command_still_runs(
    tmp_path: Path, hook: Any
) -> None:
    command, read_alerts = hook
    with ScriptedRelay() as relay:
        relay.script(Phase.RECIPIENT, "550 5.1.1 nobody here")
        values = settings(
            alerts=AlertSettings(email="ops@example.org", command=command), relay=RelaySettings(url=relay.url)
        )
        [problem] = Notifier(tmp_path).notify(values, [HELD], NOW)
    assert problem.severity is Severity.WARNING
    assert "nobody here" in problem.message
    assert len(read_alerts()) == 1


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (("/no/such/program",), "cannot be run"),
        ((sys.executable, "-c", "raise SystemExit('it broke')"), "exited with 1: it broke"),
        (
            (sys.executable, "-c", "input(); import threading; threading.Event().wait()"),
            "took longer than 1 s",
        ),
        (("nul\0",), "cannot be run"),
    ],
)
def test_a_command_that_fails_is_a_warning(arguments: tuple[str, ...], output: str) -> None:
    problem = run_command(arguments, "{}\n", seconds=1)
    assert problem
    assert output in problem.message
    assert not problem.needs_person


def test_a_memory_that_cannot_be_kept_or_read_costs_nothing(tmp_path: Path, hook: Any) -> None:
    command, read_alerts = hook
    (tmp_path / ".ketapress").write_text("a file, where a folder should be")
    notifier = Notifier(tmp_path)
    for minutes in (0, 30):
        assert notifier.notify(with_alerts(command=command), [HELD], NOW + minutes * MINUTE) == ()
    assert len(read_alerts()) == 1


@given(st.text(), st.text(max_size=300))
def test_no_title_and_no_problem_forges_a_header(title: str, text: str) -> None:
    problem = HELD._replace(message=text)
    message = build_alert_message(title, [problem], Mailbox("", "digest@example.org"), "ops@example.org", NOW)
    head, *_ = message.partition(b"\r\n\r\n")
    names = [line.split(b":")[0] for line in head.split(b"\r\n") if not line.startswith(b" ")]
    assert names[:4] == [b"From", b"To", b"Subject", b"Date"]
    assert len(names) == 9
    assert max(map(len, message.split(b"\r\n"))) < 998
    assert b"\n" not in message.replace(b"\r\n", b"")
