"""The grammar of dates: a day in numbers or in words, with the time and zone that may follow it.

Numbers: `2023-06-07`, `2023/6/7`, `2023.6.7`, `20230607`, `7.6.2023`, and `13/6/2023` where only one order is
possible. Words: `Wednesday, June 07, 2023` and the like in the languages of `month_names`, `2023年6月7日 星期三`.
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

_MIN_YEAR, _MAX_YEAR = 1000, 9998  # four digits in every format, and in every time zone
_NON_GREGORIAN_YEARS = range(1300, 1500)  # the current years of the Persian and the Islamic calendar
_LAST_MONTH = 12
_MAX_LENGTH = 100  # characters; no line with a date is longer, and most paragraphs are

_TIME = r"(?P<hour>\d{1,2})[:h](?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,]\d+)?)?(?:\s*(?P<half>[ap])\.?m\b\.?)?"
_ZONE = r"\s*(?:(?:GMT|UTC)(?=[+-]))?(?P<zone>[+-]\d{1,2}(?::?\d{2})?|[A-Za-z]+/[A-Za-z_/]+|[A-Za-z]{1,5})?"
_ZONE_ABBREVIATION = r"(?:(?<=\d)\s+[A-Z]{3,4})?"  # Go prints `+0000 UTC`
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
_CJK_DIGITS = {digit: number for number, digit in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0}
_TOKEN = re.compile(r"\d+|[^\W\d_]+")

# RFC 822, 5.1, and the abbreviations that Jekyll, WordPress and mail programs print
_NAMED_ZONES = {
    name: timezone(timedelta(hours=hours))
    for name, hours in {
        "Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6,
        "PST": -8, "PDT": -7, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9, "KST": 9,
    }.items()
}  # fmt: skip


class DateError(ValueError):
    """An impossible date with a `cure` of its own."""

    def __init__(self, message: str, cure: str) -> None:
        super().__init__(message)
        self.cure = cure


def parse_date_parts(text: str) -> tuple[date, time | None, tzinfo | None] | None:
    """Parse a day, and the time and zone that may follow it. Returns None where the text is not a date.

    Raises `ValueError` with a sentence for an impossible or ambiguous date: 30 February, a wrong weekday, 7/6/2023.
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
    """Parse the text in the first format that matches it."""
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
    if separator == "." or int(first) > _LAST_MONTH:
        return _gregorian_date(year, second, first)
    if int(second) > _LAST_MONTH or first == second:
        return _gregorian_date(year, first, second)
    raise ValueError(f"`{match[0]}` can mean two different days")


def _parse_cjk_date(match: re.Match[str]) -> date:
    day = _gregorian_date(*(str(_parse_cjk_number(match[part])) for part in ("year", "month", "day")))
    for language, weekday_names in _WEEKDAYS.items():
        weekday_name = weekday_names[day.weekday()]
        if match[language] and match[language].replace("天", "日") != weekday_name:
            raise _weekday_error(match[0], day, _WEEKDAY_FORMS[language].format(weekday_name))
    return day


def _parse_cjk_number(text: str) -> int:
    """Parse `2023`, `二〇二三`, `十二` or `三十一`."""
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
    """Parse a day whose month is a word. Every word of the text has to belong to the same language, else None."""
    if match := _VIETNAMESE_DATE.search(fold_text(text)):
        return _gregorian_date(match["year"], match["month"], match["day"])
    tokens = _tokenize(text)
    years = [token for token in tokens if token.isdigit() and len(token) == 4]  # noqa: PLR2004 - digits of a year
    days = [token for token in tokens if token.isdigit() and len(token) <= 2]  # noqa: PLR2004 - digits of a day
    names = [token for token in tokens if not token.isdigit()]
    if len(years) != 1 or len(days) != 1 or len(names) + 2 != len(tokens):
        return None
    if int(years[0]) in _NON_GREGORIAN_YEARS and not SOLAR_HIJRI_MONTHS.isdisjoint(names):
        raise _calendar_error(text)
    return _parse_in_any_language(text, years[0], days[0], names)


def _parse_in_any_language(text: str, year: str, day_number: str, names: list[str]) -> date | None:
    """Return the day in the first language that has all the names and whose weekday fits, None where no language has.

    Raises the error of the first language where the weekday is wrong in each of them.
    """
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
    """Return the number of the only month among the words, None where there is not exactly one; and the other words.

    A word that can be both (Spanish `mar`: marzo, martes) is the weekday if another word is the month.
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
    """Return the languages in which each of the words is a weekday or a filler, so that it may stand beside a day."""
    return [
        language
        for language in candidates
        if all(token in FILLER_WORDS or token in build_vocabulary(language).weekdays for token in tokens)
    ]


def _check_weekday(text: str, day: date, tokens: list[str], languages: Iterable[str]) -> None:
    """Raise `DateError` where the words name a wrong weekday in each of the languages."""
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
        f"`{text}` has the wrong weekday: {day.isoformat()} was a {weekday_name}",
        f"Write the right weekday ({weekday_name}), or fix the date.",
    )


def _calendar_error(text: str) -> DateError:
    return DateError(
        f"`{text}` is a date of the Solar Hijri or the Islamic calendar; only Gregorian dates are read",
        "Write it in the Gregorian calendar, for example 2023-06-07.",
    )


def _gregorian_date(year: str, month: str, day: str) -> date:
    text = f"{year}-{month:0>2}-{day:0>2}"
    if not _MIN_YEAR <= int(year) <= _MAX_YEAR:
        raise ValueError(f"`{text}` is outside the years {_MIN_YEAR} to {_MAX_YEAR}")
    if int(year) in _NON_GREGORIAN_YEARS:
        raise _calendar_error(text)
    if not 1 <= int(month) <= _LAST_MONTH:
        raise ValueError(f"`{text}` is not a date: there is no month {int(month)}")
    last_day = monthrange(int(year), int(month))[1]
    if not 1 <= int(day) <= last_day:
        raise ValueError(f"`{text}` is not a date: that month has {last_day} days")
    return date(int(year), int(month), int(day))


def _parse_time(match: re.Match[str]) -> time:
    hour, minute, second = int(match["hour"]), int(match["minute"]), int(match["second"] or 0)
    if match["half"] and 1 <= hour <= 12:  # noqa: PLR2004 - hours of a 12-hour clock
        hour = hour % 12 + (12 if match["half"].lower() == "p" else 0)
    try:
        return time(hour, minute, min(second, 59))  # `time` has no leap seconds
    except ValueError:
        raise ValueError(f"`{match[0].strip(' T,')}` is not a time of day") from None


def _parse_zone(name: str | None) -> tzinfo | None:
    """Return the zone of an abbreviation, an IANA name or an offset; None without a name."""
    if not name:
        return None
    if name[0] not in "+-":
        if name.upper() in _NAMED_ZONES:
            return _NAMED_ZONES[name.upper()]
        if "/" in name and name in available_timezones():
            return ZoneInfo(name)
        raise ValueError(f"the time zone `{name}` is unknown")
    digits = name[1:].replace(":", "")
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))  # noqa: PLR2004 - hh, hhmm
    if hours > 23 or minutes > 59:  # noqa: PLR2004 - the largest offset
        raise ValueError(f"`{name}` is not an offset from UTC")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if name[0] == "-" else offset)
