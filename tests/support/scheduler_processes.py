"""For tests of several schedulers: processes on one PostgreSQL, each with a folder of its own, that tick on and on."""

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
from support.daemon_process import Ticking
from support.store_fixture import expire_leases

START = datetime(2023, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
_TOLD, _TICKED = struct.Struct("d"), struct.Struct("qd??")
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


def clones(folder: Path, urls: list[str], slots: int) -> list[Path]:
    """A folder for each URL of the database, as clones of one repository are: a post for each minute, and their ids."""
    first = folder / "0"
    (first / "posts").mkdir(parents=True)
    for number in range(slots):
        text = f"---\ntitle: P{number}\ndate: {START + number * MINUTE:%Y-%m-%dT%H:%M:%SZ}\n---\nText.\n"
        (first / "posts" / f"p{number}.md").write_text(text)
    _write_settings(first, "sqlite:///nobody.db")
    Publication(first, {}).load_library(START - MINUTE, save_ids=True)
    found = [first, *(shutil.copytree(first, folder / str(number)) for number in range(1, len(urls)))]
    for clone, url in zip(found, urls, strict=True):
        _write_settings(clone, url)
    return found


def _write_settings(folder: Path, url: str) -> None:
    (folder / "ketapress.toml").write_text(_SETTINGS.format(url=url, secret="s" * 32))


def load(folder: Path) -> None:
    """Loads here what a scheduler loads in its first tick, so that those that are forked from here need not."""
    (alone,) = clones(folder, ["sqlite:///ketapress.db"], 1)
    Ticking(alone, StillClock(START)).daemon.publish_due()


class Tick(NamedTuple):
    """How long it took, whether an edition came of it, and whether anything was wrong."""

    seconds: float
    composed: bool
    wrong: bool


@dataclass
class Scheduler:
    """A process, the pipe in which it is told the time, and whether it is at work."""

    process: int
    told: int
    busy: bool = False


@dataclass
class Crew:
    """The processes. Each is told the time, ticks, and says in a pipe of all how that went.

    `settle` is called in each new process first.
    """

    folders: list[Path]
    settle: Callable[[int], object] = lambda _number: None
    children: dict[int, Scheduler] = field(default_factory=dict)
    pipe: tuple[int, int] = field(default_factory=os.pipe)

    def hire(self, number: int) -> None:
        hears, told = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                self.settle(number)
                self._work(number, hears)
            finally:
                os._exit(1)
        os.close(hears)
        self.children[number] = Scheduler(child, told)

    def _work(self, number: int, hears: int) -> None:
        """As `run` does: one daemon that ticks on and on. Where it was told more than once, the last time counts."""
        ticking = Ticking(self.folders[number], StillClock(START))
        while words := os.read(hears, 4096):
            (seconds,) = _TOLD.unpack(words[-_TOLD.size :])
            ticking.clock.now = datetime.fromtimestamp(seconds, UTC)
            ticking.said.seek(ticking.said.truncate(0))
            began = time.monotonic()
            ticking.daemon.publish_due()
            took = time.monotonic() - began
            wrong = any(each["level"] == "error" for each in ticking.events)
            os.write(self.pipe[1], _TICKED.pack(os.getpid(), took, bool(ticking.heard("composed")), wrong))
            if wrong:
                sys.stderr.write(f"{number} says {ticking.said.getvalue()}")

    def kill(self, number: int) -> bool:
        """Whether it was at work."""
        child = self.children.pop(number)
        os.kill(child.process, signal.SIGKILL)
        _, status = os.waitpid(child.process, 0)
        os.close(child.told)
        assert status == signal.SIGKILL, "a scheduler ended by itself"
        return child.busy

    def end(self) -> None:
        for number in list(self.children):
            self.kill(number)
        for end in self.pipe:
            os.close(end)

    def tell(self, now: datetime, *numbers: int) -> None:
        """All of them, or these, tick for this moment."""
        for number in numbers or self.children:
            self.children[number].busy = True
            os.write(self.children[number].told, _TOLD.pack(now.timestamp()))

    def ticks(self, patience: float | None = None) -> dict[int, Tick]:
        """Waits until somebody has ticked, or for so many seconds. Who ticked, and how."""
        if not select.select([self.pipe[0]], [], [], patience)[0]:
            return {}
        heard = {
            process: Tick(*how)
            for process, *how in _TICKED.iter_unpack(os.read(self.pipe[0], 64 * _TICKED.size))
        }
        ticked = {
            number: heard[each.process] for number, each in self.children.items() if each.process in heard
        }
        for number in ticked:
            self.children[number].busy = False
        return ticked


def newest(store: Store) -> datetime:
    found = store.editions.get_newest_decided_slot("minutely")
    return found.at if found else START - MINUTE


def assert_one_edition_a_slot(url: str, folder: Path, slots: int) -> None:
    """One edition a slot, each with the post of its minute; what a killed scheduler left is finished first."""
    with open_store(url, folder) as store:
        expire_leases(store)
    Ticking(folder, StillClock(START + slots * MINUTE - timedelta(seconds=1))).daemon.publish_due()
    with open_store(url, folder) as store:
        editions = store.editions.list_all("minutely")[::-1]
    assert [each.slot.at for each in editions] == [START + number * MINUTE for number in range(slots)]
    states = Counter((each.decision, each.state) for each in editions)
    assert states == {(Decision.COMPOSED, EditionState.READY): slots}
    assert [len(each.post_ids) for each in editions] == [1] * slots
    assert len({each.post_ids for each in editions}) == slots
