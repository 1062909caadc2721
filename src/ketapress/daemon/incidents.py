"""The current problems of all jobs: each is logged once, and operators are alerted of those that need a person."""

from collections.abc import Iterable
from threading import Lock

from ketapress.alerts.notifier import Notifier
from ketapress.daemon.context import DaemonContext
from ketapress.model.errors import Problem


class Incidents:
    """Safe for several threads."""

    def __init__(self, context: DaemonContext) -> None:
        self._context = context
        self._notifier = Notifier(context.root)
        self._problems: dict[str, frozenset[Problem]] = {}
        self._lock = Lock()

    def report(self, job: str, problems: Iterable[Problem], *, then: str) -> None:
        """Take these as all current problems of a job; `then` tells operators what happens next about new ones."""
        current = frozenset(problems)
        with self._lock:
            new = current - self._problems.get(job, frozenset())
            self._problems[job] = current
        for problem in sorted(new, key=str):
            self._context.log.problem(problem, then=then)
        with self._lock:
            all_problems = tuple(problem for group in self._problems.values() for problem in group)
        failures = self._notifier.notify(self._context.settings, all_problems, self._context.clock())
        for problem in failures:
            self._context.log.problem(problem, then="The next alert is sent in the same way.")
