"""Two lists of things to do, done side by side in two processes.

In: what to do, and the lists. Out: what came of each thing. The second process is a copy of this one: it knows all that
this one knows, hands back what came of its list, and ends. What it leaves undone, for whatever reason, is done here, so
that a fault shows where everybody looks for it.
"""

import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

_T = TypeVar("_T")
_Work = Callable[[Iterable[_T]], Iterator[Any]]


def side_by_side(work: _Work[_T], first: Sequence[_T], second: Sequence[_T]) -> tuple[list[Any], list[Any]]:
    """What `work` says of each thing of two lists, in values that JSON can hold.

    Nothing of the one list may depend on what is done for the other.
    """
    if not (first and second and _pays()):
        return list(work(first)), list(work(second))
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        _send(work(first), sending)
    os.close(sending)
    try:
        here = list(work(second))
        with os.fdopen(receiving, encoding="utf-8") as there:
            done = [json.loads(line) for line in there if line.endswith("\n")]
    finally:
        os.waitpid(child, 0)
    return [*done, *work(first[len(done) :])], here


def _pays() -> bool:
    """Whether there is a second processor, and no thread in this process that a copy would leave halfway."""
    return hasattr(os, "fork") and (os.cpu_count() or 1) > 1 and threading.active_count() == 1


def _send(said: Iterator[Any], sending: int) -> None:
    """Ends the process, and not as Python does: what is open and buffered belongs to the one that it was copied from."""
    try:
        with os.fdopen(sending, "w", encoding="utf-8") as pipe:
            pipe.writelines(f"{json.dumps(each)}\n" for each in said)
    finally:
        os._exit(0)
