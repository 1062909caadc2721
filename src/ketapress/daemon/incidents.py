"""What is wrong now, by the part that found it: each thing is said once, and ops are alarmed of what needs a person."""

from collections.abc import Iterable
from threading import Lock

from ketapress.alerts.notifier import Notifier
from ketapress.daemon.context import Ground
from ketapress.model.errors import Problem


class Troubles:
    """Safe to call from several threads."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._alarm = Notifier(ground.root)
        self._standing: dict[str, frozenset[Problem]] = {}
        self._lock = Lock()

    def stand(self, part: str, problems: Iterable[Problem], *, then: str) -> None:
        """These are all the problems that the part has now; `then` says what happens next about the new ones."""
        found = frozenset(problems)
        with self._lock:
            new = found - self._standing.get(part, frozenset())
            self._standing[part] = found
        for problem in sorted(new, key=str):
            self._ground.log.problem(problem, then=then)
        failed = self._alarm.notify(self._ground.settings, self.standing, self._ground.clock())
        for problem in failed:
            self._ground.log.problem(problem, then="The next alert is tried the same way.")

    @property
    def standing(self) -> tuple[Problem, ...]:
        with self._lock:
            return tuple(problem for problems in self._standing.values() for problem in problems)

    def of(self, part: str) -> frozenset[Problem]:
        """What this part has said last."""
        return self._standing.get(part, frozenset())
