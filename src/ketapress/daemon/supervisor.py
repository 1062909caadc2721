"""Run a job again and again: report its problems, and restart it after a crash, with growing pauses.

No exception of the job leaves this module, so that the other jobs continue.
"""

import os
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress

from ketapress.daemon.context import Job
from ketapress.daemon.incidents import Incidents
from ketapress.model.errors import KetapressError, Problem, RefusedError

MIN_PAUSE, MAX_PAUSE = 15.0, 600.0
"""Seconds of the pause after a crash; it doubles with each crash in a row."""

MAX_COMMAND_SECONDS = {"schedule": 600.0, "delivery": 6 * 3600.0}
"""How long a command that holds the lock is waited for in silence: `publish` takes minutes, `send` may take hours."""

_NEXT_STEP = (
    "The job retries automatically; no restart is needed. What needs a decision continues once it is made."
)


class SupervisedJob:
    """One job under supervision. Call it at every interval, from one thread at a time.

    `blocked_by` holds the problems that stopped the last run; times are those of `monotonic`.
    """

    def __init__(self, name: str, job: Job, incidents: Incidents, monotonic: Callable[[], float]) -> None:
        self._name = name
        self._job = job
        self._incidents = incidents
        self._monotonic = monotonic
        self._crash_count = 0
        self._lock_wait_start: float | None = None
        self._retry_at = self.started_at = self.finished_at = monotonic()
        self.is_running = False
        self.blocked_by: tuple[Problem, ...] = ()

    def __call__(self) -> None:
        if self._monotonic() < self._retry_at:
            return
        self.started_at, self.is_running = self._monotonic(), True
        try:
            self._run()
        finally:
            self.is_running, self.finished_at = False, self._monotonic()

    def _run(self) -> None:
        lock_wait_start, self._lock_wait_start = self._lock_wait_start, None
        problems: tuple[Problem, ...] = ()
        blocked_by: tuple[Problem, ...] = ()
        try:
            problems = tuple(self._job())
        except KetapressError as error:
            if isinstance(error, RefusedError) and any(p.code == "lock.taken" for p in error.problems):
                # A command is at work. It is reported only where it takes too long.
                now = self._monotonic()
                self._lock_wait_start = now if lock_wait_start is None else lock_wait_start
                if now - self._lock_wait_start < MAX_COMMAND_SECONDS.get(self._name, 0.0):
                    return
            blocked_by = error.problems
        except OSError as error:
            blocked_by = (_build_disk_problem(error),)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it is, the other jobs continue
            self._handle_crash(error)
            return
        self._crash_count, self.blocked_by = 0, blocked_by
        self._report((*problems, *blocked_by), _NEXT_STEP)

    def _handle_crash(self, error: BaseException) -> None:
        duration = self._monotonic() - self.started_at
        self._crash_count = 1 if duration > MAX_PAUSE else self._crash_count + 1
        pause = min(MIN_PAUSE * 2 ** (self._crash_count - 1), MAX_PAUSE)
        self._retry_at = self._monotonic() + pause
        frame = traceback.extract_tb(error.__traceback__)[-1]
        problem = Problem(
            code=f"run.{self._name}",
            message=(
                f"{self._name} crashed: {type(error).__name__}: {error} "
                f"({frame.name}, {frame.filename}:{frame.lineno})."
            ),
            cure="This is a bug in Ketapress. Please report it with this line.",
        )
        self.blocked_by = (problem,)
        self._report(self.blocked_by, f"It restarts in {pause:.0f} seconds. The other jobs continue.")

    def _report(self, problems: Iterable[Problem], then: str) -> None:
        with suppress(OSError):  # the state of the alerts could not be saved
            self._incidents.report(self._name, problems, then=then)


def _build_disk_problem(error: OSError) -> Problem:
    location = f" ({os.fsdecode(error.filename)})" if error.filename else ""
    return Problem(
        code="disk",
        message=f"a file cannot be read or written: {error.strerror or error}{location}.",
        cure="Free space on the disk of the publication, or correct the permissions there.",
    )
