"""Apply a function to many items in as many processes as there are processors.

The other processes are forked: they have all that this one has in memory, return the results of their part through a
pipe, and end. `concurrent.futures` is not used, because its workers outlive a parent that is killed, and would hold the
lock of the publication, which a fork inherits, for ever.
"""

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import BytesIO
from pickle import Pickler, Unpickler, UnpicklingError
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


def parallel_map(function: Callable[[T], R], items: Sequence[T], fewest: int) -> list[R]:
    """Return the results for all items, in their order. Fewer items than `fewest` are processed here alone.

    What another process leaves undone, for whatever reason, is done here, and so its exceptions are raised here.
    """
    size = -(-len(items) // _process_count()) if len(items) >= max(fewest, 1) else len(items)
    own, rest = items[:size], items[size:]
    children = [_Child(function, rest[start : start + size]) for start in range(0, len(rest), size or 1)]
    try:
        results = [function(item) for item in own]
        for child in children:
            child_results = child.receive()
            results += child_results
            results += [function(item) for item in child.items[len(child_results) :]]
    finally:
        for (
            child
        ) in children:  # all, before one is waited for: younger ones have inherited the pipes of older ones
            os.close(child.pipe)
        for child in children:
            os.waitpid(child.process, 0)
    return results


def _process_count() -> int:
    """Return the number of processors; 1 where there is no fork, or a thread that a fork would leave halfway."""
    return (os.cpu_count() or 1) if hasattr(os, "fork") and threading.active_count() == 1 else 1


class _Child(Generic[T, R]):
    """A forked process that applies the function to its items."""

    def __init__(self, function: Callable[[T], R], items: Sequence[T]) -> None:
        self.items = items
        self.pipe, write_end = os.pipe()
        parent = os.getpid()
        self.process = os.fork()
        if self.process == 0:
            try:
                os.close(self.pipe)
                _send_results(function, items, write_end, parent)
            finally:
                # Not sys.exit: buffers and open files belong to the parent.
                os._exit(0)
        os.close(write_end)

    def receive(self) -> list[R]:
        """Return the results, from the first one on, as many as arrive whole."""
        results: list[R] = []
        with os.fdopen(self.pipe, "rb", closefd=False) as pipe, suppress(EOFError, UnpicklingError):
            unpickler = Unpickler(pipe)  # noqa: S301 - only a copy of this process can write to the pipe
            while True:
                results.append(unpickler.load())
        return results


def _send_results(function: Callable[[T], R], items: Sequence[T], write_end: int, parent: int) -> None:
    """Write the results to the pipe once all are there: it holds little, and the parent reads it late.

    Where the parent is killed, this process ends after the item that it is at, and frees the locks that it inherited.
    """
    buffer = BytesIO()
    pickler = Pickler(buffer)  # one for all results: it writes the name of each class once
    size = 0
    try:
        for item in items:
            if os.getppid() != parent:
                return
            pickler.dump(function(item))
            size = buffer.tell()
    finally:
        with os.fdopen(write_end, "wb") as pipe:
            pipe.write(buffer.getbuffer()[:size])
