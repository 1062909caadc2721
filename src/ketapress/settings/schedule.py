"""When a newsletter is due: cron, or three phrases for people who do not speak it."""

import re
from datetime import datetime

from ketapress.model.settings import Schedule

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ORDINALS = {"first": "#1", "second": "#2", "third": "#3", "fourth": "#4", "last": "L"}
_DAY = rf"(?P<day>{'|'.join(_DAYS)})[a-z]*"
_TIME_OF_DAY = r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)"
_PHRASES = (
    (re.compile(rf"daily {_TIME_OF_DAY}\Z"), "{minute} {hour} * * *"),
    (re.compile(rf"weekly {_DAY} {_TIME_OF_DAY}\Z"), "{minute} {hour} * * {day}"),
    (
        re.compile(rf"monthly (?P<ordinal>{'|'.join(_ORDINALS)}) {_DAY} {_TIME_OF_DAY}\Z"),
        "{minute} {hour} * * {day}{ordinal}",
    ),
    (re.compile(rf"monthly last {_TIME_OF_DAY}\Z"), "{minute} {hour} L * *"),
    (
        re.compile(rf"monthly (?P<date>[1-9]|[12]\d|3[01])(?:st|nd|rd|th)? {_TIME_OF_DAY}\Z"),
        "{minute} {hour} {date} * *",
    ),
)
_SIMPLE_CRON = re.compile(
    rf"[0-5]?\d (?:[01]?\d|2[0-3]) \* \* (?:\*|[0-7]|{'|'.join(_DAYS)})\Z"
)  # times that every day has
_ANY_DAY = datetime(2024, 1, 1)  # noqa: DTZ001 - cronsim only needs somewhere to begin
_EXAMPLES = "`0 8 * * mon`, `daily 08:00`, `weekly mon 08:00`, `monthly last fri 08:00` or `monthly 1 08:00`"


def parse_schedule(text: str) -> Schedule:
    """The cron expression (five fields, as cronsim reads them) that a cron expression or a phrase means.

    Days of the week count from Sunday = 0, as in cron(5). A day of the month that a month does not have is
    skipped in that month; `last` never is. Raises ValueError with examples.
    """
    words = " ".join(text.lower().split())
    cron = next(
        (_format_cron(match, template) for pattern, template in _PHRASES if (match := pattern.match(words))),
        words,
    )
    if len(cron.split()) != 5:  # noqa: PLR2004 - minute, hour, day, month, weekday
        raise ValueError(f"it is no schedule; write one like {_EXAMPLES}")
    if _SIMPLE_CRON.match(cron):
        return Schedule(text, cron)
    from cronsim import CronSim, CronSimError  # noqa: PLC0415 - takes as long to load as a post to build

    try:
        next(CronSim(cron, _ANY_DAY))
    except (CronSimError, StopIteration):
        raise ValueError(f"cron cannot make a time of it; write one like {_EXAMPLES}") from None
    return Schedule(text, cron)


def _format_cron(match: re.Match[str], template: str) -> str:
    groups = match.groupdict()
    return template.format(
        minute=int(groups["minute"]),
        hour=int(groups["hour"]),
        day=_DAYS.index(groups["day"]) if groups.get("day") else "",
        ordinal=_ORDINALS.get(groups.get("ordinal") or "", ""),
        date=groups.get("date"),
    )
