"""Which problems a person is told of now. Pure: what stands, what was told before, the time.

A problem is the same one while its code and place are the same, whatever its sentence says of times and counts.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from ketapress.model.errors import Problem
from ketapress.model.settings import AlertSettings

PASSING = frozenset({"send.relay-down", "send.relay-throttled", "store.busy", "store.unreachable"})
"""Codes of what often mends itself: it is told when it has stood for `alerts.after`."""

APART = timedelta(minutes=5)
"""The least time between two alerts: what comes up meanwhile is told together."""

_RETURNED = timedelta(hours=1)  # what went away and is back is news again, but not at every flicker


class Told(NamedTuple):
    """Of one problem: since when it stands (or, once it is gone, when that was seen), and when it was told, if ever."""

    since: datetime
    at: datetime | None = None


Memory = Mapping[str, Told]
"""By the name of a problem."""


def name_of(problem: Problem) -> str:
    return f"{problem.code} {problem.where}".strip()


def seen(memory: Memory, problems: Iterable[Problem], now: datetime) -> Memory:
    """The memory after a look: what stands goes on standing; what is gone is kept while it may not be told again."""
    standing = {name_of(each) for each in problems if each.needs_person}
    gone = {
        name: told._replace(since=now)
        for name, told in memory.items()
        if name not in standing and told.at and abs(now - told.at) < _RETURNED
    }
    return gone | {name: memory.get(name) or Told(now) for name in standing}


def due(
    memory: Memory, problems: Iterable[Problem], settings: AlertSettings, now: datetime
) -> tuple[Problem, ...]:
    """The problems to tell now, each once; nothing while the last alert is too near."""
    last = max((told.at for told in memory.values() if told.at), default=None)
    if last and timedelta() <= now - last < APART:
        return ()
    found = {name_of(each): each for each in problems if each.needs_person}
    return tuple(found[name] for name in sorted(found) if _is_due(found[name], memory[name], settings, now))


def told(memory: Memory, problems: Iterable[Problem], now: datetime) -> Memory:
    """The memory after these were told."""
    return {**memory, **{name: memory[name]._replace(at=now) for name in map(name_of, problems)}}


def _is_due(problem: Problem, known: Told, settings: AlertSettings, now: datetime) -> bool:
    if problem.code in PASSING and now - known.since < settings.after:
        return False
    if known.at is None or known.at > now:  # never, or the clock was set back since
        return True
    returned = known.since > known.at
    return now - known.at >= (min(_RETURNED, settings.again) if returned else settings.again)
