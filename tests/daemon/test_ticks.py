"""What a tick does, and what becomes of one that crashes: in this process, under a clock that stands still."""

import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from errno import ENOSPC
from io import StringIO
from itertools import pairwise
from pathlib import Path
from threading import Event

import pytest

from ketapress.daemon.context import Ground
from ketapress.daemon.counters import measured
from ketapress.daemon.incidents import Troubles
from ketapress.daemon.publish_job import LONGEST_REST, Publishing
from ketapress.daemon.quiescence import STILL, git_is_busy, stands_still
from ketapress.daemon.supervisor import LONGEST_COMMAND, LONGEST_PAUSE, Kept
from ketapress.model.delivery import Phase
from ketapress.model.errors import Problem, StoreError
from ketapress.settings.loader import read_settings
from ketapress.system.event_log import Log
from ketapress.system.lock import publication_lock
from ketapress.testing import ScriptedRelay, StillClock, after
from support.cli_runner import hashes, ketapress
from support.daemon_process import Ticking

MONDAY = datetime(2023, 6, 12, 8, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def ticking(publication: Path) -> Ticking:
    return Ticking(publication, StillClock(MONDAY - HOUR))


def write(root: Path, name: str, date: str, body: str = "Words.") -> Path:
    file = root / "posts" / f"{name}.md"
    file.write_text(f"---\ntitle: {name}\ndate: {date}\n---\n{body}\n")
    return file


def test_an_edition_is_composed_at_its_minute_and_not_before(ticking: Ticking) -> None:
    for at in (MONDAY - timedelta(seconds=1), MONDAY, MONDAY + MINUTE):
        ticking.tick(at)
    assert ticking.heard("composed") == ["weekly/2023-06-12T0800 is composed and ready."]


def test_what_the_relay_says_is_told_while_an_edition_is_on_its_way(
    ticking: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ketapress.daemon.delivery_job.KEPT_EVERY", 0.0)
    seen: list[float] = []
    with ScriptedRelay() as relay:
        toml = ticking.root / "ketapress.toml"
        toml.write_text(f'{toml.read_text()}\n[relay]\nurl = "{relay.url}"\nconnections = 1\nrate = 1000\n')
        ketapress(ticking.root, "subscribers", "add", *(f"reader{number}@example.net" for number in range(3)))
        look = after(lambda: seen.append(measured(ticking.root).get("replies_2xx", 0)), "250 taken")
        relay.script(Phase.END_OF_DATA, look, on=3)
        ticking.daemon.reload()
        ticking.tick(MONDAY)
    assert seen == [2]


def test_a_future_post_appears_at_its_minute(ticking: Ticking) -> None:
    write(ticking.root, "tomorrow", "2023-06-13T09:30:00Z")
    feed = ticking.root / "public" / "feed.xml"
    for at, there in ((MONDAY, False), (datetime(2023, 6, 13, 9, 29, 59, tzinfo=UTC), False)):
        ticking.tick(at)
        assert ("tomorrow" in feed.read_text()) is there
    ticking.tick(datetime(2023, 6, 13, 9, 30, tzinfo=UTC))
    assert "tomorrow" in feed.read_text()


def test_a_tick_with_nothing_to_do_reads_no_post_and_writes_no_file(ticking: Ticking) -> None:
    ticking.tick()
    before = hashes(ticking.root / "public")
    (ticking.root / "posts" / "2023-06-07-ketamine-therapy.txt").chmod(0o644)  # a new stamp, the same content
    ticking.tick()
    (ticking.root / "public" / "feed.xml").unlink()
    ticking.tick(ticking.clock.now + MINUTE)
    assert not (ticking.root / "public" / "feed.xml").exists()
    ticking.tick(ticking.clock.now + LONGEST_REST)
    assert hashes(ticking.root / "public") == before


def test_a_persons_word_shows_in_the_archive_with_the_next_tick(ticking: Ticking) -> None:
    ticking.tick(MONDAY)
    page = ticking.root / "public" / "archive" / "weekly" / "2023-06-12T0800.html"
    assert page.exists()
    ketapress(ticking.root, "outbox", "hold", "weekly/2023-06-12T0800")
    ticking.tick()
    assert not page.exists()


def test_a_bad_post_is_said_once_and_again_when_it_comes_back(ticking: Ticking) -> None:
    bad = ticking.root / "posts" / "bad.md"
    for _ in range(2):
        bad.write_text("no date anywhere\n")
        for _ in range(3):
            ticking.tick()
        bad.unlink()
        ticking.tick()
    said = [each for each in ticking.events if "posts/bad.md" in each["message"]]
    assert len(said) == 2
    assert said[0]["then"]


def test_a_relay_that_is_down_is_left_alone_for_a_while(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + '\n[relay]\nurl = "smtp://127.0.0.1:1"\n')
    ketapress(publication, "subscribers", "add", "ann@example.net")
    ticking = Ticking(publication, StillClock(MONDAY))
    ticking.tick()
    assert any("127.0.0.1:1" in each for each in ticking.heard("send.relay-down"))
    heard = len(ticking.events)
    ticking.tick(MONDAY + timedelta(seconds=30))
    assert len(ticking.events) == heard
    ticking.tick(MONDAY + 2 * MINUTE)
    assert ticking.daemon._jobs["delivery"].looked


def test_broken_settings_leave_those_of_before_in_force(ticking: Ticking) -> None:
    toml = ticking.root / "ketapress.toml"
    text = toml.read_text()
    for broken in ("[site]\n", "not toml", text.replace("0 8 * * mon", "every now and then"), ""):
        toml.write_text(broken)
        ticking.daemon.reload()
    toml.write_text(text.replace("[site]", '[database]\nurl = "sqlite:///no/such/folder/k.db"\n[site]'))
    ticking.daemon.reload()
    assert ticking.heard("reloaded") == []
    assert all("stay in force" in each["then"] for each in ticking.events)
    ticking.tick(MONDAY)
    assert ticking.heard("composed") == ["weekly/2023-06-12T0800 is composed and ready."]


def test_settings_that_are_read_anew_count_from_the_next_tick(ticking: Ticking) -> None:
    toml = ticking.root / "ketapress.toml"
    toml.write_text(toml.read_text().replace("0 8 * * mon", "30 9 * * mon"))
    ticking.tick(MONDAY - MINUTE)
    ticking.daemon.reload()
    ticking.tick(MONDAY)
    ticking.tick(MONDAY + 2 * HOUR)
    assert ticking.heard("composed") == ["weekly/2023-06-12T0930 is composed and ready."]


class Writer(Event):
    """Somebody who writes on a post while the daemon waits; each wait takes the wall clock forward."""

    def __init__(self, file: Path, chunks: Iterable[str]) -> None:
        super().__init__()
        self.file = file
        self.chunks = list(chunks)
        self.wall = file.stat().st_mtime

    def wait(self, timeout: float | None = None) -> bool:
        """Writes on as long as there is something; then a second has gone by since the last change."""
        self.wall += 1.0
        if self.chunks:
            with self.file.open("a") as file:
                file.write(self.chunks.pop(0))
            self.wall = self.file.stat().st_ctime + 1.0
        return False


def test_a_post_is_not_read_before_its_writer_is_done(ticking: Ticking) -> None:
    """The writer pauses for a second between his lines."""
    file = write(ticking.root, "slow", "2023-06-10", body="First line.")
    writer = Writer(file, [f"Line {number}.\n" for number in range(5)])
    ground = Ground(
        ticking.root,
        {},
        read_settings(ticking.root, {}),
        Log(ticking.said, ticking.clock),
        ticking.clock,
        writer,
    )
    tuple(Publishing(ground, lambda: None, lambda: writer.wall)())
    assert not writer.chunks
    assert "Line 4." in (ticking.root / "public" / "feed.xml").read_text()


def test_a_post_that_changes_while_it_is_read_is_read_again(
    ticking: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(ticking.root, "quick", "2023-06-10", body="Half a sen")
    from ketapress.publication import Publication

    whole, read = (
        ["---\ntitle: quick\ndate: 2023-06-10\n---\nHalf a sentence and the rest.\n"],
        Publication.load_library,
    )

    def meanwhile(self: Publication, now: datetime, *, save_ids: bool) -> object:
        found = read(self, now, save_ids=save_ids)
        if whole:
            file.write_text(whole.pop())
        return found

    monkeypatch.setattr(Publication, "load_library", meanwhile)
    writer = Writer(file, [])
    writer.wall += 10
    ground = Ground(
        ticking.root,
        {},
        read_settings(ticking.root, {}),
        Log(ticking.said, ticking.clock),
        ticking.clock,
        writer,
    )
    tuple(Publishing(ground, lambda: None, lambda: writer.wall)())
    assert "and the rest" in (ticking.root / "public" / "feed.xml").read_text()


@pytest.mark.parametrize(
    ("changed", "still"),
    [(0.0, False), (STILL / 2, False), (STILL, True), (3600.0, True), (-1.0, False), (-3600.0, True)],
)
def test_a_file_stands_still_two_seconds_after_its_last_change(changed: float, still: bool) -> None:
    stamp = f"5 {int((1000.0 - changed) * 1e9)} 12"
    assert stands_still([stamp, "5 5 12", ""], 1000.0) is still


def test_git_is_waited_for_as_long_as_its_lock_is_young(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    assert not git_is_busy(site, 1000.0)
    (tmp_path / ".git").mkdir()
    assert not git_is_busy(site, 1000.0)
    lock = tmp_path / ".git" / "index.lock"
    lock.touch()
    os.utime(lock, (1000, 1000))
    assert git_is_busy(site, 1001.0)
    assert not git_is_busy(site, 2000.0)


@pytest.fixture
def kept(publication: Path) -> Callable[..., tuple[Kept, StillClock, StringIO]]:
    def make(work: Callable[[], Iterable[Problem]]) -> tuple[Kept, StillClock, StringIO]:
        clock, said = StillClock(MONDAY), StringIO()
        log = Log(said, clock, as_json=True)
        ground = Ground(publication, {}, read_settings(publication, {}), log, clock)
        return Kept("schedule", work, Troubles(ground), lambda: clock().timestamp()), clock, said

    return make


def test_a_part_that_crashes_begins_again_later_each_time(
    kept: Callable[..., tuple[Kept, StillClock, StringIO]],
) -> None:
    began: list[float] = []

    def work() -> Iterable[Problem]:
        began.append(clock().timestamp())
        raise ZeroDivisionError(f"number {len(began)}")

    job, clock, said = kept(work)
    for _ in range(2000):
        job()
        clock.advance(timedelta(seconds=5))
    pauses = [int(after - before) for before, after in pairwise(began)]
    assert pauses[:7] == [15, 30, 60, 120, 240, 480, 600]
    assert set(pauses[6:]) == {int(LONGEST_PAUSE)}
    first = said.getvalue().splitlines()[0]
    assert '"run.schedule"' in first
    assert "ZeroDivisionError: number 1" in first
    assert "the other parts go on" in first


def test_a_fault_of_the_world_is_no_crash_and_is_said_once(
    kept: Callable[..., tuple[Kept, StillClock, StringIO]],
) -> None:
    def work() -> Iterable[Problem]:
        raise StoreError(Problem(code="store.full", message="the disk is full.", cure="Make room."))

    job, clock, said = kept(work)
    for _ in range(5):
        job()
        clock.advance(timedelta(seconds=15))
    assert len(said.getvalue().splitlines()) == 1
    assert [each.code for each in job.hindered] == ["store.full"]


def test_what_hindered_it_is_over_when_it_works_again(
    kept: Callable[..., tuple[Kept, StillClock, StringIO]],
) -> None:
    faults: list[Exception] = [OSError(28, "No space left on device", "public"), ValueError("odd")]

    def work() -> Iterable[Problem]:
        if faults:
            raise faults.pop()
        return ()

    job, clock, _ = kept(work)
    hindered = []
    for _ in range(3):
        job()
        hindered.append([each.code for each in job.hindered])
        clock.advance(timedelta(seconds=60))
    assert hindered == [["run.schedule"], ["disk"], []]


def test_a_full_disk_is_said_with_the_place_where_it_is_known(
    kept: Callable[..., tuple[Kept, StillClock, StringIO]],
) -> None:
    faults = iter((OSError(ENOSPC, "No space left on device"), OSError(ENOSPC, "No space left", "/a/b")))

    def work() -> Iterable[Problem]:
        raise next(faults)

    job, clock, said = kept(work)
    job()
    clock.advance(timedelta(seconds=15))
    job()
    first, second = said.getvalue().splitlines()
    assert "No space left on device." in first
    assert "No space left (/a/b)." in second


def test_a_person_may_publish_beside_it_and_one_who_never_ends_is_told(
    kept: Callable[..., tuple[Kept, StillClock, StringIO]], publication: Path
) -> None:
    def work() -> Iterable[Problem]:
        with publication_lock(publication, "publish"):
            return ()

    job, clock, said = kept(work)
    with publication_lock(publication, "publish"):
        for _ in range(int(LONGEST_COMMAND["schedule"]) // 15):
            job()
            clock.advance(timedelta(seconds=15))
        assert said.getvalue() == ""
        job()
    assert f"process ({os.getpid()} on" in said.getvalue()
    assert "end it if it should not run" in said.getvalue()

    job()
    clock.advance(timedelta(seconds=15))
    with publication_lock(publication, "publish"):
        job()
    assert len(said.getvalue().splitlines()) == 1


@pytest.mark.parametrize("fault", [SystemExit(3), RecursionError("deep"), MemoryError()])
def test_nothing_that_a_part_does_ends_the_daemon(
    kept: Callable[..., tuple[Kept, StillClock, StringIO]], fault: BaseException
) -> None:
    def work() -> Iterable[Problem]:
        raise fault

    job, _, said = kept(work)
    job()
    assert type(fault).__name__ in said.getvalue()
