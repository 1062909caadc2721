"""A function is applied to each item once, whatever becomes of the other processes."""

import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType

import pytest

from ketapress.system import parallel
from ketapress.system.lock import publication_lock
from ketapress.system.parallel import parallel_map

ITEMS = list(range(9))
MANY = 100_000  # results that no pipe holds
PATIENCE = 20  # seconds


@pytest.fixture(autouse=True)
def three_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """On any machine, and beside the threads of a test runner."""
    monkeypatch.setattr(parallel, "_process_count", lambda: 3)


@pytest.fixture
def alarm() -> Iterator[None]:
    """A wait without an end becomes a failure."""

    def fail(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(PATIENCE)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def with_process(item: int) -> tuple[int, int]:
    return item, os.getpid()


def fail() -> None:
    raise ValueError("cannot be done")


def test_each_process_does_a_part_and_results_are_in_order() -> None:
    results = parallel_map(with_process, ITEMS, 1)

    assert [item for item, _ in results] == ITEMS
    processes = [process for _, process in results]
    assert processes[:3] == [os.getpid()] * 3
    assert len(set(processes)) == 3
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 7])
def test_any_number_of_items_is_done(count: int) -> None:
    assert parallel_map(str, range(count), 0) == [str(item) for item in range(count)]


def test_few_items_are_done_here() -> None:
    results = parallel_map(with_process, ITEMS, len(ITEMS) + 1)

    assert {process for _, process in results} == {os.getpid()}


def test_with_one_process_all_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_process_count", lambda: 1)

    assert {process for _, process in parallel_map(with_process, ITEMS, 1)} == {os.getpid()}


@pytest.mark.parametrize("end", [fail, lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: os._exit(3)])
def test_what_another_process_leaves_is_done_here(end: Callable[[], object]) -> None:
    here = os.getpid()

    def work(item: int) -> tuple[int, int]:
        if item == 7 and os.getpid() != here:
            end()
        return with_process(item)

    results = parallel_map(work, ITEMS, 1)

    assert [item for item, _ in results] == ITEMS
    assert results[7][1] == here


@pytest.mark.parametrize("number", [1, 7])
def test_an_exception_is_raised_here_and_leaves_no_process(number: int) -> None:
    def work(item: int) -> int:
        if item == number:
            fail()
        return item

    with pytest.raises(ValueError, match="cannot be done"):
        parallel_map(work, ITEMS, 1)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.usefixtures("alarm")
def test_more_is_returned_than_a_pipe_holds() -> None:
    assert parallel_map(lambda item: item * 2, range(MANY), 1) == [item * 2 for item in range(MANY)]


@pytest.mark.usefixtures("alarm")
def test_an_exception_here_does_not_wait_for_a_full_pipe() -> None:
    here = os.getpid()

    def work(item: int) -> int:
        if os.getpid() == here:
            fail()
        return item

    with pytest.raises(ValueError, match="cannot be done"):
        parallel_map(work, range(MANY), 1)


def test_after_a_kill_in_a_result_the_whole_ones_are_used() -> None:
    here = os.getpid()

    def work(item: int) -> tuple[int, int]:
        if item == MANY - 10 and os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return with_process(item)

    assert [item for item, _ in parallel_map(work, range(MANY), 1)] == list(range(MANY))


def killed_parent(root: Path, report: int, items: range) -> None:
    """Lock a publication and die while the others work, the last of which reports its number. Never returns."""
    here = os.getpid()
    ready, signal_ready = os.pipe()

    def work(item: int) -> int:
        if os.getpid() == here:
            os.read(ready, 1)
            os.kill(here, signal.SIGKILL)
        (root / "last").write_text(str(item))
        if item == items[-1] or len(items) == len(ITEMS):
            os.write(report, f"{os.getpid()}\n".encode())
            os.write(signal_ready, b"!")
        while len(items) == len(ITEMS) and os.getppid() == here:
            os.sched_yield()
        return item

    with publication_lock(root, "publish"):
        parallel_map(work, items, 1)


@pytest.mark.parametrize("count", [len(ITEMS), 3_000])
def test_after_the_parent_is_killed_no_process_keeps_its_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """In the middle of the work, and when there is more to return than a pipe holds and nothing reads it."""
    monkeypatch.setattr(parallel, "_process_count", lambda: 2)
    read_end, report = os.pipe()
    if (killed := os.fork()) == 0:
        try:
            killed_parent(tmp_path, report, range(count))
        finally:
            os._exit(1)
    os.close(report)
    assert os.waitpid(killed, 0)[1] == signal.SIGKILL
    child = int(os.read(read_end, 100).split()[0])
    try:
        # The pipe ends when no process is left that could write to it.
        ended, _, _ = select.select([read_end], [], [], PATIENCE)
        assert ended, "a process outlives its parent"
        with publication_lock(tmp_path, "publish"):
            pass
    finally:
        os.close(read_end)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
