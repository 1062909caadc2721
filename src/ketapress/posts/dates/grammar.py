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

from ketapress.posts.dates.eras import normalize_date
from ketapress.posts.dates.month_names import (
    CALENDAR_NAMES,
    FILLER_WORDS,
    SOLAR_HIJRI_MONTHS,
    build_vocabulary,
    fold_text,
)

_MIN_YEAR, _MAX_YEAR = 1000, 9998  # four digits in every format, and room for any zone
_NON_GREGORIAN_YEARS = range(1300, 1500)  # the years that Persian and Arabic writers may count today
_MAX_LENGTH = 100  # characters; no date line is longer, and most paragraphs are

_TIME = r"(?P<hour>\d{1,2})[:h](?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,]\d+)?)?(?:\s*(?P<half>[ap])\.?m\b\.?)?"
_ZONE = r"\s*(?:(?:GMT|UTC)(?=[+-]))?(?P<zone>[+-]\d{1,2}(?::?\d{2})?|[A-Za-z]+/[A-Za-z_/]+|[A-Za-z]{1,5})?"
_ZONE_ABBREVIATION = r"(?:(?<=\d)\s+[A-Z]{3,4})?"  # as Go prints it: +0000 UTC
_TIME_OF_DAY = re.compile(
    rf"(?:^|[\sT,]){_TIME}(?:\s*(?:uhr|h)\b)?{_ZONE}{_ZONE_ABBREVIATION}(?:\s*\([A-Za-z ]+\))?\s*$",
    re.IGNORECASE,
)
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|(\d{2})(\d{2}))(?!\d)")
_YEAR_LAST = re.compile(r"(?<!\d)(\d{1,2})([./-])[ ]?(\d{1,2})\2[ ]?(\d{4})(?!\d)")
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th|er|[aoe])\b")
_CJK_DATE = re.compile(
    r"(?P<year>\d{4}|[〇零○一二三四五六七八九]{4})\s*[年년.]\s*(?P<month>\d{1,2}|[一二三四五六七八九十]{1,3})\s*[月월.]"
    r"\s*(?P<day>\d{1,2}|[一二三四五六七八九十]{1,3})\s*[日号號일.]?"
    r"\s*[,、(]?\s*(?:(?:星期|周|週|礼拜|禮拜)(?P<zh>[一二三四五六日天])|(?P<ja>[月火水木金土日])(?:曜日?)?|(?P<ko>[월화수목금토일])(?:요일)?)?\)?"
)
_WEEKDAYS = {"zh": "一二三四五六日", "ja": "月火水木金土日", "ko": "월화수목금토일"}
_WEEKDAY_FORMS = {"zh": "星期{}", "ja": "{}曜日", "ko": "{}요일"}
_VIETNAMESE_DATE = re.compile(r"(?P<day>\d{1,2}) thang (?P<month>\d{1,2})[, ]*nam (?P<year>\d{4})")
_CJK_DIGITS = {c: number for number, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0}
_TOKEN = re.compile(r"\d+|[^\W\d_]+")

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


def parse_date_parts(text: str) -> tuple[date, time | None, tzinfo | None] | None:
    """The day that `text` names, with a time and a zone if they follow it; None where it is no date.

    Raises ValueError with a sentence for what is a date and cannot be: 30 February, a wrong weekday, 7/6/2023.
    """
    if not text.isascii():
        text = normalize_date(unicodedata.normalize("NFKC", text)).strip()
    if not text or len(text) > _MAX_LENGTH or not any(char.isdigit() or char in _CJK_DIGITS for char in text):
        return None
    match = _TIME_OF_DAY.search(text)
    day = _parse_day(text[: match.start()].rstrip(" ,T") if match else text)
    if day is None:
        return None
    if match is None:
        return day, None, None
    return day, _parse_time(match), _parse_zone(match["zone"])


def _parse_day(text: str) -> date | None:
    """The day that the text names, by the first grammar that knows it."""
    for date_format, parse in _NUMERIC_FORMATS:
        if match := date_format.search(text):
            other_words = _tokenize(text[: match.start()] + " " + text[match.end() :])
            languages = _find_languages(other_words)
            if not languages:
                return None
            day = parse(match)
            _check_weekday(text, day, other_words, languages)
            return day
    return _parse_day_with_month_name(text)


def _tokenize(text: str) -> list[str]:
    return _TOKEN.findall(_ORDINAL.sub("", fold_text(text)))


def _parse_year_first(match: re.Match[str]) -> date:
    year, _, month, day, compact_month, compact_day = match.groups()
    return _gregorian_date(year, month or compact_month, day or compact_day)


def _parse_year_last(match: re.Match[str]) -> date:
    first, separator, second, year = match.groups()
    if separator != "." and int(first) <= 12 and int(second) <= 12 and first != second:  # noqa: PLR2004 - months of a year
        raise ValueError(f"`{match[0]}` can be two different days")
    month_first = separator != "." and int(second) > 12  # noqa: PLR2004 - months of a year
    return _gregorian_date(year, first, second) if month_first else _gregorian_date(year, second, first)


def _parse_cjk_date(match: re.Match[str]) -> date:
    day = _gregorian_date(*(str(_parse_cjk_number(match[part])) for part in ("year", "month", "day")))
    for language, weekday_names in _WEEKDAYS.items():
        weekday_name = weekday_names[day.weekday()]
        if match[language] and match[language].replace("天", "日") != weekday_name:
            raise _weekday_error(match[0], day, _WEEKDAY_FORMS[language].format(weekday_name))
    return day


