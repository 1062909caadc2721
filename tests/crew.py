"""For tests of several schedulers: processes on one PostgreSQL, each with a folder of its own, that tick on and on."""

import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from daemons import Ticking
from ketapress.model.edition import Decision, EditionState
from ketapress.store.database import Store, open_store
from ketapress.testing import StillClock
from stored import expire_leases

START = datetime(2023, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
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

[database]
url = "{url}"

[web]
secret = "{secret}"
"""


def clones(folder: Path, urls: list[str], slots: int) -> list[Path]:
    """A folder for each URL of the database, as clones of one repository are: a post for each minute."""
    first = folder / "0"
    (first / "posts").mkdir(parents=True)
    for number in range(slots):
        text = f"---\ntitle: P{number}\ndate: {START + number * MINUTE:%Y-%m-%dT%H:%M:%SZ}\n---\nText.\n"
        (first / "posts" / f"p{number}.md").write_text(text)
    found = [first, *(shutil.copytree(first, folder / str(number)) for number in range(1, len(urls)))]
    for clone, url in zip(found, urls, strict=True):
        (clone / "ketapress.toml").write_text(_SETTINGS.format(url=url, secret="s" * 32))
    return found


@dataclass
class Crew:
    """The processes. Their clock stands in a file; after each tick one writes its number into a pipe.

    `settle` is called in each new process first.
    """

    folders: list[Path]
    clock: Path
    settle: Callable[[int], object] = lambda _number: None
    children: dict[int, int] = field(default_factory=dict)
    pipe: tuple[int, int] = field(default_factory=os.pipe)

    def hire(self, number: int) -> None:
        child = os.fork()
        if child == 0:
            try:
                self.settle(number)
                while True:
                    now = datetime.fromisoformat(self.clock.read_text())
                    Ticking(self.folders[number], StillClock(now)).daemon.publish_due()
                    os.write(self.pipe[1], bytes([number]))
            finally:
                os._exit(1)
        self.children[number] = child

    def kill(self, number: int) -> None:
        os.kill(self.children[number], signal.SIGKILL)
        _, status = os.waitpid(self.children.pop(number), 0)
        assert status == signal.SIGKILL, "a scheduler ended by itself"

    def end(self) -> None:
        for number in list(self.children):
            self.kill(number)

    def tell(self, now: datetime) -> None:
        new = self.clock.with_suffix(".new")
        new.write_text(now.isoformat())
        new.rename(self.clock)

    def ticks(self) -> bytes:
        """Waits until somebody has ticked; the numbers of all who have."""
        return os.read(self.pipe[0], 4096)


def newest(store: Store) -> datetime:
    found = store.editions.newest_decided("minutely")
    return found.at if found else START - MINUTE


def assert_one_edition_a_slot(url: str, folder: Path, slots: int) -> None:
    """One edition a slot, each with the post of its minute; what a killed scheduler left is finished first."""
    with open_store(url, folder) as store:
        expire_leases(store)
    Ticking(folder, StillClock(START + slots * MINUTE - timedelta(seconds=1))).daemon.publish_due()
    with open_store(url, folder) as store:
        editions = store.editions.all("minutely")[::-1]
    assert [each.slot.at for each in editions] == [START + number * MINUTE for number in range(slots)]
    states = Counter((each.decision, each.state) for each in editions)
    assert states == {(Decision.COMPOSED, EditionState.READY): slots}
    assert [len(each.post_ids) for each in editions] == [1] * slots
    assert len({each.post_ids for each in editions}) == slots
