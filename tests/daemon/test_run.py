"""`ketapress run` in a process of its own, with a relay, stopped by a signal."""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from ketapress.model.delivery import Phase
from ketapress.testing import ScriptedRelay, keep_silent
from support.cli_runner import ketapress
from support.daemon_process import start_daemon


@pytest.fixture
def relay() -> Iterator[ScriptedRelay]:
    with ScriptedRelay() as scripted_relay:
        yield scripted_relay


@pytest.fixture
def due_publication(publication: Path, relay: ScriptedRelay) -> Path:
    """A publication with a slot within this hour, one subscriber, and a web server on any free port."""
    today = datetime.now(UTC)
    toml = publication / "ketapress.toml"
    text = toml.read_text().replace("starts = 2023-06-05", f"starts = {(today - timedelta(days=2)).date()}")
    text = text.replace('"0 8 * * mon"', '"0 * * * *"\nsend_within = "1d"')
    toml.write_text(f'{text}\n[relay]\nurl = "{relay.url}"\n[web]\nport = 0\n')
    write_post(publication, "fresh", today - timedelta(hours=30))
    ketapress(publication, "subscribers", "add", "ann@example.net")
    return publication


def write_post(root: Path, name: str, date: datetime) -> None:
    (root / "posts" / f"{name}.md").write_text(f"---\ntitle: {name.title()}\ndate: {date}\n---\nNew.\n")


def test_it_publishes_sends_answers_and_ends_cleanly(due_publication: Path, relay: ScriptedRelay) -> None:
    with start_daemon(due_publication) as daemon:
        address = daemon.wait_for("web")["url"]
        daemon.wait_for("sent")
        assert {"started", "composed", "built", "sent"} <= {event["event"] for event in daemon.events}
        with httpx.Client(base_url=address) as client:
            assert client.get("/feed.xml").status_code == 200
            assert client.get("/healthz").text == "ok\n"
            assert client.get("/readyz").text == "ready\n"
            metrics = client.get("/metrics").text
        assert 'ketapress_deliveries{state="sent"} 1\n' in metrics
        assert 'ketapress_relay_replies_total{class="2xx"} 1\n' in metrics
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait_for_exit() == 0
        assert daemon.events[-1]["event"] == "stopped"
    assert len(relay.messages) == 1
    assert ketapress(due_publication, "status", "--json").result["deliveries"]["sent"] == 1


def test_a_second_one_is_refused_with_the_name_of_the_first(due_publication: Path) -> None:
    with start_daemon(due_publication, "--only", "schedule") as daemon:
        daemon.wait_for("started")
        second = ketapress(due_publication, "run")
        assert second.exit_code == 1
        assert f"process {daemon.process.pid} on {os.uname().nodename}, since 20" in second.stderr
        assert "`ketapress run` already runs" in second.stderr
        assert "the schedule part" in second.stderr
        with start_daemon(due_publication, "--only", "delivery") as other:
            other.wait_for("started")  # another part of the same publication is welcome


def test_wrong_settings_end_the_start_with_78(publication: Path) -> None:
    (publication / "ketapress.toml").write_text("[site]\n")
    assert ketapress(publication, "run").exit_code == 78


def test_settings_are_read_anew_at_sighup_and_a_broken_file_changes_nothing(due_publication: Path) -> None:
    toml = due_publication / "ketapress.toml"
    text = toml.read_text()
    with start_daemon(due_publication, "--only", "web") as daemon:
        address = daemon.wait_for("web")["url"]
        toml.write_text(text.replace("[site]", "[sight]"))
        daemon.send_signal(signal.SIGHUP)
        event = daemon.wait_for("settings.unknown")
        assert "SIGHUP again" in event["then"]
        assert "Page not found" in httpx.get(f"{address}/nothing").text
        toml.write_text(text.replace("[site]", '[site]\nlanguage = "de"'))
        daemon.send_signal(signal.SIGHUP)
        daemon.wait_for("reloaded")
        assert "Seite nicht gefunden" in httpx.get(f"{address}/nothing").text


def test_the_door_moves_when_its_port_does(due_publication: Path) -> None:
    toml = due_publication / "ketapress.toml"
    with start_daemon(due_publication, "--only", "web") as daemon:
        before = daemon.wait_for("web")["url"]
        toml.write_text(toml.read_text().replace("port = 0", 'port = 0\nhost = "localhost"'))
        daemon.send_signal(signal.SIGHUP)
        after = daemon.wait_for("web")["url"]
        assert after != before
        assert httpx.get(f"{after}/healthz").status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{before}/healthz")


def test_a_port_that_is_taken_is_said_and_the_other_parts_go_on(
    due_publication: Path, relay: ScriptedRelay
) -> None:
    toml = due_publication / "ketapress.toml"
    toml.write_text(toml.read_text().replace("port = 0", f"port = {relay.port}"))
    with start_daemon(due_publication) as daemon:
        daemon.wait_for("sent")
        (event,) = [event for event in daemon.events if event["event"] == "web.port"]
        assert "another program uses this port" in event["message"]


def test_what_takes_too_long_at_the_end_is_cut_off_and_said(
    due_publication: Path, relay: ScriptedRelay
) -> None:
    relay.script(Phase.END_OF_DATA, keep_silent, on=1)
    with start_daemon(due_publication, "--drain", "0.5") as daemon:
        daemon.wait_for("composed")
        while not relay.commands or not relay.commands[-1].endswith("."):
            assert daemon.process.poll() is None
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait_for_exit() == 1
        assert "delivery" in daemon.events[-1]["message"]
    with start_daemon(due_publication) as daemon:
        daemon.wait_for("sent")
    assert [received.recipient for received in relay.messages] == ["ann@example.net"]


def test_a_saved_post_is_on_the_web_within_seconds(due_publication: Path) -> None:
    with start_daemon(due_publication) as daemon:
        address = daemon.wait_for("web")["url"]
        daemon.wait_for("sent")
        before = datetime.now(UTC)
        write_post(due_publication, "saved", before - timedelta(hours=1))
        daemon.wait_for("built")
        assert datetime.now(UTC) - before < timedelta(seconds=12)
        assert "Saved" in httpx.get(f"{address}/feed.xml").text