def _parse_cjk_number(text: str) -> int:
    """`2023`, `二〇二三`, `十二`, `三十一` as a number."""
    if text[0] not in _CJK_DIGITS and text[0] != "十":
        return int(text)
    tens, ten, ones = text.rpartition("十")
    if not ten:
        return int("".join(str(_CJK_DIGITS[char]) for char in text))
    return 10 * _CJK_DIGITS.get(tens, 1) + _CJK_DIGITS.get(ones, 0)


_NUMERIC_FORMATS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], date]], ...] = (
    (_YEAR_FIRST, _parse_year_first),
    (_YEAR_LAST, _parse_year_last),
    (_CJK_DATE, _parse_cjk_date),
)


def _parse_day_with_month_name(text: str) -> date | None:
    """A day with its month in words, or None. Every word of the text has to be known in one and the same language."""
    if match := _VIETNAMESE_DATE.search(fold_text(text)):
        return _gregorian_date(match["year"], match["month"], match["day"])
    tokens = _tokenize(text)
    years = [token for token in tokens if token.isdigit() and len(token) == 4]  # noqa: PLR2004 - a year has four digits
    days = [token for token in tokens if token.isdigit() and len(token) <= 2]  # noqa: PLR2004 - and a day at most two
    names = [token for token in tokens if not token.isdigit()]
    if len(years) != 1 or len(days) != 1 or len(names) + 2 != len(tokens):
        return None
    if int(years[0]) in _NON_GREGORIAN_YEARS and not SOLAR_HIJRI_MONTHS.isdisjoint(names):
        raise _calendar_error(text)
    return _parse_in_any_language(text, years[0], days[0], names)


def _parse_in_any_language(text: str, year: str, day_number: str, names: list[str]) -> date | None:
    """The day in the first language whose words these are and whose weekday fits; raises the first fault otherwise."""
    first_error = None
    for language in CALENDAR_NAMES:
        month, other_words = _find_month(names, language)
        if month is None or not _find_languages(other_words, (language,)):
            continue
        day = _gregorian_date(year, str(month), day_number)
        try:
            _check_weekday(text, day, other_words, (language,))
        except ValueError as error:
            first_error = first_error or error
        else:
            return day
    if first_error:
        raise first_error
    return None


def _find_month(tokens: list[str], language: str) -> tuple[int | None, list[str]]:
    """The one month among the words, and the other words; None where there is none, or more than one.

    A word that can be both (Spanish `mar`: marzo, martes) is the weekday where another word is the month.
    """
    vocabulary = build_vocabulary(language)
    candidates = [token for token in tokens if token in vocabulary.months]
    month_words = [token for token in candidates if token not in vocabulary.weekdays] or candidates[:1]
    if len(month_words) != 1:
        return None, tokens
    other_words = list(tokens)
    other_words.remove(month_words[0])
    return vocabulary.months[month_words[0]], other_words


def _find_languages(tokens: list[str], candidates: Iterable[str] = CALENDAR_NAMES) -> list[str]:
    """The languages in which all these words are weekdays, or say nothing: what may stand beside a day."""
    return [
        language
        for language in candidates
        if all(token in FILLER_WORDS or token in build_vocabulary(language).weekdays for token in tokens)
    ]


def _check_weekday(text: str, day: date, tokens: list[str], languages: Iterable[str]) -> None:
    """Raises ValueError, naming the right weekday, where the words name a wrong one in each of the languages."""
    weekday_name = ""
    for language in languages:
        weekdays = build_vocabulary(language).weekdays
        numbers = [weekdays[token] for token in tokens if token in weekdays]
        if day.weekday() in numbers or not numbers:
            return
        weekday_name = weekday_name or CALENDAR_NAMES[language].weekdays[day.weekday()].title()
    raise _weekday_error(text, day, weekday_name)


def _weekday_error(text: str, day: date, weekday_name: str) -> DateError:
    return DateError(
        f"`{text}` names the wrong weekday: {day.isoformat()} was a {weekday_name}",
        f"Write the right weekday ({weekday_name}), or mend the date.",
    )


def _calendar_error(text: str) -> DateError:
    return DateError(
        f"`{text}` is a day of the Solar Hijri or the Islamic calendar, and only Gregorian days are read",
        "Write it in the Gregorian calendar, as 2023-06-07.",
    )


def _gregorian_date(year: str, month: str, day: str) -> date:
    text = f"{year}-{month:0>2}-{day:0>2}"
    if not _MIN_YEAR <= int(year) <= _MAX_YEAR:
        raise ValueError(f"`{text}` lies outside the years {_MIN_YEAR} to {_MAX_YEAR}")
    if int(year) in _NON_GREGORIAN_YEARS:
        raise _calendar_error(text)
    if not 1 <= int(month) <= 12:  # noqa: PLR2004 - months of a year
        raise ValueError(f"`{text}` is no day: there is no month {int(month)}")
    last_day = monthrange(int(year), int(month))[1]
    if not 1 <= int(day) <= last_day:
        raise ValueError(f"`{text}` is no day: that month has {last_day} days")
    return date(int(year), int(month), int(day))


def _parse_time(match: re.Match[str]) -> time:
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    if match["half"] and 1 <= hour <= 12:  # noqa: PLR2004 - hours on a clock's face
        hour = hour % 12 + (12 if match["half"].lower() == "p" else 0)
    try:
        return time(hour, minute, min(second, 59))  # a leap second is the one before it
    except ValueError:
        raise ValueError(f"`{match[0].strip(' T,')}` is no time of day") from None


def _parse_zone(name: str | None) -> tzinfo | None:
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
