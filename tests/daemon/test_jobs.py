"""What the jobs do, and what follows a crash: in this process, with a clock that stands still."""

import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from errno import ENOSPC
from io import StringIO
from itertools import pairwise
from pathlib import Path
from threading import Event

import pytest

from ketapress.daemon.context import DaemonContext
from ketapress.daemon.counters import read_counters
from ketapress.daemon.incidents import Incidents
from ketapress.daemon.publish_job import MAX_IDLE, PublishJob
from ketapress.daemon.quiescence import QUIET_SECONDS, is_git_busy, is_quiescent
from ketapress.daemon.supervisor import MAX_COMMAND_SECONDS, MAX_PAUSE, SupervisedJob
from ketapress.model.delivery import Phase
from ketapress.model.errors import Problem, StoreError
from ketapress.settings.loader import read_settings
from ketapress.system.event_log import Log
from ketapress.system.lock import publication_lock
from ketapress.testing import ScriptedRelay, StillClock, after
from support.cli_runner import hashes, ketapress
from support.daemon_process import InlineDaemon

MONDAY = datetime(2023, 6, 12, 8, tzinfo=UTC)
Supervise = Callable[..., tuple[SupervisedJob, StillClock, StringIO]]
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def inline_daemon(publication: Path) -> InlineDaemon:
    return InlineDaemon(publication, StillClock(MONDAY - HOUR))


def write_post(root: Path, name: str, date: str, body: str = "Words.") -> Path:
    file = root / "posts" / f"{name}.md"
    file.write_text(f"---\ntitle: {name}\ndate: {date}\n---\n{body}\n")
    return file


def test_an_edition_is_composed_at_its_minute_and_not_before(inline_daemon: InlineDaemon) -> None:
    for now in (MONDAY - timedelta(seconds=1), MONDAY, MONDAY + MINUTE):
        inline_daemon.tick(now)
    assert inline_daemon.list_messages("composed") == ["weekly/2023-06-12T0800 was composed and is ready."]


