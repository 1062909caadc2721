"""For tests of the daemon: one in this process with a clock that stands still, and one in a process of its own."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

from ketapress.daemon.daemon import Daemon
from ketapress.system.event_log import Log
from ketapress.testing import StillClock

TIMEOUT = 60  # seconds


@dataclass
class InlineDaemon:
    """A daemon whose jobs run when a test calls them, and its log."""

    root: Path
    clock: StillClock
    log_output: StringIO = field(default_factory=StringIO)

    def __post_init__(self) -> None:
        log = Log(self.log_output, self.clock, as_json=True)
        # A file clock that is a minute ahead: files that a test has just written count as quiescent.
        self.daemon = Daemon(self.root, {}, log, clock=self.clock, file_clock=lambda: time.time() + 60)

    def tick(self, now: datetime | None = None) -> None:
        """Compose, build and send once."""
        if now is not None:
            self.clock.now = now
        self.daemon.publish_due()
        self.daemon.send_ready()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_output.getvalue().splitlines()]

    def list_messages(self, event_name: str) -> list[str]:
        return [event["message"] for event in self.events if event["event"] == event_name]


@dataclass
class DaemonProcess:
    """A daemon in a process of its own, and the events that it has logged."""

    process: "subprocess.Popen[str]"
    events: list[dict[str, Any]] = field(default_factory=list)

    def wait_for(self, event_name: str) -> dict[str, Any]:
        """Return the next event of that name."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.events.append(json.loads(line))
            if self.events[-1]["event"] == event_name:
                return self.events[-1]
        raise AssertionError(f"no {event_name!r} among {self.events}")

    def send_signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait_for_exit(self) -> int:
        """Return the exit code."""
        assert self.process.stdout
        self.events += map(json.loads, self.process.stdout)
        return self.process.wait(TIMEOUT)


@contextmanager
def start_daemon(root: Path, *arguments: str) -> Iterator[DaemonProcess]:
    command = [sys.executable, "-m", "ketapress", "-C", str(root), "run", "--json", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield DaemonProcess(process)
        finally:
            process.kill()
