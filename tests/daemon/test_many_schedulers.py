"""Five schedulers on one PostgreSQL, each with a folder of its own, killed at random: one edition a slot.

A minute a slot; the clock goes on when somebody has decided the slot. A few slots in `make test`, a thousand with
KETAPRESS_SOAK=1.
"""

import os
import shutil
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from daemons import Ticking
from ketapress.model.edition import Decision, EditionState
from ketapress.store.database import Store, open_store
from ketapress.testing import StillClock
from postgresql import administer, postgresql
from stored import expire_leases

SOAK = bool(os.environ.get("KETAPRESS_SOAK"))
SLOTS = 1000 if SOAK else 6
SCHEDULERS = 5
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


@pytest.fixture
def url() -> Iterator[str]:
    with postgresql() as server:
        administer(server, "CREATE DATABASE schedulers")
        yield server.set(database="schedulers").render_as_string(hide_password=False)


@pytest.fixture
def folders(tmp_path: Path, url: str) -> list[Path]:
    """Copies of one folder, as clones of one repository would be: a post for each minute."""
    first = tmp_path / "0"
    (first / "posts").mkdir(parents=True)
    (first / "ketapress.toml").write_text(_SETTINGS.format(url=url, secret="s" * 32))
    for number in range(SLOTS):
        text = f"---\ntitle: P{number}\ndate: {START + number * MINUTE:%Y-%m-%dT%H:%M:%SZ}\n---\nText.\n"
        (first / "posts" / f"p{number}.md").write_text(text)
    return [first, *(shutil.copytree(first, tmp_path / str(number)) for number in range(1, SCHEDULERS))]


@dataclass
class Crew:
    """The processes: each ticks on and on by the clock that stands in a file, and says so through a pipe."""

    folders: list[Path]
    clock: Path
    children: dict[int, int] = field(default_factory=dict)
    pipe: tuple[int, int] = field(default_factory=os.pipe)

    def hire(self, number: int) -> None:
        child = os.fork()
        if child == 0:
            try:
                while True:
                    now = datetime.fromisoformat(self.clock.read_text())
                    Ticking(self.folders[number], StillClock(now)).daemon.publish_due()
                    os.write(self.pipe[1], b".")
            finally:
                os._exit(1)
        self.children[number] = child

    def kill(self, number: int) -> None:
        os.kill(self.children[number], signal.SIGKILL)
        _, status = os.waitpid(self.children.pop(number), 0)
        assert status == signal.SIGKILL, "a scheduler ended by itself"

    def tell(self, now: datetime) -> None:
        new = self.clock.with_suffix(".new")
        new.write_text(now.isoformat())
        new.rename(self.clock)


def test_each_slot_has_one_edition_whoever_is_killed(folders: list[Path], url: str, tmp_path: Path) -> None:
    rng, kills = Random(1), 0
    crew = Crew(folders, tmp_path / "clock")
    crew.tell(START)
    with ExitStack() as last:
        for number in range(SCHEDULERS):
            crew.hire(number)
        last.callback(lambda: [crew.kill(number) for number in list(crew.children)])
        store = last.enter_context(open_store(url, tmp_path))
        for slot in range(SLOTS):
            crew.tell(START + slot * MINUTE)
            while _newest(store) < START + slot * MINUTE:
                os.read(crew.pipe[0], 4096)  # somebody has ticked
                if rng.random() < 0.2:
                    kills += 1
                    number = rng.randrange(SCHEDULERS)
                    crew.kill(number)
                    crew.hire(number)
    assert kills > SLOTS / 5, "the test kills nothing any more"
    with open_store(url, tmp_path) as store:
        expire_leases(store)
    Ticking(folders[0], StillClock(START + SLOTS * MINUTE - timedelta(seconds=1))).daemon.publish_due()
    with open_store(url, tmp_path) as store:
        editions = store.editions.all("minutely")[::-1]
    assert [each.slot.at for each in editions] == [START + number * MINUTE for number in range(SLOTS)]
    assert Counter((each.decision, each.state) for each in editions) == {
        (Decision.COMPOSED, EditionState.READY): SLOTS
    }
    assert [len(each.post_ids) for each in editions] == [1] * SLOTS
    assert len({each.post_ids for each in editions}) == SLOTS


def _newest(store: Store) -> datetime:
    newest = store.editions.newest_decided("minutely")
    return newest.at if newest else START - MINUTE