def test_what_the_relay_says_is_told_while_an_edition_is_on_its_way(
    inline_daemon: InlineDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ketapress.daemon.delivery_job.SAVE_INTERVAL", 0.0)
    counts: list[float] = []
    with ScriptedRelay() as relay:
        toml = inline_daemon.root / "ketapress.toml"
        toml.write_text(f'{toml.read_text()}\n[relay]\nurl = "{relay.url}"\nconnections = 1\nrate = 1000\n')
        ketapress(
            inline_daemon.root, "subscribers", "add", *(f"reader{number}@example.net" for number in range(3))
        )
        read_counts = after(
            lambda: counts.append(read_counters(inline_daemon.root).get("replies_2xx", 0)), "250 taken"
        )
        relay.script(Phase.END_OF_DATA, read_counts, on=3)
        inline_daemon.daemon.reload()
        inline_daemon.tick(MONDAY)
    assert counts == [2]


def test_a_future_post_appears_at_its_minute(inline_daemon: InlineDaemon) -> None:
    write_post(inline_daemon.root, "tomorrow", "2023-06-13T09:30:00Z")
    feed = inline_daemon.root / "public" / "feed.xml"
    for now, is_public in ((MONDAY, False), (datetime(2023, 6, 13, 9, 29, 59, tzinfo=UTC), False)):
        inline_daemon.tick(now)
        assert ("tomorrow" in feed.read_text()) is is_public
    inline_daemon.tick(datetime(2023, 6, 13, 9, 30, tzinfo=UTC))
    assert "tomorrow" in feed.read_text()


def test_a_tick_with_nothing_to_do_reads_no_post_and_writes_no_file(inline_daemon: InlineDaemon) -> None:
    inline_daemon.tick()
    before = hashes(inline_daemon.root / "public")
    (inline_daemon.root / "posts" / "2023-06-07-ketamine-therapy.txt").chmod(
        0o644
    )  # a new stamp, the same content
    inline_daemon.tick()
    (inline_daemon.root / "public" / "feed.xml").unlink()
    inline_daemon.tick(inline_daemon.clock.now + MINUTE)
    assert not (inline_daemon.root / "public" / "feed.xml").exists()
    inline_daemon.tick(inline_daemon.clock.now + MAX_IDLE)
    assert hashes(inline_daemon.root / "public") == before


def test_a_persons_word_shows_in_the_archive_with_the_next_tick(inline_daemon: InlineDaemon) -> None:
    inline_daemon.tick(MONDAY)
    page = inline_daemon.root / "public" / "archive" / "weekly" / "2023-06-12T0800.html"
    assert page.exists()
    ketapress(inline_daemon.root, "outbox", "hold", "weekly/2023-06-12T0800")
    inline_daemon.tick()
    assert not page.exists()


def test_a_bad_post_is_said_once_and_again_when_it_comes_back(inline_daemon: InlineDaemon) -> None:
    file = inline_daemon.root / "posts" / "bad.md"
    for _ in range(2):
        file.write_text("no date anywhere\n")
        for _ in range(3):
            inline_daemon.tick()
        file.unlink()
        inline_daemon.tick()
    events = [event for event in inline_daemon.events if "posts/bad.md" in event["message"]]
    assert len(events) == 2
    assert events[0]["then"]


def test_a_relay_that_is_down_is_left_alone_for_a_while(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + '\n[relay]\nurl = "smtp://127.0.0.1:1"\n')
    ketapress(publication, "subscribers", "add", "ann@example.net")
    inline_daemon = InlineDaemon(publication, StillClock(MONDAY))
    inline_daemon.tick()
    assert any("127.0.0.1:1" in message for message in inline_daemon.list_messages("send.relay-down"))
    event_count = len(inline_daemon.events)
    inline_daemon.tick(MONDAY + timedelta(seconds=30))
    assert len(inline_daemon.events) == event_count
    inline_daemon.tick(MONDAY + 2 * MINUTE)
    assert inline_daemon.daemon._jobs["delivery"].finished_at


def test_broken_settings_leave_those_of_before_in_force(inline_daemon: InlineDaemon) -> None:
    toml = inline_daemon.root / "ketapress.toml"
    text = toml.read_text()
    for text_with_error in ("[site]\n", "not toml", text.replace("0 8 * * mon", "every now and then"), ""):
        toml.write_text(text_with_error)
        inline_daemon.daemon.reload()
    toml.write_text(text.replace("[site]", '[database]\nurl = "sqlite:///no/such/folder/k.db"\n[site]'))
    inline_daemon.daemon.reload()
    assert inline_daemon.list_messages("reloaded") == []
    assert all("stay in force" in event["then"] for event in inline_daemon.events)
    inline_daemon.tick(MONDAY)
    assert inline_daemon.list_messages("composed") == ["weekly/2023-06-12T0800 was composed and is ready."]


def test_settings_that_are_read_anew_count_from_the_next_tick(inline_daemon: InlineDaemon) -> None:
    toml = inline_daemon.root / "ketapress.toml"
    toml.write_text(toml.read_text().replace("0 8 * * mon", "30 9 * * mon"))
    inline_daemon.tick(MONDAY - MINUTE)
    inline_daemon.daemon.reload()
    inline_daemon.tick(MONDAY)
    inline_daemon.tick(MONDAY + 2 * HOUR)
    assert inline_daemon.list_messages("composed") == ["weekly/2023-06-12T0930 was composed and is ready."]


class Writer(Event):
    """Appends to a post while the daemon waits; each wait advances the file clock."""

    def __init__(self, file: Path, chunks: Iterable[str]) -> None:
        super().__init__()
        self.file = file
        self.chunks = list(chunks)
        self.wall = file.stat().st_mtime

    def wait(self, timeout: float | None = None) -> bool:
        """Append the next chunk; the file clock is then one second after the last change."""
        self.wall += 1.0
        if self.chunks:
            with self.file.open("a") as file:
                file.write(self.chunks.pop(0))
            self.wall = self.file.stat().st_ctime + 1.0
        return False


def test_a_post_is_not_read_before_its_writer_is_done(inline_daemon: InlineDaemon) -> None:
    """The writer pauses for a second between lines."""
    file = write_post(inline_daemon.root, "slow", "2023-06-10", body="First line.")
    writer = Writer(file, [f"Line {number}.\n" for number in range(5)])
    context = DaemonContext(
        inline_daemon.root,
        {},
        read_settings(inline_daemon.root, {}),
        Log(inline_daemon.log_output, inline_daemon.clock),
        inline_daemon.clock,
        writer,
    )
    tuple(PublishJob(context, lambda: None, lambda: writer.wall)())
    assert not writer.chunks
    assert "Line 4." in (inline_daemon.root / "public" / "feed.xml").read_text()


def test_a_post_that_changes_while_it_is_read_is_read_again(
    inline_daemon: InlineDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_post(inline_daemon.root, "quick", "2023-06-10", body="Half a sen")
    from ketapress.publication import Publication

    texts = ["---\ntitle: quick\ndate: 2023-06-10\n---\nHalf a sentence and the rest.\n"]
    read_library = Publication.load_library

    def read_and_change(self: Publication, now: datetime, *, save_ids: bool) -> object:
        library = read_library(self, now, save_ids=save_ids)
        if texts:
            file.write_text(texts.pop())
        return library

    monkeypatch.setattr(Publication, "load_library", read_and_change)
    writer = Writer(file, [])
    writer.wall += 10
    context = DaemonContext(
        inline_daemon.root,
        {},
        read_settings(inline_daemon.root, {}),
        Log(inline_daemon.log_output, inline_daemon.clock),
        inline_daemon.clock,
        writer,
    )
    tuple(PublishJob(context, lambda: None, lambda: writer.wall)())
    assert "and the rest" in (inline_daemon.root / "public" / "feed.xml").read_text()


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (0.0, False),
        (QUIET_SECONDS / 2, False),
        (QUIET_SECONDS, True),
        (3600.0, True),
        (-1.0, False),
        (-3600.0, True),
    ],
)
def test_a_file_stands_still_two_seconds_after_its_last_change(age: float, expected: bool) -> None:
    stamp = f"5 {int((1000.0 - age) * 1e9)} 12"
    assert is_quiescent([stamp, "5 5 12", ""], 1000.0) is expected


