"""Describe schedules in words: *every Monday at 08:00, Berlin time*. To add a language, add a row to `PHRASES`.

A schedule that no short phrase describes, such as `*/5`, has no description.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from ketapress.i18n.translation import find_translation

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WORKING_DAYS = [1, 2, 3, 4, 5]
_TIME = re.compile(r"(?P<minute>[0-5]?\d) (?P<hour>[01]?\d|2[0-3]) (?P<rest>.*)")
_DATE = re.compile(r"(?P<date>\d\d?) \* \*")
_NTH = re.compile(r"\* \* (?P<day>[0-7]|[a-z]{3})(?P<nth>#[1-4]|L)", re.IGNORECASE)
_WEEKLY = re.compile(r"\* \* (?P<days>[0-7a-z,-]+)")


class SchedulePhrases(NamedTuple):
    """The phrases of a language. `days` start with Sunday; `ordinals` are first to fourth and last.

    `comma` and `last` join several days. `at` and `zone` contain the phrase so far as `{when}`.
    """

    days: tuple[str, ...]
    ordinals: tuple[str, ...]
    daily: str
    working_days: str
    weekly: str
    nth: str
    monthly: str
    month_end: str
    at: str
    zone: str
    last: str
    comma: str = ", "


def _split(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_ENGLISH = SchedulePhrases(
    days=_split("Sunday Monday Tuesday Wednesday Thursday Friday Saturday"),
    ordinals=_split("first second third fourth last"),
    daily="every day",
    working_days="Monday to Friday",
    weekly="every {days}",
    nth="on the {ordinal} {day} of every month",
    monthly="on day {date} of every month",
    month_end="on the last day of every month",
    at="{when} at {time}",
    zone="{when}, {city} time",
    last=" and ",
)
PHRASES = {
    "ar": SchedulePhrases(
        days=_split("أحد اثنين ثلاثاء أربعاء خميس جمعة سبت"),
        ordinals=_split("أول ثاني ثالث رابع آخر"),
        daily="كل يوم",
        working_days="من الاثنين إلى الجمعة",
        weekly="كل يوم {days}",
        nth="في {ordinal} يوم {day} من كل شهر",
        monthly="في اليوم {date} من كل شهر",
        month_end="في آخر يوم من كل شهر",
        at="{when} الساعة {time}",
        zone="{when} بتوقيت {city}",
        comma=" و",
        last=" و",
    ),
    "de": SchedulePhrases(
        days=_split("Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag"),
        ordinals=_split("ersten zweiten dritten vierten letzten"),
        daily="jeden Tag",
        working_days="montags bis freitags",
        weekly="jeden {days}",
        nth="am {ordinal} {day} jedes Monats",
        monthly="am {date}. jedes Monats",
        month_end="am letzten Tag jedes Monats",
        at="{when} um {time} Uhr",
        zone="{when} (Ortszeit {city})",
        last=" und ",
    ),
    "en": _ENGLISH,
    "es": SchedulePhrases(
        days=_split("domingo lunes martes miércoles jueves viernes sábado"),
        ordinals=_split("primer segundo tercer cuarto último"),
        daily="cada día",
        working_days="de lunes a viernes",
        weekly="cada {days}",
        nth="el {ordinal} {day} de cada mes",
        monthly="el día {date} de cada mes",
        month_end="el último día de cada mes",
        at="{when} a las {time}",
        zone="{when}, hora de {city}",
        last=" y ",
    ),
    "fr": SchedulePhrases(
        days=_split("dimanche lundi mardi mercredi jeudi vendredi samedi"),
        ordinals=_split("premier deuxième troisième quatrième dernier"),
        daily="chaque jour",
        working_days="du lundi au vendredi",
        weekly="chaque {days}",
        nth="le {ordinal} {day} de chaque mois",
        monthly="le {date} de chaque mois",
        month_end="le dernier jour de chaque mois",
        at="{when} à {time}",
        zone="{when}, heure de {city}",
        last=" et ",
    ),
    "zh": SchedulePhrases(
        days=_split("周日 周一 周二 周三 周四 周五 周六"),
        ordinals=_split("第一个 第二个 第三个 第四个 最后一个"),
        daily="每天",
        working_days="周一至周五",
        weekly="每{days}",
        nth="每月{ordinal}{day}",
        monthly="每月{date}日",
        month_end="每月最后一天",
        at="{when} {time}",
        zone="{when}（{city} 时间）",
        comma="、",
        last="、",
    ),
}
"""By the primary subtag of a BCP 47 tag."""


def humanize_schedule(cron: str, timezone: str, language: str) -> str:
    """Describe a cron expression in words; empty where it names more than one time of a day, or rarer days than monthly."""
    phrases = find_translation(PHRASES, language)
    match = _TIME.fullmatch(cron)
    days_phrase = _humanize_days(match["rest"], phrases) if match else ""
    if not (match and days_phrase):
        return ""
    phrase = phrases.at.format(when=days_phrase, time=f"{int(match['hour']):02}:{int(match['minute']):02}")
    area, _, city = timezone.rpartition("/")
    if area in {"", "Etc"}:
        return f"{phrase} ({city})"
    return phrases.zone.format(when=phrase, city=city.replace("_", " "))


def _humanize_days(day_fields: str, phrases: SchedulePhrases) -> str:
    """Describe the days of the last three fields of a cron expression."""
    if day_fields == "* * *":
        return phrases.daily
    if day_fields.upper() == "L * *":
        return phrases.month_end
    if match := _DATE.fullmatch(day_fields):
        return phrases.monthly.format(date=int(match["date"]))
    if match := _NTH.fullmatch(day_fields):
        ordinal = phrases.ordinals[-1 if match["nth"].upper() == "L" else int(match["nth"][1]) - 1]
        return phrases.nth.format(ordinal=ordinal, day=phrases.days[_weekday_number(match["day"])])
    if match := _WEEKLY.fullmatch(day_fields.lower()):
        return _humanize_weekdays(match["days"], phrases)
    return ""


def _humanize_weekdays(day_list: str, phrases: SchedulePhrases) -> str:
    try:
        days = sorted({day for part in day_list.split(",") for day in _expand_range(part)})
    except ValueError:
        return ""
    if days == _WORKING_DAYS:
        return phrases.working_days
    if len(days) == len(_DAYS):
        return phrases.daily
    *names, last = [phrases.days[day] for day in days]
    day_names = phrases.comma.join(names) + phrases.last + last if names else last
    return phrases.weekly.format(days=day_names)


def _expand_range(part: str) -> Sequence[int]:
    """Return the days of `mon`, `1` or `mon-fri`, from Sunday = 0. Raises ValueError for anything else."""
    first, _, last = part.partition("-")
    return range(_weekday_number(first), _weekday_number(last or first) + 1)


def _weekday_number(name: str) -> int:
    return int(name) % len(_DAYS) if name.isdecimal() else _DAYS.index(name.lower())
