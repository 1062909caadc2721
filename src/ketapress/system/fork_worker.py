"""Two lists of things to do, done side by side in two processes.

In: what to do, and the lists. Out: what came of each thing. The second process is a copy of this one: it knows all that
this one knows, hands back what came of its list, and ends. What it leaves undone, for whatever reason, is done here, so
that a fault shows where everybody looks for it. Where this one is killed, the second follows it after the thing that it
is at: it holds every lock that this one held, and nobody else may have it meanwhile.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, takewhile
from typing import Any, TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")


def side_by_side(
    work: Callable[[Iterable[_T]], Iterator[_R]], first: Sequence[_T], second: Iterable[_T]
) -> Iterator[tuple[_T, _R]]:
    """Each thing of two lists with what `work` yields for it.

    Nothing of the one list may depend on what is done for the other. The second is asked for when work on the first has
    begun.
    """
    if not (first and _pays()):
        second = list(second)
        return chain(zip(first, work(first), strict=True), zip(second, work(second), strict=True))
    receiving, sending = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        os.close(receiving)  # or it would wait for itself to read, when nobody else does any more
        _send(takewhile(lambda _: os.getppid() == parent, work(first)), sending)
    os.close(sending)
    try:
        second = list(second)
        here = list(work(second))
        done = list(_received(receiving))
    finally:
        os.close(receiving)
        os.waitpid(child, 0)
    rest = work(first[len(done) :])
    return chain(zip(first, chain(done, rest), strict=True), zip(second, here, strict=True))


def _loaded(unpickler: Any) -> Iterator[Any]:
    """What was sent whole."""
    from pickle import UnpicklingError  # noqa: PLC0415 - see _received

    with suppress(EOFError, UnpicklingError):
        while True:
            yield unpickler.load()


def _pays() -> bool:
    """Whether there is a second processor, and no thread in this process that a copy would leave halfway."""
    import threading  # noqa: PLC0415 - asked for by large builds only

    return hasattr(os, "fork") and (os.cpu_count() or 1) > 1 and threading.active_count() == 1


def _send(results: Iterator[Any], sending: int) -> None:
    """Ends the process, and not as Python does: what is open and buffered belongs to the one that it was copied from.

    Nothing is sent before all is done: a pipe holds little, and is read late.
    """
    from io import BytesIO  # noqa: PLC0415 - few builds are large
    from pickle import Pickler  # noqa: PLC0415 - see above

    done = BytesIO()
    pickler = Pickler(done)  # one for all: it names each class once
    whole = 0
    try:
        try:
            for each in results:
                pickler.dump(each)
                whole = done.tell()
        finally:
            with os.fdopen(sending, "wb") as pipe:
                pipe.write(done.getbuffer()[:whole])
    finally:
        os._exit(0)


def _received(receiving: int) -> Iterator[Any]:
    """What was sent whole. It comes from a copy of this process, and nobody else can write into the pipe."""
    from pickle import Unpickler  # noqa: PLC0415 - see _send

    with os.fdopen(receiving, "rb", closefd=False) as pipe:
        yield from _loaded(Unpickler(pipe))  # noqa: S301 - see above
