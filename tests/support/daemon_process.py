"""For tests of the daemon: one in this process under a clock that stands still, and one as ops start it."""

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

PATIENCE = 60  # seconds


@dataclass
class Ticking:
    """A daemon whose ticks a test calls, and what it said."""

    root: Path
    clock: StillClock
    said: StringIO = field(default_factory=StringIO)

    def __post_init__(self) -> None:
        log = Log(self.said, self.clock, as_json=True)
        self.daemon = Daemon(self.root, {}, log, clock=self.clock, wall=_when_all_is_written)

    def tick(self, at: datetime | None = None) -> None:
        """What happens every few seconds: compose, build, send."""
        if at is not None:
            self.clock.now = at
        self.daemon.publish_due()
        self.daemon.send_ready()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.said.getvalue().splitlines()]

    def heard(self, event: str) -> list[str]:
        return [each["message"] for each in self.events if each["event"] == event]


def _when_all_is_written() -> float:
    """A while from now by the clock of the files: what a test wrote a moment ago has been still for long."""
    return time.time() + 60


@dataclass
class Running:
    """A daemon in a process of its own."""

    process: "subprocess.Popen[str]"
    heard: list[dict[str, Any]] = field(default_factory=list)

    def until(self, event: str) -> dict[str, Any]:
        """Waits for an event."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.heard.append(json.loads(line))
            if self.heard[-1]["event"] == event:
                return self.heard[-1]
        raise AssertionError(f"no {event!r} among {self.heard}")

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self) -> int:
        """Waits for the end; the exit code."""
        assert self.process.stdout
        self.heard += map(json.loads, self.process.stdout)
        return self.process.wait(PATIENCE)


@contextmanager
def running(root: Path, *words: str) -> Iterator[Running]:
    command = [sys.executable, "-m", "ketapress", "-C", str(root), "run", "--json", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Running(process)
        finally:
            process.kill()
