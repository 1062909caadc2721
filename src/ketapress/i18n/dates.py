"""Days and instants in words: pure, and light to load.

A language gets names of its own by one row of `LANGUAGES`; one that has none is written in English.
"""

from datetime import datetime
from functools import cache, lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Calendar(NamedTuple):
    """How a language writes a day: the names of its months, their order with day and year, and with the day alone."""

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
    """An IANA zone. The standard library caches weakly, so a build would read the same file again and again."""
    return ZoneInfo(name)


def format_day(moment: datetime, timezone: str, language: str, *, short: bool = False) -> str:
    """The civil day of an instant in a zone, for people: `7 June 2023`; where it is short, without the year."""
    local = moment.astimezone(load_zone(timezone))
    calendar = _find_calendar(language)
    pattern = calendar.short_pattern if short else calendar.pattern
    return pattern.format(day=local.day, month=calendar.months[local.month - 1], year=local.year)


def format_instant(moment: datetime, timezone: str) -> str:
    """An instant in a zone, for machines, to the second: `2023-06-07T08:00:00+02:00` (RFC 3339)."""
    return moment.astimezone(load_zone(timezone)).isoformat(timespec="seconds")


def month_name(moment: datetime, timezone: str, language: str) -> str:
    """The name of the month."""
    return _find_calendar(language).months[moment.astimezone(load_zone(timezone)).month - 1]


@lru_cache(maxsize=4096)  # the same posts stand in the lists of their year and of each of their tags
def render_time_element(moment: datetime, timezone: str, language: str, *, short: bool = False) -> str:
    """The day in a `time` element that holds the instant: HTML in which nothing is a reader's or an author's."""
    text = format_day(moment, timezone, language, short=short)
    return f'<time datetime="{format_instant(moment, timezone)}">{text}</time>'


class DateFormatter(NamedTuple):
    """Instants as the pages of one site show them."""

    timezone: str
    language: str

    def time_element(self, moment: datetime) -> str:
        return render_time_element(moment, self.timezone, self.language)

    def timestamp(self, moment: datetime) -> str:
        return format_instant(moment, self.timezone)


def _find_calendar(language: str) -> Calendar:
    return CALENDARS.get(language.partition("-")[0].lower(), _ENGLISH)
