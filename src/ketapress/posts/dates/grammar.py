"""The grammar of dates, in numbers and in words: a day, and the time and zone that may follow it.

In comes a string, out go its parts, None (this is no date), or a ValueError with a sentence (this is a date, and a
wrong one). What an instant is made of them is decided in `dates`.

Numbers: `2023-06-07`, `2023/6/7`, `2023.6.7`, `20230607`, `7.6.2023`, and `13/6/2023` where only one order is
possible. Words: `Wednesday, June 07, 2023` and its like in the languages of `calendars`, `2023年6月7日 星期三`.
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable, Iterable
from datetime import date, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, available_timezones

from ketapress.model.lazy_regex import pattern
from ketapress.posts.dates.eras import in_common_words
from ketapress.posts.dates.month_names import CALENDARS, FILLERS, SOLAR_MONTHS, spoken, words

_EARLIEST, _LATEST = 1000, 9998  # four digits in every format, and room for any zone
_OTHER_CALENDARS = range(1300, 1500)  # the years that Persian and Arabic writers may count today
_LONGEST = 100  # characters; no date line is longer, and most paragraphs are

_TIME = r"(?P<hour>\d{1,2})[:h](?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,]\d+)?)?(?:\s*(?P<half>[ap])\.?m\b\.?)?"
_ZONE = r"\s*(?:(?:GMT|UTC)(?=[+-]))?(?P<zone>[+-]\d{1,2}(?::?\d{2})?|[A-Za-z]+/[A-Za-z_/]+|[A-Za-z]{1,5})?"
_ZONE_AGAIN = r"(?:(?<=\d)\s+[A-Z]{3,4})?"  # as Go prints it: +0000 UTC
_CLOCK = pattern(
    rf"(?:^|[\sT,]){_TIME}(?:\s*(?:uhr|h)\b)?{_ZONE}{_ZONE_AGAIN}(?:\s*\([A-Za-z ]+\))?\s*$", re.IGNORECASE
)
_YEAR_FIRST = pattern(r"(?<!\d)(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|(\d{2})(\d{2}))(?!\d)")
_YEAR_LAST = pattern(r"(?<!\d)(\d{1,2})([./-])[ ]?(\d{1,2})\2[ ]?(\d{4})(?!\d)")
_ORDINAL = pattern(r"(?<=\d)(?:st|nd|rd|th|er|[aoe])\b")
_IDEOGRAPHIC = pattern(
    r"(?P<year>\d{4}|[〇零○一二三四五六七八九]{4})\s*[年년.]\s*(?P<month>\d{1,2}|[一二三四五六七八九十]{1,3})\s*[月월.]"
    r"\s*(?P<day>\d{1,2}|[一二三四五六七八九十]{1,3})\s*[日号號일.]?"
    r"\s*[,、(]?\s*(?:(?:星期|周|週|礼拜|禮拜)(?P<zh>[一二三四五六日天])|(?P<ja>[月火水木金土日])(?:曜日?)?|(?P<ko>[월화수목금토일])(?:요일)?)?\)?"
)
_WEEKDAYS = {"zh": "一二三四五六日", "ja": "月火水木金土日", "ko": "월화수목금토일"}
_WEEKDAY_FORMS = {"zh": "星期{}", "ja": "{}曜日", "ko": "{}요일"}
_VIETNAMESE = pattern(r"(?P<day>\d{1,2}) thang (?P<month>\d{1,2})[, ]*nam (?P<year>\d{4})")
_DIGITS = {c: number for number, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0}
_TOKEN = pattern(r"\d+|[^\W\d_]+")

# RFC 822, 5.1, and what Jekyll, WordPress and mail programs print
_NAMED_ZONES = {
    name: timezone(timedelta(hours=hours))
    for name, hours in {
        "Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6,
        "PST": -8, "PDT": -7, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9, "KST": 9,
    }.items()
}  # fmt: skip


class DateError(ValueError):
    """A date that cannot be, and what to do about just that: `cure`."""

    def __init__(self, message: str, cure: str) -> None:
        super().__init__(message)
        self.cure = cure


def date_parts(text: str) -> tuple[date, time | None, tzinfo | None] | None:
    """The day that `text` names, with a time and a zone if they follow it; None where it is no date.

    Raises ValueError with a sentence for what is a date and cannot be: 30 February, a wrong weekday, 7/6/2023.
    """
    if not text.isascii():
        text = in_common_words(unicodedata.normalize("NFKC", text)).strip()
    if not text or len(text) > _LONGEST or not any(c.isdigit() or c in _DIGITS for c in text):
        return None
    clock = _CLOCK.search(text)
    day = _day(text[: clock.start()].rstrip(" ,T") if clock else text)
    if day is None:
        return None
    if clock is None:
        return day, None, None
    return day, _time(clock), _zone(clock["zone"])


def _day(text: str) -> date | None:
    """The day that the text names, by the first grammar that knows it."""
    for grammar, read in _IN_NUMBERS:
        if found := grammar.search(text):
            around = _tokens(text[: found.start()] + " " + text[found.end() :])
            languages = _languages(around)
            if not languages:
                return None
            day = read(found)
            _check_weekday(text, day, around, languages)
            return day
    return _in_words(text)


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(_ORDINAL.sub("", spoken(text)))


def _year_first(found: re.Match[str]) -> date:
    year, _, month, day, compact_month, compact_day = found.groups()
    return _calendar_day(year, month or compact_month, day or compact_day)


def _year_last(found: re.Match[str]) -> date:
    first, mark, second, year = found.groups()
    if mark != "." and int(first) <= 12 and int(second) <= 12 and first != second:  # noqa: PLR2004 - months of a year
        raise ValueError(f"`{found[0]}` can be two different days")
    month_first = mark != "." and int(second) > 12  # noqa: PLR2004 - months of a year
    return _calendar_day(year, first, second) if month_first else _calendar_day(year, second, first)


def _ideographic(found: re.Match[str]) -> date:
    day = _calendar_day(*(str(_ideographic_number(found[part])) for part in ("year", "month", "day")))
    for language, names in _WEEKDAYS.items():
        right = names[day.weekday()]
        if found[language] and found[language].replace("天", "日") != right:
            raise _wrong_weekday(found[0], day, _WEEKDAY_FORMS[language].format(right))
    return day


def _ideographic_number(text: str) -> int:
    """`2023`, `二〇二三`, `十二`, `三十一` as a number."""
    if text[0] not in _DIGITS and text[0] != "十":
        return int(text)
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return int("".join(str(_DIGITS[c]) for c in text))
    return 10 * _DIGITS.get(tens, 1) + _DIGITS.get(ones, 0)


_IN_NUMBERS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], date]], ...] = (
    (_YEAR_FIRST, _year_first),
    (_YEAR_LAST, _year_last),
    (_IDEOGRAPHIC, _ideographic),
)


def _in_words(text: str) -> date | None:
    """A day with its month in words, or None. Every word of the text has to be known in one and the same language."""
    if found := _VIETNAMESE.search(spoken(text)):
        return _calendar_day(found["year"], found["month"], found["day"])
    tokens = _tokens(text)
    years = [token for token in tokens if token.isdigit() and len(token) == 4]  # noqa: PLR2004 - a year has four digits
    days = [token for token in tokens if token.isdigit() and len(token) <= 2]  # noqa: PLR2004 - and a day at most two
    spelled = [token for token in tokens if not token.isdigit()]
    if len(years) != 1 or len(days) != 1 or len(spelled) + 2 != len(tokens):
        return None
    if int(years[0]) in _OTHER_CALENDARS and not SOLAR_MONTHS.isdisjoint(spelled):
        raise _another_calendar(text)
    return _first_without_fault(text, years[0], days[0], spelled)


def _first_without_fault(text: str, year: str, day_number: str, spelled: list[str]) -> date | None:
    """The day in the first language whose words these are and whose weekday fits; raises the first fault otherwise."""
    fault = None
    for language in CALENDARS:
        month, others = _month_among(spelled, language)
        if month is None or not _languages(others, (language,)):
            continue
        day = _calendar_day(year, str(month), day_number)
        try:
            _check_weekday(text, day, others, (language,))
        except ValueError as error:
            fault = fault or error
        else:
            return day
    if fault:
        raise fault
    return None


def _month_among(tokens: list[str], language: str) -> tuple[int | None, list[str]]:
    """The one month among the words, and the other words; None where there is none, or more than one.

    A word that can be both (Spanish `mar`: marzo, martes) is the weekday where another word is the month.
    """
    known = words(language)
    months = [token for token in tokens if token in known.months]
    certain = [token for token in months if token not in known.weekdays] or months[:1]
    if len(certain) != 1:
        return None, tokens
    others = list(tokens)
    others.remove(certain[0])
    return known.months[certain[0]], others


def _languages(tokens: list[str], among: Iterable[str] = CALENDARS) -> list[str]:
    """The languages in which all these words are weekdays, or say nothing: what may stand beside a day."""
    return [
        name for name in among if all(token in FILLERS or token in words(name).weekdays for token in tokens)
    ]


def _check_weekday(text: str, day: date, tokens: list[str], languages: Iterable[str]) -> None:
    """Raises ValueError, naming the right weekday, where the words name a wrong one in each of the languages."""
    right = ""
    for language in languages:
        weekdays = words(language).weekdays
        named = [weekdays[token] for token in tokens if token in weekdays]
        if day.weekday() in named or not named:
            return
        right = right or CALENDARS[language].weekdays[day.weekday()].title()
    raise _wrong_weekday(text, day, right)


def _wrong_weekday(text: str, day: date, right: str) -> DateError:
    return DateError(
        f"`{text}` names the wrong weekday: {day.isoformat()} was a {right}",
        f"Write the right weekday ({right}), or mend the date.",
    )


def _another_calendar(written: str) -> DateError:
    return DateError(
        f"`{written}` is a day of the Solar Hijri or the Islamic calendar, and only Gregorian days are read",
        "Write it in the Gregorian calendar, as 2023-06-07.",
    )


def _calendar_day(year: str, month: str, day: str) -> date:
    written = f"{year}-{month:0>2}-{day:0>2}"
    if not _EARLIEST <= int(year) <= _LATEST:
        raise ValueError(f"`{written}` lies outside the years {_EARLIEST} to {_LATEST}")
    if int(year) in _OTHER_CALENDARS:
        raise _another_calendar(written)
    if not 1 <= int(month) <= 12:  # noqa: PLR2004 - months of a year
        raise ValueError(f"`{written}` is no day: there is no month {int(month)}")
    last = monthrange(int(year), int(month))[1]
    if not 1 <= int(day) <= last:
        raise ValueError(f"`{written}` is no day: that month has {last} days")
    return date(int(year), int(month), int(day))


def _time(clock: re.Match[str]) -> time:
    hour, minute, second = int(clock["hour"]), int(clock["minute"]), int(clock["second"] or 0)
    if clock["half"] and 1 <= hour <= 12:  # noqa: PLR2004 - hours on a clock's face
        hour = hour % 12 + (12 if clock["half"].lower() == "p" else 0)
    try:
        return time(hour, minute, min(second, 59))  # a leap second is the one before it
    except ValueError:
        raise ValueError(f"`{clock[0].strip(' T,')}` is no time of day") from None


def _zone(name: str | None) -> tzinfo | None:
    if not name:
        return None
    if name[0] not in "+-":
        if name.upper() in _NAMED_ZONES:
            return _NAMED_ZONES[name.upper()]
        if "/" in name and name in available_timezones():
            return ZoneInfo(name)
        raise ValueError(f"the zone `{name}` is not known here")
    digits = name[1:].replace(":", "")
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))  # noqa: PLR2004 - hh, hhmm
    if hours > 23 or minutes > 59:  # noqa: PLR2004 - what an offset may hold
        raise ValueError(f"`{name}` is no offset from UTC")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if name[0] == "-" else offset)
