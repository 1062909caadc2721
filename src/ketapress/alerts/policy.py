"""Decide which problems a person is notified of now.

Two problems are the same while their code and location are the same, even if times or counts in their messages differ.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from ketapress.model.errors import Problem
from ketapress.model.settings import AlertSettings

TRANSIENT_CODES = frozenset({"send.relay-down", "send.relay-throttled", "store.busy", "store.unreachable"})
"""Codes of problems that often resolve themselves: an alert is due only after `alerts.after`."""

MIN_INTERVAL = timedelta(minutes=5)
"""The minimum time between two alerts. Problems that appear in between are sent together."""

_RECURRENCE_INTERVAL = timedelta(
    hours=1
)  # a problem that comes back is sent again, but not every few minutes


class AlertState(NamedTuple):
    """One problem: since when it exists (or, once it is gone, when that was noticed), and when an alert was last sent."""

    since: datetime
    notified_at: datetime | None = None


AlertStates = Mapping[str, AlertState]
"""The states by the key of a problem."""


def problem_key(problem: Problem) -> str:
    return f"{problem.code} {problem.where}".strip()


def update_states(states: AlertStates, problems: Iterable[Problem], now: datetime) -> AlertStates:
    """Return the states with the current problems. A problem that is gone stays until a new alert about it may be sent."""
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
    """Return the problems to send now, each once; none while the last alert is too recent."""
    last_alert = max((state.notified_at for state in states.values() if state.notified_at), default=None)
    if last_alert and timedelta() <= now - last_alert < MIN_INTERVAL:
        return ()
    by_key = {problem_key(problem): problem for problem in problems if problem.needs_person}
    return tuple(
        problem for key, problem in sorted(by_key.items()) if _is_due(problem, states[key], settings, now)
    )


def mark_notified(states: AlertStates, problems: Iterable[Problem], now: datetime) -> AlertStates:
    """Return the states after an alert about these problems."""
    return {**states, **{key: states[key]._replace(notified_at=now) for key in map(problem_key, problems)}}


def _is_due(problem: Problem, state: AlertState, settings: AlertSettings, now: datetime) -> bool:
    if problem.code in TRANSIENT_CODES and now - state.since < settings.after:
        return False
    if state.notified_at is None or state.notified_at > now:  # never sent, or the clock was set back since
        return True
    has_recurred = state.since > state.notified_at
    return now - state.notified_at >= (
        min(_RECURRENCE_INTERVAL, settings.again) if has_recurred else settings.again
    )
