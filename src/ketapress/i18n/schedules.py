"""Schedules as templates say them to people: `{{ newsletter.schedule|spoken(zone) }}`, *every Monday at 08:00, Berlin time*.

In: what cron means by it (five fields), an IANA zone, a language. Out: a phrase; nothing for what no short phrase can
say, like `*/5`. A language gets phrases of its own by one row of `LANGUAGES`; one that has none is spoken to in English.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from jinja2 import pass_context
from jinja2.runtime import Context

from ketapress.model.settings import Schedule

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WORKING_DAYS = [1, 2, 3, 4, 5]
_TIME = re.compile(r"(?P<minute>[0-5]?\d) (?P<hour>[01]?\d|2[0-3]) (?P<rest>.*)")
_DATE = re.compile(r"(?P<date>\d\d?) \* \*")
_NTH = re.compile(r"\* \* (?P<day>[0-7]|[a-z]{3})(?P<nth>#[1-4]|L)", re.IGNORECASE)
_WEEKLY = re.compile(r"\* \* (?P<days>[0-7a-z,-]+)")


class Phrases(NamedTuple):
    """How a language says when: `days` from Sunday and `ordinals` (first to fourth, last) as they stand in its phrases.

    `comma` and `last` join several days; `at` and `zone` take what was said so far as `{when}`.
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


def _list(words: str) -> tuple[str, ...]:
    return tuple(words.split())


_ENGLISH = Phrases(
    days=_list("Sunday Monday Tuesday Wednesday Thursday Friday Saturday"),
    ordinals=_list("first second third fourth last"),
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
LANGUAGES = {
    "ar": Phrases(
        days=_list("أحد اثنين ثلاثاء أربعاء خميس جمعة سبت"),
        ordinals=_list("أول ثاني ثالث رابع آخر"),
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
    "de": Phrases(
        days=_list("Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag"),
        ordinals=_list("ersten zweiten dritten vierten letzten"),
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
    "es": Phrases(
        days=_list("domingo lunes martes miércoles jueves viernes sábado"),
        ordinals=_list("primer segundo tercer cuarto último"),
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
    "fr": Phrases(
        days=_list("dimanche lundi mardi mercredi jeudi vendredi samedi"),
        ordinals=_list("premier deuxième troisième quatrième dernier"),
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
    "zh": Phrases(
        days=_list("周日 周一 周二 周三 周四 周五 周六"),
        ordinals=_list("第一个 第二个 第三个 第四个 最后一个"),
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


@pass_context
def spoken(context: Context, schedule: Schedule, timezone: str = "") -> str:
    """The filter `spoken`: `spoken_schedule` in the site's language, and in its zone where none is given."""
    site = context["site"]
    return spoken_schedule(schedule.cron, timezone or site.timezone, site.language)


def spoken_schedule(cron: str, timezone: str, language: str) -> str:
    """When a cron expression is due, in words; empty where it names no single time of a day or week or month."""
    phrases = LANGUAGES.get(language.partition("-")[0].lower(), _ENGLISH)
    time = _TIME.fullmatch(cron)
    when = _days_said(time["rest"], phrases) if time else ""
    if not (time and when):
        return ""
    said = phrases.at.format(when=when, time=f"{int(time['hour']):02}:{int(time['minute']):02}")
    area, _, city = timezone.rpartition("/")
    if area in {"", "Etc"}:
        return f"{said} ({city})"
    return phrases.zone.format(when=said, city=city.replace("_", " "))


def _days_said(rest: str, phrases: Phrases) -> str:
    """The days that the last three fields of cron name, in words."""
    if rest == "* * *":
        return phrases.daily
    if rest.upper() == "L * *":
        return phrases.month_end
    if found := _DATE.fullmatch(rest):
        return phrases.monthly.format(date=int(found["date"]))
    if found := _NTH.fullmatch(rest):
        ordinal = phrases.ordinals[-1 if found["nth"].upper() == "L" else int(found["nth"][1]) - 1]
        return phrases.nth.format(ordinal=ordinal, day=phrases.days[_day(found["day"])])
    if found := _WEEKLY.fullmatch(rest.lower()):
        return _weekdays_said(found["days"], phrases)
    return ""


def _weekdays_said(listed: str, phrases: Phrases) -> str:
    try:
        days = sorted({day for part in listed.split(",") for day in _span(part)})
    except ValueError:
        return ""
    if days == _WORKING_DAYS:
        return phrases.working_days
    if len(days) == len(_DAYS):
        return phrases.daily
    *names, last = [phrases.days[day] for day in days]
    joined = phrases.comma.join(names) + phrases.last + last if names else last
    return phrases.weekly.format(days=joined)


def _span(part: str) -> Sequence[int]:
    """The days of `mon`, `1` or `mon-fri`, from Sunday = 0. Raises ValueError for what is none of these."""
    first, _, last = part.partition("-")
    return range(_day(first), _day(last or first) + 1)


def _day(name: str) -> int:
    return int(name) % len(_DAYS) if name.isdecimal() else _DAYS.index(name.lower())
