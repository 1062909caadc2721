"""`ketapress run` as ops start it: a process of its own, with a relay that listens, ended by a signal."""

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
from support.daemon_process import running


@pytest.fixture
def relay() -> Iterator[ScriptedRelay]:
    with ScriptedRelay() as found:
        yield found


@pytest.fixture
def due(publication: Path, relay: ScriptedRelay) -> Path:
    """A publication whose newsletter fell due within this hour, with one subscriber, and a door on any port."""
    today = datetime.now(UTC)
    toml = publication / "ketapress.toml"
    text = toml.read_text().replace("starts = 2023-06-05", f"starts = {(today - timedelta(days=2)).date()}")
    text = text.replace('"0 8 * * mon"', '"0 * * * *"\nsend_within = "1d"')
    toml.write_text(f'{text}\n[relay]\nurl = "{relay.url}"\n[web]\nport = 0\n')
    write(publication, "fresh", today - timedelta(hours=30))
    ketapress(publication, "subscribers", "add", "ann@example.net")
    return publication


def write(root: Path, name: str, date: datetime) -> None:
    (root / "posts" / f"{name}.md").write_text(f"---\ntitle: {name.title()}\ndate: {date}\n---\nNew.\n")


def test_it_publishes_sends_answers_and_ends_cleanly(due: Path, relay: ScriptedRelay) -> None:
    with running(due) as daemon:
        address = daemon.until("web")["url"]
        daemon.until("sent")
        assert {"started", "composed", "built", "sent"} <= {each["event"] for each in daemon.heard}
        with httpx.Client(base_url=address) as client:
            assert client.get("/feed.xml").status_code == 200
            assert client.get("/healthz").text == "ok\n"
            assert client.get("/readyz").text == "ready\n"
            metrics = client.get("/metrics").text
        assert 'ketapress_deliveries{state="sent"} 1\n' in metrics
        assert 'ketapress_relay_replies_total{class="2xx"} 1\n' in metrics
        daemon.tell(signal.SIGTERM)
        assert daemon.ended() == 0
        assert daemon.heard[-1]["event"] == "stopped"
    assert len(relay.messages) == 1
    assert ketapress(due, "status", "--json").result["deliveries"]["sent"] == 1


def test_a_second_one_is_refused_with_the_name_of_the_first(due: Path) -> None:
    with running(due, "--only", "schedule") as daemon:
        daemon.until("started")
        second = ketapress(due, "run")
        assert second.exit_code == 1
        assert f"process {daemon.process.pid} on {os.uname().nodename}, since 20" in second.stderr
        assert "`ketapress run` already runs" in second.stderr
        assert "the schedule part" in second.stderr
        with running(due, "--only", "delivery") as other:
            other.until("started")  # another part of the same publication is welcome


def test_wrong_settings_end_the_start_with_78(publication: Path) -> None:
    (publication / "ketapress.toml").write_text("[site]\n")
    assert ketapress(publication, "run").exit_code == 78


def test_settings_are_read_anew_at_sighup_and_a_broken_file_changes_nothing(due: Path) -> None:
    toml = due / "ketapress.toml"
    text = toml.read_text()
    with running(due, "--only", "web") as daemon:
        address = daemon.until("web")["url"]
        toml.write_text(text.replace("[site]", "[sight]"))
        daemon.tell(signal.SIGHUP)
        said = daemon.until("settings.unknown")
        assert "SIGHUP again" in said["then"]
        assert "Page not found" in httpx.get(f"{address}/nothing").text
        toml.write_text(text.replace("[site]", '[site]\nlanguage = "de"'))
        daemon.tell(signal.SIGHUP)
        daemon.until("reloaded")
        assert "Seite nicht gefunden" in httpx.get(f"{address}/nothing").text


def test_the_door_moves_when_its_port_does(due: Path) -> None:
    toml = due / "ketapress.toml"
    with running(due, "--only", "web") as daemon:
        before = daemon.until("web")["url"]
        toml.write_text(toml.read_text().replace("port = 0", 'port = 0\nhost = "localhost"'))
        daemon.tell(signal.SIGHUP)
        after = daemon.until("web")["url"]
        assert after != before
        assert httpx.get(f"{after}/healthz").status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{before}/healthz")


def test_a_port_that_is_taken_is_said_and_the_other_parts_go_on(due: Path, relay: ScriptedRelay) -> None:
    toml = due / "ketapress.toml"
    toml.write_text(toml.read_text().replace("port = 0", f"port = {relay.port}"))
    with running(due) as daemon:
        daemon.until("sent")
        (said,) = [each for each in daemon.heard if each["event"] == "web.port"]
        assert "another program listens there" in said["message"]


def test_what_takes_too_long_at_the_end_is_cut_off_and_said(due: Path, relay: ScriptedRelay) -> None:
    relay.script(Phase.END_OF_DATA, keep_silent, on=1)
    with running(due, "--drain", "0.5") as daemon:
        daemon.until("composed")
        while not relay.commands or not relay.commands[-1].endswith("."):
            assert daemon.process.poll() is None
        daemon.tell(signal.SIGTERM)
        assert daemon.ended() == 1
        assert "delivery" in daemon.heard[-1]["message"]
    with running(due) as daemon:
        daemon.until("sent")
    assert [each.recipient for each in relay.messages] == ["ann@example.net"]


def test_a_saved_post_is_on_the_web_within_seconds(due: Path) -> None:
    with running(due) as daemon:
        address = daemon.until("web")["url"]
        daemon.until("sent")
        before = datetime.now(UTC)
        write(due, "saved", before - timedelta(hours=1))
        daemon.until("built")
        assert datetime.now(UTC) - before < timedelta(seconds=12)
        assert "Saved" in httpx.get(f"{address}/feed.xml").text
