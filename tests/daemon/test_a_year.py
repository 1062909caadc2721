"""`run` under a clock of our own, with kills and restarts at random: every edition once, no post twice, none lost.

Each tick is a process of its own, which is killed in many of them at whatever it was doing; time goes on in steps of
hours, and now and then in one of days. Four days in `make test`; KETAPRESS_SOAK=1 goes through the year.
"""

import os
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from ketapress.model.edition import Decision
from ketapress.publication import Publication
from ketapress.testing import ScriptedRelay
from support.mailbox_clients import DAY, HOUR, START, Reader

SOAK = bool(os.environ.get("KETAPRESS_SOAK"))
DAYS = 365 if SOAK else 4
FIRST_TICK = (
    0.1  # seconds, a guess: what later ones take is measured, so that kills fall into them on any machine
)


@pytest.fixture
def relay() -> Iterator[ScriptedRelay]:
    with ScriptedRelay() as found:
        yield found


def load(folder: Path) -> None:
    """Loads here what a tick loads, so that those that are forked from here need not."""
    folder.mkdir()
    with ScriptedRelay() as relay:
        reader = Reader(folder, relay)
        reader.write(START.date())
        reader.tick(START + DAY / 12)
        assert reader.inbox


def ticked(reader: Reader, at: datetime, killed_after: float | None) -> bool:
    """One tick in a process of its own; whether it lived to its end."""
    child = os.fork()
    if child == 0:
        if killed_after is not None:
            signal.signal(
                signal.SIGALRM, signal.SIG_DFL
            )  # which ends the process as a kill does: nothing runs any more
            signal.setitimer(signal.ITIMER_REAL, killed_after)
        try:
            reader.start(at)
            reader.tick()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert status in {0, signal.SIGALRM}, f"a tick ended with {status}"
    return status == 0


def moments(rng: Random) -> Iterator[datetime]:
    """When somebody's machine was up: steps of hours, and now and then away for days."""
    now = START
    while now < START + DAYS * DAY:
        yield now
        now += rng.choice((HOUR / 4, 2 * HOUR, 5 * HOUR, 9 * HOUR)) if rng.random() < 0.95 else 3 * DAY


@pytest.mark.parametrize("seed", range(3) if SOAK else [2])
def test_every_edition_once_no_post_twice_none_lost(tmp_path: Path, relay: ScriptedRelay, seed: int) -> None:
    load(tmp_path / "loaded")
    rng, kills, took = Random(seed), 0, [FIRST_TICK]
    reader = Reader(tmp_path, relay, more='send_within = "30d"')
    for day in range(DAYS):
        reader.write((START + day * DAY).date())
    for at in moments(rng):
        killed_after = rng.uniform(0.05, 1) * rng.choice(took) if rng.random() < 0.6 else None
        began = time.monotonic()
        if ticked(reader, at, killed_after):
            took.append(time.monotonic() - began)
        else:
            kills += 1
    end = START + DAYS * DAY
    for _ in range(3):
        assert ticked(reader, end, None)
    assert kills >= max(1, DAYS // 10), "the test kills nothing any more"
    composed = decided(tmp_path, end)
    assert_once(reader, composed, kills)


def decided(root: Path, end: datetime) -> list[list[str]]:
    """The posts of each edition, oldest first, after a look at the slots: each decided once, none left out."""
    publication = Publication(root, {})
    try:
        found = publication.store.editions.list_all("daily")[::-1]
    finally:
        publication.close()
    slots = [each.slot.at for each in found]
    first = datetime(2023, 3, 1, 8, tzinfo=UTC)
    assert slots == [first + day * DAY for day in range((end - first) // DAY + 1)]
    assert {each.state for each in found if each.decision is Decision.COMPOSED} == {"done"}
    return [[*each.post_ids] for each in found if each.decision is Decision.COMPOSED]


def assert_once(reader: Reader, composed: list[list[str]], kills: int) -> None:
    """What the store says, and what the reader got: a kill may repeat one mail, with the same Message-ID, and no more."""
    ids = [post for posts in composed for post in posts]
    assert len(ids) == len(set(ids)) == DAYS
    first: dict[bytes, list[str]] = {}
    for received, posts in zip(reader.relay.messages, reader.inbox, strict=True):
        name = next(
            line for line in received.message.split(b"\r\n") if line.lower().startswith(b"message-id:")
        )
        assert first.setdefault(name, posts) == posts
    assert len(first) == len(composed)
    assert sorted(post for posts in first.values() for post in posts) == reader.names
    assert len(reader.relay.messages) - len(first) <= kills
