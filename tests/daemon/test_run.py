"""`ketapress run` as ops start it: a process of its own, with a relay that listens, ended by SIGTERM."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ketapress.daemon.run import Daemon
from ketapress.testing import ScriptedRelay
from walk import ketapress

PATIENCE = 60


@pytest.fixture
def daemon(publication: Path) -> Iterator["subprocess.Popen[str]"]:
    """A daemon over a publication whose newsletter fell due within this hour, with one subscriber."""
    today = datetime.now(UTC)
    with ScriptedRelay() as relay:
        toml = publication / "ketapress.toml"
        text = toml.read_text().replace(
            "starts = 2023-06-05", f"starts = {(today - timedelta(days=2)).date()}"
        )
        toml.write_text(f'{text.replace("0 8 * * mon", "0 * * * *")}\n[relay]\nurl = "{relay.url}"\n')
        (publication / "posts" / "fresh.md").write_text(
            f"---\ntitle: Fresh\ndate: {today - timedelta(hours=30)}\n---\nNew.\n"
        )
        ketapress(publication, "subscribers", "add", "ann@example.net")
        command = [sys.executable, "-m", "ketapress", "-C", str(publication), "run", "--json"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdout, process.stderr):
                if pipe:
                    pipe.close()


def events(process: "subprocess.Popen[str]", until: str) -> list[dict[str, str]]:
    assert process.stdout
    found: list[dict[str, str]] = []
    for line in process.stdout:
        found.append(json.loads(line))
        if found[-1]["event"] == until:
            return found
    raise AssertionError(f"no {until!r} among {found}: {process.stderr.read() if process.stderr else ''}")


def test_it_publishes_sends_and_ends_cleanly(daemon: "subprocess.Popen[str]", publication: Path) -> None:
    seen = events(daemon, until="sent")
    assert {"started", "composed", "built", "sent"} <= {each["event"] for each in seen}
    second = ketapress(publication, "run")
    assert second.exit_code == 1
    assert str(daemon.pid) in second.stderr
    os.kill(daemon.pid, signal.SIGTERM)
    assert events(daemon, until="stopped")
    assert daemon.wait(PATIENCE) == 0
    result = ketapress(publication, "status", "--json").result
    assert result["deliveries"]["sent"] == 1


def test_wrong_settings_end_the_start_with_78(publication: Path) -> None:
    (publication / "ketapress.toml").write_text("[site]\n")
    assert ketapress(publication, "run").exit_code == 78


def test_a_relay_that_is_down_is_left_alone_for_a_while(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + '\n[relay]\nurl = "smtp://127.0.0.1:1"\n')
    ketapress(publication, "subscribers", "add", "ann@example.net")
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    for word in ("hold", "release"):  # it is long past its time; a person lets it go all the same
        ketapress(publication, "outbox", word, "weekly/2023-06-12T0800")
    said: list[str] = []
    daemon = Daemon(publication, {}, lambda event, fields: said.append(f"{event}: {fields['message']}"))
    daemon.send_ready()
    assert any("127.0.0.1:1" in line for line in said)
    heard = len(said)
    daemon.send_ready()
    assert len(said) == heard
