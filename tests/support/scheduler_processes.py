"""For tests of several schedulers: processes on one PostgreSQL, each with a folder of its own."""

import os
import select
import shutil
import signal
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from ketapress.model.edition import Decision, EditionState
from ketapress.publication import Publication
from ketapress.store.store import Store, open_store
from ketapress.testing import StillClock
from support.daemon_process import InlineDaemon
from support.store_fixture import expire_leases

START = datetime(2023, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
_TIME, _RESULT = struct.Struct("d"), struct.Struct("qd??")
_SETTINGS = """
[site]
title = "The Example Press"
url = "https://example.org"
postal_address = "1 Example Street"

[newsletters.minutely]
title = "Every Minute"
schedule = "* * * * *"
starts = 2023-03-01
from = "minutely@example.org"
send_within = "30d"

[database]
url = "{url}"

[web]
secret = "{secret}"
"""


def create_clones(folder: Path, urls: list[str], slots: int) -> list[Path]:
    """Return one folder for each database URL, like clones of one repository: a post a minute, with the same ids."""
    first = folder / "0"
    (first / "posts").mkdir(parents=True)
    for number in range(slots):
        text = f"---\ntitle: P{number}\ndate: {START + number * MINUTE:%Y-%m-%dT%H:%M:%SZ}\n---\nText.\n"
        (first / "posts" / f"p{number}.md").write_text(text)
    _write_settings(first, "sqlite:///unused.db")
    Publication(first, {}).load_library(START - MINUTE, save_ids=True)
    clones = [first, *(shutil.copytree(first, folder / str(number)) for number in range(1, len(urls)))]
    for clone, url in zip(clones, urls, strict=True):
        _write_settings(clone, url)
    return clones


def _write_settings(folder: Path, url: str) -> None:
    (folder / "ketapress.toml").write_text(_SETTINGS.format(url=url, secret="s" * 32))


def warm_up(folder: Path) -> None:
    """Import in this process what a scheduler imports in its first run, so that forked processes need not."""
    (clone,) = create_clones(folder, ["sqlite:///ketapress.db"], 1)
    InlineDaemon(clone, StillClock(START)).daemon.publish_due()


class TickResult(NamedTuple):
    """How long a run took, whether it composed an edition, and whether it logged an error."""

    seconds: float
    has_edition: bool
    has_error: bool


@dataclass
class SchedulerProcess:
    """A process, the pipe through which it gets the time, and whether it is at work."""

    pid: int
    time_pipe: int
    is_busy: bool = False


@dataclass
class SchedulerPool:
    """The processes. Each one reads the time, runs its schedule once, and writes the result to a common pipe.

    `set_up` is called first in each new process.
    """

    folders: list[Path]
    set_up: Callable[[int], object] = lambda _number: None
    schedulers: dict[int, SchedulerProcess] = field(default_factory=dict)
    pipe: tuple[int, int] = field(default_factory=os.pipe)

    def start(self, number: int) -> None:
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                self.set_up(number)
                self._work(number, read_end)
            finally:
                os._exit(1)
        os.close(read_end)
        self.schedulers[number] = SchedulerProcess(pid, write_end)

    def _work(self, number: int, time_pipe: int) -> None:
        """Run one daemon again and again. Where several times are waiting in the pipe, the last one counts."""
        inline_daemon = InlineDaemon(self.folders[number], StillClock(START))
        while content := os.read(time_pipe, 4096):
            (seconds,) = _TIME.unpack(content[-_TIME.size :])
            inline_daemon.clock.now = datetime.fromtimestamp(seconds, UTC)
            inline_daemon.log_output.seek(inline_daemon.log_output.truncate(0))
            start = time.monotonic()
            inline_daemon.daemon.publish_due()
            duration = time.monotonic() - start
            has_error = any(event["level"] == "error" for event in inline_daemon.events)
            has_edition = bool(inline_daemon.list_messages("composed"))
            os.write(self.pipe[1], _RESULT.pack(os.getpid(), duration, has_edition, has_error))
            if has_error:
                sys.stderr.write(f"scheduler {number} logged {inline_daemon.log_output.getvalue()}")

    def kill(self, number: int) -> bool:
        """Kill a process, and return whether it was at work."""
        scheduler = self.schedulers.pop(number)
        os.kill(scheduler.pid, signal.SIGKILL)
        _, status = os.waitpid(scheduler.pid, 0)
        os.close(scheduler.time_pipe)
        assert status == signal.SIGKILL, "a scheduler ended by itself"
        return scheduler.is_busy

    def stop(self) -> None:
        for number in list(self.schedulers):
            self.kill(number)
        for descriptor in self.pipe:
            os.close(descriptor)

    def request_ticks(self, now: datetime, *numbers: int) -> None:
        """Make all processes, or these, run their schedule for this moment."""
        for number in numbers or self.schedulers:
            self.schedulers[number].is_busy = True
            os.write(self.schedulers[number].time_pipe, _TIME.pack(now.timestamp()))

    def wait_for_ticks(self, timeout: float | None = None) -> dict[int, TickResult]:
        """Wait until a process has finished a run, at most `timeout` seconds, and return the results by number."""
        if not select.select([self.pipe[0]], [], [], timeout)[0]:
            return {}
        content = os.read(self.pipe[0], 64 * _RESULT.size)
        results = {pid: TickResult(*fields) for pid, *fields in _RESULT.iter_unpack(content)}
        ticks = {
            number: results[scheduler.pid]
            for number, scheduler in self.schedulers.items()
            if scheduler.pid in results
        }
        for number in ticks:
            self.schedulers[number].is_busy = False
        return ticks


def get_newest_slot(store: Store) -> datetime:
    slot = store.editions.get_newest_decided_slot("minutely")
    return slot.at if slot else START - MINUTE


def assert_one_edition_per_slot(url: str, folder: Path, slots: int) -> None:
    """Assert that each slot has one edition, with the post of its minute; what a killed process left is finished first."""
    with open_store(url, folder) as store:
        expire_leases(store)
    last_moment = START + slots * MINUTE - timedelta(seconds=1)
    InlineDaemon(folder, StillClock(last_moment)).daemon.publish_due()
    with open_store(url, folder) as store:
        editions = store.editions.list_all("minutely")[::-1]
    assert [edition.slot.at for edition in editions] == [START + number * MINUTE for number in range(slots)]
    states = Counter((edition.decision, edition.state) for edition in editions)
    assert states == {(Decision.COMPOSED, EditionState.READY): slots}
    assert [len(edition.post_ids) for edition in editions] == [1] * slots
    assert len({edition.post_ids for edition in editions}) == slots
