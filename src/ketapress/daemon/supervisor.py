"""Work that is kept going: what it cannot do is said, and what crashed begins again, later each time.

In: work, and a monotonic clock. Out: nothing; no fault of the work leaves here, so that the other parts go on.
"""

import os
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress

from ketapress.daemon.incidents import Troubles
from ketapress.model.errors import KetapressError, Problem, RefusedError

Work = Callable[[], Iterable[Problem]]
"""Returns all that is wrong now; raises KetapressError where it could not be done."""

FIRST_PAUSE, LONGEST_PAUSE = 15.0, 600.0  # seconds after a crash; each one in a row doubles it
LONGEST_COMMAND = {
    "schedule": 600.0,
    "delivery": 6 * 3600.0,
}  # seconds; a `publish` takes no longer, a `send` may take hours
_THEN = (
    "It is looked at again by itself, every few seconds or when the relay may be tried, and what waits for a person goes on "
    "when they have decided; nothing has to be restarted."
)


class Kept:
    """One part's work. Call it at every tick; for one thread at a time. `hindered` says what kept it from its work last."""

    def __init__(self, part: str, work: Work, troubles: Troubles, monotonic: Callable[[], float]) -> None:
        self.part = part
        self._work = work
        self._troubles = troubles
        self._monotonic = monotonic
        self._crashes = 0
        self._locked_since: float | None = None
        self._rests_until = self.began = self.looked = monotonic()
        self.busy = False
        self.hindered: tuple[Problem, ...] = ()

    def __call__(self) -> None:
        if self._monotonic() < self._rests_until:
            return
        self.began, self.busy = self._monotonic(), True
        try:
            self._kept()
        finally:
            self.busy, self.looked = False, self._monotonic()

    def _kept(self) -> None:
        locked_since, self._locked_since = self._locked_since, None
        problems: tuple[Problem, ...] = ()
        hindered: tuple[Problem, ...] = ()
        try:
            problems = tuple(self._work())
        except KetapressError as error:
            if isinstance(error, RefusedError) and self._is_brief(error, locked_since):
                return
            hindered = error.problems
        except OSError as error:
            hindered = (_disk_problem(error),)
        except (Exception, SystemExit) as fault:  # noqa: BLE001 - whatever it is, it is told, and the other parts go on
            self._crashed(fault)
            return
        self._crashes, self.hindered = 0, hindered
        self._stand((*problems, *hindered), _THEN)

    def _is_brief(self, error: RefusedError, locked_since: float | None) -> bool:
        """Whether a command of a person is at work: the next tick comes in seconds. One that does not end is told."""
        if not any(each.code == "lock.taken" for each in error.problems):
            return False
        now = self._monotonic()
        self._locked_since = now if locked_since is None else locked_since
        return now - self._locked_since < LONGEST_COMMAND.get(self.part, 0.0)

    def _crashed(self, fault: BaseException) -> None:
        lasted = self._monotonic() - self.began
        self._crashes = 1 if lasted > LONGEST_PAUSE else self._crashes + 1
        pause = min(FIRST_PAUSE * 2 ** (self._crashes - 1), LONGEST_PAUSE)
        self._rests_until = self._monotonic() + pause
        where = traceback.extract_tb(fault.__traceback__)[-1]
        problem = Problem(
            code=f"run.{self.part}",
            message=f"{self.part} crashed: {type(fault).__name__}: {fault} ({where.name}, {where.filename}:{where.lineno}).",
            cure="That is a fault of Ketapress: please report it with this line.",
        )
        self.hindered = (problem,)
        self._stand(self.hindered, f"It begins again in {pause:.0f} seconds; the other parts go on.")

    def _stand(self, problems: Iterable[Problem], then: str) -> None:
        with suppress(OSError):  # the memory of alerts could not be written: the work goes on
            self._troubles.stand(self.part, problems, then=then)


def _disk_problem(error: OSError) -> Problem:
    place = f" ({os.fsdecode(error.filename)})" if error.filename else ""
    return Problem(
        code="disk",
        message=f"the system says: {error.strerror or error}{place}.",
        cure="Make room on the disk of the publication, or mend the rights there.",
    )
