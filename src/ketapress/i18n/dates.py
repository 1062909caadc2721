"""Format days and instants for people and machines. To add a language, add a row to `CALENDARS`."""

from datetime import datetime
from functools import cache, lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ketapress.i18n.translation import find_translation


class Calendar(NamedTuple):
    """The names of a language's months, and its date formats with and without the year."""

    months: tuple[str, ...]
    pattern: str
    short_pattern: str


def _make_calendar(
    months: str, pattern: str = "{day} {month} {year}", short: str = "{day} {month}"
) -> Calendar:
    return Calendar(tuple(months.split()), pattern, short)


_ENGLISH = _make_calendar(
    "January February March April May June July August September October November December"
)
CALENDARS = {
    "ar": _make_calendar("يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر"),
    "de": _make_calendar(
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "{day}. {month} {year}",
        "{day}. {month}",
    ),
    "en": _ENGLISH,
    "es": _make_calendar(
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "{day} de {month} de {year}",
        "{day} de {month}",
    ),
    "fr": _make_calendar(
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
    ),
    "zh": _make_calendar(
        "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月", "{year}年{month}{day}日", "{month}{day}日"
    ),
}
"""By the primary subtag of a BCP 47 tag."""


@cache
def load_zone(name: str) -> ZoneInfo:
    """Return an IANA time zone. The cache of the standard library is weak: a build would read the same file many times."""
    return ZoneInfo(name)


def format_day(moment: datetime, timezone: str, language: str, *, short: bool = False) -> str:
    """Format the local day of an instant for people: `7 June 2023`, or `7 June` where `short`."""
    local = moment.astimezone(load_zone(timezone))
    calendar = find_translation(CALENDARS, language)
    pattern = calendar.short_pattern if short else calendar.pattern
    return pattern.format(day=local.day, month=calendar.months[local.month - 1], year=local.year)


def format_instant(moment: datetime, timezone: str) -> str:
    """Format an instant for machines, to the second: `2023-06-07T08:00:00+02:00` (RFC 3339)."""
    return moment.astimezone(load_zone(timezone)).isoformat(timespec="seconds")


def month_name(moment: datetime, timezone: str, language: str) -> str:
    """Return the name of the local month of an instant."""
    return find_translation(CALENDARS, language).months[moment.astimezone(load_zone(timezone)).month - 1]


@lru_cache(maxsize=4096)  # a post is in the list of its year and in the list of each of its tags
def render_time_element(moment: datetime, timezone: str, language: str, *, short: bool = False) -> str:
    """Return the day in a `time` element with the instant: HTML that contains no text of an author or a reader."""
    text = format_day(moment, timezone, language, short=short)
    return f'<time datetime="{format_instant(moment, timezone)}">{text}</time>'


class DateFormatter(NamedTuple):
    """The date formats of one site, by its time zone and language."""

    timezone: str
    language: str

    def timestamp(self, moment: datetime) -> str:
        return format_instant(moment, self.timezone)
