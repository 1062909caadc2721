"""Two lists are done side by side, and nothing is lost, whatever becomes of the second process."""

import os
import select
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from ketapress.system import fork_worker as processes
from ketapress.system.fork_worker import side_by_side
from ketapress.system.lock import publication_lock

FIRST, SECOND = [1, 2, 3], [10, 20]
PATIENCE = 20  # seconds
LAST = 99_999  # of so many that a pipe does not hold what comes of them


@pytest.fixture(autouse=True)
def paying(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on a machine of one processor, and beside the threads of a test runner."""
    monkeypatch.setattr(processes, "_pays", lambda: True)


def doubled(numbers: Iterable[int]) -> Iterator[list[int]]:
    for number in numbers:
        yield [number * 2, os.getpid()]


def done_side_by_side(
    work: Callable[[Iterable[int]], Iterator[Any]], first: Sequence[int], second: Iterable[int]
) -> tuple[list[Any], list[Any]]:
    """What came of each of the two lists, the second of which is not there before it is asked for."""
    pairs = list(side_by_side(work, first, iter(second)))
    assert [thing for thing, _ in pairs] == [*first, *second]
    results = [result for _, result in pairs]
    return results[: len(first)], results[len(first) :]


def test_each_list_is_done_in_a_process_of_its_own() -> None:
    first, second = done_side_by_side(doubled, FIRST, SECOND)

    assert [number for number, _ in first + second] == [2, 4, 6, 20, 40]
    assert {process for _, process in second} == {os.getpid()}
    assert os.getpid() not in {process for _, process in first}


@pytest.mark.parametrize("second", [SECOND, []])
def test_one_list_alone_needs_no_second_process(second: list[int]) -> None:
    results = done_side_by_side(doubled, [], second)

    assert {process for each in results for _, process in each} <= {os.getpid()}


def test_where_threads_run_there_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_pays", lambda: False)
    first, second = done_side_by_side(doubled, FIRST, SECOND)

    assert {process for _, process in first + second} == {os.getpid()}


def ends(by: Callable[[], object]) -> Callable[[Iterable[int]], Iterator[list[int]]]:
    """Work that ends the second process at the second thing."""
    here = os.getpid()

    def work(numbers: Iterable[int]) -> Iterator[list[int]]:
        for number in numbers:
            if number == 2 and os.getpid() != here:
                by()
            yield [number * 2]

    return work


def fails() -> None:
    raise ValueError("here too?")


@pytest.mark.parametrize("by", [fails, lambda: os.kill(os.getpid(), signal.SIGKILL), lambda: os._exit(3)])
def test_what_the_second_process_leaves_is_done_here(by: Callable[[], object]) -> None:
    assert done_side_by_side(ends(by), FIRST, SECOND) == ([[2], [4], [6]], [[20], [40]])


def test_a_fault_shows_here() -> None:
    def work(numbers: Iterable[int]) -> Iterator[list[int]]:
        for number in numbers:
            if number == 2:
                fails()
            yield [number]

    with pytest.raises(ValueError, match="here too"):
        done_side_by_side(work, FIRST, SECOND)


def test_a_fault_in_this_process_leaves_no_other_behind() -> None:
    def work(numbers: Iterable[int]) -> Iterator[list[int]]:
        for number in numbers:
            if number == 20:
                fails()
            yield [number]

    with pytest.raises(ValueError, match="here too"):
        done_side_by_side(work, FIRST, SECOND)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_more_is_handed_back_than_a_pipe_holds() -> None:
    many = list(range(30_000))

    first, second = done_side_by_side(doubled, many, SECOND)

    assert [number for number, _ in first] == [2 * number for number in many]
    assert len(second) == 2


def test_of_what_was_handed_back_in_part_the_whole_is_kept() -> None:
    here = os.getpid()

    def work(numbers: Iterable[int]) -> Iterator[list[int]]:
        for number in numbers:
            if number == 29_000 and os.getpid() != here:
                os.kill(os.getpid(), signal.SIGKILL)
            yield [number, os.getpid()]

    first, _ = done_side_by_side(work, range(30_000), SECOND)

    assert [number for number, _ in first] == list(range(30_000))
    assert {process for _, process in first[29_000:]} == {here}


def killed_beside_its_copy(root: Path, said: int) -> None:
    """A process that works alone in a publication, and dies when its copy hands back. It never returns."""
    here = os.getpid()
    begun, begin = os.pipe()

    def work(numbers: Iterable[int]) -> Iterator[list[int]]:
        for number in numbers:
            if os.getpid() == here:
                os.read(begun, 1)
                os.kill(here, signal.SIGKILL)
            if number == LAST:
                os.write(said, f"{os.getpid()}\n".encode())
                os.write(begin, b"!")
            yield [number]

    with publication_lock(root, "publish"):
        done_side_by_side(work, range(LAST + 1), SECOND)


def test_a_killed_process_leaves_no_copy_that_keeps_its_locks(tmp_path: Path) -> None:
    """The copy has more to hand back than a pipe holds, and nobody is there who would read it."""
    hearing, said = os.pipe()
    if (killed := os.fork()) == 0:
        try:
            killed_beside_its_copy(tmp_path, said)
        finally:
            os._exit(1)
    os.close(said)
    assert os.waitpid(killed, 0)[1] == signal.SIGKILL
    copy = int(os.read(hearing, 100))
    try:
        ended, _, _ = select.select(
            [hearing], [], [], PATIENCE
        )  # it is closed when nobody can write any more
        assert ended, "the copy outlives its process"
        with publication_lock(tmp_path, "publish"):
            pass
    finally:
        os.close(hearing)
        with suppress(ProcessLookupError):
            os.kill(copy, signal.SIGKILL)


def killed_in_the_midst(done: Path, said: int) -> None:
    """A process that dies while its copy is at the first thing. It never returns; `said` stays open to its end."""
    here = os.getpid()
    begun, begin = os.pipe()

    def work(numbers: Iterable[int]) -> Iterator[list[int]]:
        for number in numbers:
            if os.getpid() == here:
                os.read(begun, 1)
                os.kill(here, signal.SIGKILL)
            done.write_text(str(number))
            os.write(begin, b"!")
            while os.getppid() == here:
                os.sched_yield()
            yield [number]

    done_side_by_side(work, FIRST, SECOND)


def test_a_copy_stops_when_its_process_is_gone(tmp_path: Path) -> None:
    """It does no more of its list, so that who comes next need not wait for the whole of it."""
    hearing, said = os.pipe()
    if (killed := os.fork()) == 0:
        try:
            killed_in_the_midst(tmp_path / "done", said)
        finally:
            os._exit(1)
    os.close(said)
    assert os.waitpid(killed, 0)[1] == signal.SIGKILL
    ended, _, _ = select.select([hearing], [], [], PATIENCE)
    os.close(hearing)
    assert ended, "the copy outlives its process"
    assert (tmp_path / "done").read_text() == "1"


@pytest.fixture
def impatient() -> Iterator[None]:
    """A wait that has no end becomes a fault."""

    def ended(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ended)
    signal.alarm(PATIENCE)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("impatient")
def test_a_fault_in_this_process_waits_for_no_copy_that_cannot_hand_back() -> None:
    def work(numbers: Iterable[int]) -> Iterator[list[int]]:
        for number in numbers:
            if number == -1:
                fails()
            yield [number]

    with pytest.raises(ValueError, match="here too"):
        done_side_by_side(work, range(LAST + 1), [-1])
