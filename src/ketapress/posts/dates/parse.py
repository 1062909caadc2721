"""Parse dates as authors write them into aware datetimes. The grammar is strict, so that nothing is guessed.

Never reads the clock: "today" and "June 2023" are not dates. A bare date gets the time of `posts.publish_at`, and a time
without a zone is in the site's zone. A local time that a clock change skips is moved forward by the gap; one that occurs
twice means the first (PEP 495). Most posts say `2023-06-07`, which is parsed here; `grammar` parses the other forms.
"""

import re
from datetime import UTC, date, datetime, time, tzinfo
from typing import NamedTuple

# Years before 1000, and those of other calendars: the grammar has an error message for each
_RARE_CENTURIES = frozenset({*(f"0{digit}" for digit in range(10)), "13", "14"})
_DATE_IN_FILE_NAME = re.compile(
    r"(?:(?P<day>\d{4}([-_.])\d{1,2}\2\d{1,2})|(?P<compact>\d{8}))(?!\d)"
    r"(?P<clock>-\d{2}-\d{2}-\d{2}(?!\d))?[-_. ]*"
)


class DateRules(NamedTuple):
    """What a date leaves open: the site's zone, and the time of `posts.publish_at`."""

    zone: tzinfo
    publish_at: time


def parse_instant(text: str, rules: DateRules) -> datetime | None:
    """Parse a date into an aware datetime in the zone that it names. Returns None where the text is not a date.

    Raises `ValueError` with a sentence for an impossible or ambiguous date: 30 February, a wrong weekday, 7/6/2023.
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
    """Parse the most frequent forms, `2023-06-07` and `2023-06-07T10:00:00+02:00`, in a tenth of the grammar's time."""
    if len(text) not in {10, 19, 20, 25} or text[4:8:3] != "--" or text[:2] in _RARE_CENTURIES:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if text.startswith("9999-12-31"):  # means never, and the last day is out of range in some time zones
        moment = moment.replace(day=30)
    if len(text) == 10:  # noqa: PLR2004 - a bare date
        moment = datetime.combine(moment, rules.publish_at)
    return moment if moment.tzinfo else to_local_time(moment, rules.zone)


def to_local_time(wall_time: datetime, zone: tzinfo) -> datetime:
    """Return the local time in the zone. One that a clock change skips is moved forward by the gap."""
    return wall_time.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)


def split_file_date(stem: str) -> tuple[str, str]:
    """Split a file name into the date it begins with, for `parse_instant`, and the rest. The date is empty if there is none.

    `2023-06-07-slug`, `20230607_slug`, `2019-2-12 x`, and Hugo's `2023-06-07-10-30-00-slug`. Eight digits that are not a
    date are part of the name.
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