def test_git_is_waited_for_as_long_as_its_lock_is_young(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    assert not is_git_busy(site, 1000.0)
    (tmp_path / ".git").mkdir()
    assert not is_git_busy(site, 1000.0)
    lock = tmp_path / ".git" / "index.lock"
    lock.touch()
    os.utime(lock, (1000, 1000))
    assert is_git_busy(site, 1001.0)
    assert not is_git_busy(site, 2000.0)


@pytest.fixture
def supervise(publication: Path) -> Supervise:
    def start(job: Callable[[], Iterable[Problem]]) -> tuple[SupervisedJob, StillClock, StringIO]:
        clock, log_output = StillClock(MONDAY), StringIO()
        log = Log(log_output, clock, as_json=True)
        context = DaemonContext(publication, {}, read_settings(publication, {}), log, clock)
        return (
            SupervisedJob("schedule", job, Incidents(context), lambda: clock().timestamp()),
            clock,
            log_output,
        )

    return start


def test_a_part_that_crashes_begins_again_later_each_time(
    supervise: Supervise,
) -> None:
    start_times: list[float] = []

    def fail() -> Iterable[Problem]:
        start_times.append(clock().timestamp())
        raise ZeroDivisionError(f"number {len(start_times)}")

    job, clock, log_output = supervise(fail)
    for _ in range(2000):
        job()
        clock.advance(timedelta(seconds=5))
    pauses = [int(end - start) for start, end in pairwise(start_times)]
    assert pauses[:7] == [15, 30, 60, 120, 240, 480, 600]
    assert set(pauses[6:]) == {int(MAX_PAUSE)}
    first = log_output.getvalue().splitlines()[0]
    assert '"run.schedule"' in first
    assert "ZeroDivisionError: number 1" in first
    assert "The other jobs continue" in first


def test_a_fault_of_the_world_is_no_crash_and_is_said_once(
    supervise: Supervise,
) -> None:
    def fail() -> Iterable[Problem]:
        raise StoreError(Problem(code="store.full", message="the disk is full.", cure="Make room."))

    job, clock, log_output = supervise(fail)
    for _ in range(5):
        job()
        clock.advance(timedelta(seconds=15))
    assert len(log_output.getvalue().splitlines()) == 1
    assert [problem.code for problem in job.blocked_by] == ["store.full"]


def test_what_hindered_it_is_over_when_it_works_again(
    supervise: Supervise,
) -> None:
    errors: list[Exception] = [OSError(28, "No space left on device", "public"), ValueError("odd")]

    def fail() -> Iterable[Problem]:
        if errors:
            raise errors.pop()
        return ()

    job, clock, _ = supervise(fail)
    codes = []
    for _ in range(3):
        job()
        codes.append([problem.code for problem in job.blocked_by])
        clock.advance(timedelta(seconds=60))
    assert codes == [["run.schedule"], ["disk"], []]


def test_a_full_disk_is_said_with_the_place_where_it_is_known(
    supervise: Supervise,
) -> None:
    errors = iter((OSError(ENOSPC, "No space left on device"), OSError(ENOSPC, "No space left", "/a/b")))

    def fail() -> Iterable[Problem]:
        raise next(errors)

    job, clock, log_output = supervise(fail)
    job()
    clock.advance(timedelta(seconds=15))
    job()
    first, second = log_output.getvalue().splitlines()
    assert "No space left on device." in first
    assert "No space left (/a/b)." in second


def test_a_person_may_publish_beside_it_and_one_who_never_ends_is_told(
    supervise: Supervise, publication: Path
) -> None:
    def fail() -> Iterable[Problem]:
        with publication_lock(publication, "publish"):
            return ()

    job, clock, log_output = supervise(fail)
    with publication_lock(publication, "publish"):
        for _ in range(int(MAX_COMMAND_SECONDS["schedule"]) // 15):
            job()
            clock.advance(timedelta(seconds=15))
        assert log_output.getvalue() == ""
        job()
    assert f"process ({os.getpid()} on" in log_output.getvalue()
    assert "end it if it should not run" in log_output.getvalue()

    job()
    clock.advance(timedelta(seconds=15))
    with publication_lock(publication, "publish"):
        job()
    assert len(log_output.getvalue().splitlines()) == 1


@pytest.mark.parametrize("error", [SystemExit(3), RecursionError("deep"), MemoryError()])
def test_nothing_that_a_part_does_ends_the_daemon(supervise: Supervise, error: BaseException) -> None:
    def fail() -> Iterable[Problem]:
        raise error

    job, _, log_output = supervise(fail)
    job()
    assert type(error).__name__ in log_output.getvalue()
