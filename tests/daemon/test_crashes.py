"""A daemon that is killed and restarted at random: every edition once, no post twice, none lost.

Each tick runs in a process of its own, which is killed at a random moment in many of them. The clock advances in steps
of hours, and sometimes of days. Four days in `make test`; KETAPRESS_SOAK=1 covers a year.
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
from support.mailbox_clients import DAY, HOUR, START, Mailbox

SOAK = bool(os.environ.get("KETAPRESS_SOAK"))
DAYS = 365 if SOAK else 4
FIRST_TICK = 0.1  # seconds, a guess; later ticks are measured, so that kills hit them on any machine


@pytest.fixture
def relay() -> Iterator[ScriptedRelay]:
    with ScriptedRelay() as scripted_relay:
        yield scripted_relay


def warm_up(folder: Path) -> None:
    """Import in this process what a tick imports, so that forked processes need not."""
    folder.mkdir()
    with ScriptedRelay() as relay:
        mailbox = Mailbox(folder, relay)
        mailbox.write_post(START.date())
        mailbox.tick(START + DAY / 12)
        assert mailbox.inbox


def run_tick(mailbox: Mailbox, now: datetime, kill_after: float | None) -> bool:
    """Run one tick in a process of its own. Returns False where it was killed."""
    pid = os.fork()
    if pid == 0:
        if kill_after is not None:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process like SIGKILL
            signal.setitimer(signal.ITIMER_REAL, kill_after)
        try:
            mailbox.start_daemon(now)
            mailbox.tick()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert status in {0, signal.SIGALRM}, f"a tick ended with {status}"
    return status == 0


def generate_ticks(rng: Random) -> Iterator[datetime]:
    """Yield the times of ticks: hours apart, and sometimes days."""
    now = START
    while now < START + DAYS * DAY:
        yield now
        now += rng.choice((HOUR / 4, 2 * HOUR, 5 * HOUR, 9 * HOUR)) if rng.random() < 0.95 else 3 * DAY


@pytest.mark.parametrize("seed", range(3) if SOAK else [2])
def test_every_edition_once_no_post_twice_none_lost(tmp_path: Path, relay: ScriptedRelay, seed: int) -> None:
    warm_up(tmp_path / "warm_up")
    rng, kill_count, durations = Random(seed), 0, [FIRST_TICK]
    mailbox = Mailbox(tmp_path, relay, extra_settings='send_within = "30d"')
    for day in range(DAYS):
        mailbox.write_post((START + day * DAY).date())
    for now in generate_ticks(rng):
        kill_after = rng.uniform(0.05, 1) * rng.choice(durations) if rng.random() < 0.6 else None
        start = time.monotonic()
        if run_tick(mailbox, now, kill_after):
            durations.append(time.monotonic() - start)
        else:
            kill_count += 1
    end = START + DAYS * DAY
    for _ in range(3):
        assert run_tick(mailbox, end, None)
    assert kill_count >= max(1, DAYS // 10), "no tick was killed"
    editions = list_composed(tmp_path, end)
    assert_sent_once(mailbox, editions, kill_count)


def list_composed(root: Path, end: datetime) -> list[list[str]]:
    """Return the posts of each edition, oldest first, and assert that each slot was decided once."""
    publication = Publication(root, {})
    try:
        editions = publication.store.editions.list_all("daily")[::-1]
    finally:
        publication.close()
    slots = [edition.slot.at for edition in editions]
    first_slot = datetime(2023, 3, 1, 8, tzinfo=UTC)
    assert slots == [first_slot + day * DAY for day in range((end - first_slot) // DAY + 1)]
    composed = [edition for edition in editions if edition.decision is Decision.COMPOSED]
    assert {edition.state for edition in composed} == {"done"}
    return [[*edition.post_ids] for edition in composed]


def assert_sent_once(mailbox: Mailbox, editions: list[list[str]], kill_count: int) -> None:
    """Assert that the store and the inbox agree: a kill may repeat one message, with the same Message-ID."""
    ids = [post for posts in editions for post in posts]
    assert len(ids) == len(set(ids)) == DAYS
    posts_by_id: dict[bytes, list[str]] = {}
    for received, posts in zip(mailbox.relay.messages, mailbox.inbox, strict=True):
        message_id = next(
            line for line in received.message.split(b"\r\n") if line.lower().startswith(b"message-id:")
        )
        assert posts_by_id.setdefault(message_id, posts) == posts
    assert len(posts_by_id) == len(editions)
    assert sorted(post for posts in posts_by_id.values() for post in posts) == mailbox.titles
    assert len(mailbox.relay.messages) - len(posts_by_id) <= kill_count
