"""Parse schedules: a cron expression, or a phrase such as `weekly mon 08:00`."""

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
# Valid for certain, so cronsim need not be loaded.
_SIMPLE_CRON = re.compile(rf"[0-5]?\d (?:[01]?\d|2[0-3]) \* \* (?:\*|[0-7]|{'|'.join(_DAYS)})\Z")
_ANY_DAY = datetime(2024, 1, 1)  # noqa: DTZ001 - cronsim needs any day to start from
_EXAMPLES = "`0 8 * * mon`, `daily 08:00`, `weekly mon 08:00`, `monthly last fri 08:00` or `monthly 1 08:00`"


def parse_schedule(text: str) -> Schedule:
    """Parse a cron expression (five fields, as cronsim reads them) or a phrase. Raises ValueError with examples.

    Days of the week count from Sunday = 0, as in cron(5). A month without that day of the month has no edition;
    `last` exists in every month.
    """
    words = " ".join(text.lower().split())
    cron = next(
        (_format_cron(match, template) for pattern, template in _PHRASES if (match := pattern.match(words))),
        words,
    )
    if len(cron.split()) != 5:  # noqa: PLR2004 - minute, hour, day, month, weekday
        raise ValueError(f"expected a schedule, such as {_EXAMPLES}")
    if _SIMPLE_CRON.match(cron):
        return Schedule(text, cron)
    from cronsim import CronSim, CronSimError  # noqa: PLC0415 - takes as long to load as a post to build

    try:
        next(CronSim(cron, _ANY_DAY))
    except (CronSimError, StopIteration):
        raise ValueError(
            f"it is not a valid cron expression; expected a schedule, such as {_EXAMPLES}"
        ) from None
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
