"""Dates as authors write them become instants; a strict grammar, so that nothing is guessed.

In comes one string, out goes an aware datetime, None (this is no date), or a ValueError with a sentence (this is a
date, and a wrong one). Never reads the clock: "today" and "June 2023" are no dates.

A bare date takes the hour of `posts.publish_at`; what names no zone is meant in the site's. A local time that a clock
change skips is moved forward by the gap; one that comes twice means the first (PEP 495). Most posts say `2023-06-07`,
which is read here; what else may be written is the matter of `dategrammar`.
"""

import re
from datetime import UTC, date, datetime, time, tzinfo
from typing import NamedTuple

# No year at all, or one of another calendar: the grammar says which
_RARE_CENTURIES = frozenset({*(f"0{digit}" for digit in range(10)), "13", "14"})
_DATE_IN_FILE_NAME = re.compile(
    r"(?:(?P<day>\d{4}([-_.])\d{1,2}\2\d{1,2})|(?P<compact>\d{8}))(?!\d)"
    r"(?P<clock>-\d{2}-\d{2}-\d{2}(?!\d))?[-_. ]*"
)


class DateRules(NamedTuple):
    """How a bare date becomes an instant: the site's zone, and `posts.publish_at`."""

    zone: tzinfo
    publish_at: time


def parse_instant(text: str, rules: DateRules) -> datetime | None:
    """The instant that `text` names, in the zone it was written in; None where it is no date.

    Raises ValueError with a sentence for what is a date and cannot be: 30 February, a wrong weekday, 7/6/2023.
    """
    text = text.strip()
    if moment := _parse_iso_instant(text, rules):
        return moment
    from ketapress.posts.dates.grammar import parse_date_parts

    parts = parse_date_parts(text)
    if parts is None:
        return None
    day, time_of_day, zone = parts
    return to_local_time(
        datetime.combine(day, rules.publish_at if time_of_day is None else time_of_day), zone or rules.zone
    )


def _parse_iso_instant(text: str, rules: DateRules) -> datetime | None:
    """What nearly every post says, `2023-06-07` or `2023-06-07T10:00:00+02:00`, at a tenth of the grammar's cost."""
    if len(text) not in {10, 19, 20, 25} or text[4:8:3] != "--" or text[:2] in _RARE_CENTURIES:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) == 10:  # noqa: PLR2004 - a bare date
        moment = datetime.combine(moment, rules.publish_at)
    return moment if moment.tzinfo else to_local_time(moment, rules.zone)


def to_local_time(wall_time: datetime, zone: tzinfo) -> datetime:
    """A wall-clock time as it exists in the zone: a skipped one moves forward by the gap."""
    return wall_time.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)


def split_file_date(stem: str) -> tuple[str, str]:
    """The date that a file name begins with, for `instant` to read, and what follows it; empty where it has none.

    `2023-06-07-slug`, `20230607_slug`, `2019-2-12 x`, and Hugo's `2023-06-07-10-30-00-slug`. Eight digits that are no
    day are just a number.
    """
    match = _DATE_IN_FILE_NAME.match(stem)
    if not match:
        return "", stem
    if match["compact"]:
        try:
            date.fromisoformat(match["compact"])
        except ValueError:
            return "", stem
    time_text = match["clock"]
    date_text = match["compact"] or match["day"].replace("_", "-").replace(".", "-")
    return f"{date_text} {time_text[1:].replace('-', ':')}" if time_text else date_text, stem[match.end() :]
