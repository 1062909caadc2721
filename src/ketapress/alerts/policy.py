"""Which problems a person is told of now. Pure: what stands, what was told before, the time.

A problem is the same one while its code and place are the same, whatever its sentence says of times and counts.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from ketapress.model.errors import Problem
from ketapress.model.settings import AlertSettings

TRANSIENT_CODES = frozenset({"send.relay-down", "send.relay-throttled", "store.busy", "store.unreachable"})
"""Codes of what often mends itself: it is told when it has stood for `alerts.after`."""

MIN_INTERVAL = timedelta(minutes=5)
"""The least time between two alerts: what comes up meanwhile is told together."""

_RECURRENCE_INTERVAL = timedelta(
    hours=1
)  # what went away and is back is news again, but not at every flicker


class AlertState(NamedTuple):
    """Of one problem: since when it stands (or, once it is gone, when that was seen), and when it was told, if ever."""

    since: datetime
    notified_at: datetime | None = None


AlertStates = Mapping[str, AlertState]
"""By the name of a problem."""


def problem_key(problem: Problem) -> str:
    return f"{problem.code} {problem.where}".strip()


def update_states(states: AlertStates, problems: Iterable[Problem], now: datetime) -> AlertStates:
    """The memory after a look: what stands goes on standing; what is gone is kept while it may not be told again."""
    current_keys = {problem_key(problem) for problem in problems if problem.needs_person}
    recent = {
        key: state._replace(since=now)
        for key, state in states.items()
        if key not in current_keys
        and state.notified_at
        and abs(now - state.notified_at) < _RECURRENCE_INTERVAL
    }
    return recent | {key: states.get(key) or AlertState(now) for key in current_keys}


def due_problems(
    states: AlertStates, problems: Iterable[Problem], settings: AlertSettings, now: datetime
) -> tuple[Problem, ...]:
    """The problems to tell now, each once; nothing while the last alert is too near."""
    last_alert = max((state.notified_at for state in states.values() if state.notified_at), default=None)
    if last_alert and timedelta() <= now - last_alert < MIN_INTERVAL:
        return ()
    problems_by_key = {problem_key(problem): problem for problem in problems if problem.needs_person}
    return tuple(
        problems_by_key[key]
        for key in sorted(problems_by_key)
        if _is_due(problems_by_key[key], states[key], settings, now)
    )


def mark_notified(states: AlertStates, problems: Iterable[Problem], now: datetime) -> AlertStates:
    """The memory after these were told."""
    return {**states, **{key: states[key]._replace(notified_at=now) for key in map(problem_key, problems)}}


def _is_due(problem: Problem, state: AlertState, settings: AlertSettings, now: datetime) -> bool:
    if problem.code in TRANSIENT_CODES and now - state.since < settings.after:
        return False
    if state.notified_at is None or state.notified_at > now:  # never, or the clock was set back since
        return True
    has_recurred = state.since > state.notified_at
    return now - state.notified_at >= (
        min(_RECURRENCE_INTERVAL, settings.again) if has_recurred else settings.again
    )
