"""Dates as authors write them, in many languages, and nothing guessed."""

from datetime import date, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

from ketapress.posts.dates.month_names import CALENDAR_NAMES
from ketapress.posts.dates.parse import DateRules, parse_instant, split_file_date
from support.posts_folder import load_single_problem

RULES = DateRules(ZoneInfo("Europe/Berlin"), time(6))
SEVENTH = "2023-06-07T06:00:00+02:00"


@pytest.mark.parametrize(
    "text",
    """
    2023-06-07|2023/06/7|2023.6.7|20230607|7.6.2023|7. 6. 2023|07.06.2023|2023-6-7|２０２３-06-07|Posted: 07.06.2023|Mi., 7.6.2023
    Wednesday, June 07, 2023|June 7, 2023|June 7th, 2023|7 June 2023|Jun. 7, 2023|Published on June 7, 2023|June 7 2023
    7. Juni 2023|Mittwoch, den 7. Juni 2023|mercredi 7 juin 2023|Publié le 7 juin 2023|7 de junio de 2023
    miércoles, 7 de junio de 2023|quarta-feira, 7 de junho de 2023|mercoledì 7 giugno 2023|woensdag 7 juni 2023
    onsdag den 7 juni 2023|onsdag 7. juni 2023|7. kesäkuuta 2023|środa, 7 czerwca 2023 r.|středa 7. června 2023
    среда, 7 июня 2023 г.|середа, 7 червня 2023|2023. június 7., szerda|miercuri, 7 iunie 2023|7 Haziran 2023 Çarşamba
    Τετάρτη, 7 Ιουνίου 2023|Rabu, 7 Juni 2023|ngày 7 tháng 6 năm 2023|2023年6月7日 星期三|2023年06月07日（水）|二〇二三年六月七日
    2023년 6월 7일 수요일|2023. 6. 7.|发布于 2023年6月7日|الأربعاء، 7 يونيو 2023|٧ يونيو ٢٠٢٣|7 حزيران 2023|چهارشنبه ۷ ژوئن ۲۰۲۳|7 ביוני 2023
    令和5年6月7日（水）|民國112年6月7日|7 มิถุนายน 2023|7 มิถุนายน พ.ศ. 2566|7 जून 2023
    """.replace("\n", "|").split("|"),
)  # fmt: skip
def test_the_seventh_of_june_in_many_hands(text: str) -> None:
    if text.strip():
        moment = parse_instant(text, RULES)
        assert moment is not None
        assert moment.isoformat() == SEVENTH


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2023-06-07T10:00:00Z", "2023-06-07T10:00:00+00:00"),
        ("2023-06-07T10:00:00+09:00", "2023-06-07T10:00:00+09:00"),
        ("2023-06-07 10:00:00 +0900", "2023-06-07T10:00:00+09:00"),
        ("2023-06-07 10:00:00.123456 UTC", "2023-06-07T10:00:00+00:00"),
        ("2023-06-07 10:00", "2023-06-07T10:00:00+02:00"),
        ("2023-06-07T10:00:00", "2023-06-07T10:00:00+02:00"),
        ("2023-6-7 9:05", "2023-06-07T09:05:00+02:00"),
        ("June 7, 2023 at 10:30 PM EST", "2023-06-07T22:30:00-05:00"),
        ("Wed, 07 Jun 2023 10:00:00 +0900", "2023-06-07T10:00:00+09:00"),
        ("Wed Jun 07 2023 10:00:00 GMT+0200 (CEST)", "2023-06-07T10:00:00+02:00"),
        ("7. Juni 2023, 10:30 Uhr", "2023-06-07T10:30:00+02:00"),
        ("2023-06-07 10:00 America/New_York", "2023-06-07T10:00:00-04:00"),
        ("2013-05-05 12:00:00.000000000 -04:00", "2013-05-05T12:00:00-04:00"),
        ("2013-04-19 10:00:0 UTC", "2013-04-19T10:00:00+00:00"),
        ("2020-1-5 9:5:3", "2020-01-05T09:05:03+01:00"),
        ("13/6/2023", "2023-06-13T06:00:00+02:00"),
        ("6/13/2023", "2023-06-13T06:00:00+02:00"),
        ("2023. 6. 7. 오후 3:04", "2023-06-07T15:04:00+02:00"),
        ("2023-06-07 上午 10:00", "2023-06-07T10:00:00+02:00"),
        ("12 تشرين الأول 2023", "2023-10-12T06:00:00+02:00"),
        ("2023-06-07 10:00:00 +0000 UTC", "2023-06-07T10:00:00+00:00"),
        ("7 juin 2023 à 10h30", "2023-06-07T10:30:00+02:00"),
        ("7 giugno 2023 ore 10:30", "2023-06-07T10:30:00+02:00"),
        ("mar 7 mar 2023", "2023-03-07T06:00:00+01:00"),
        ("9999-12-31", "9999-12-30T06:00:00+01:00"),
        ("9999-12-31T23:59:59", "9999-12-30T23:59:59+01:00"),
        ("9999-12-31T23:59:59-10:00", "9999-12-30T23:59:59-10:00"),
    ],
)
def test_times_and_zones(text: str, moment: str) -> None:
    instant = parse_instant(text, RULES)
    assert instant is not None
    assert instant.isoformat() == moment


def test_a_skipped_local_time_moves_forward_and_a_doubled_one_is_the_first() -> None:
    skipped, ambiguous = parse_instant("2023-03-26 02:30", RULES), parse_instant("2023-10-29 02:30", RULES)
    assert skipped is not None
    assert ambiguous is not None
    assert skipped.isoformat() == "2023-03-26T03:30:00+02:00"
    assert ambiguous.isoformat() == "2023-10-29T02:30:00+02:00"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "June 2023",
        "10",
        "Today",
        "12:30",
        "In 2023 there were 7 posts in June",
        "7 of 2023",
        "The 2023-06-07 report",
        "2023",
    ],
)
def test_what_is_no_date(text: str) -> None:
    assert parse_instant(text, RULES) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2023-02-30", "28 days"),
        ("2023-13-01", "no month 13"),
        ("June 31, 2023", "30 days"),
        ("0000-01-01", "outside the years"),
        ("07/06/2023", "two different days"),
        ("2023-06-07 25:00", "not a time of day"),
        ("2023-06-07 10:00 XYZ", "zone `XYZ`"),
        ("2023-06-07 10:00 +99:00", "not an offset"),
        ("2023-06-07 10:00 Mars/Olympus", "zone `Mars/Olympus`"),
        ("1399-01-15", "Solar Hijri"),
        ("۱۳۹۹/۰۱/۱۵", "Solar Hijri"),
        ("۵ فروردین ۱۳۹۹", "Solar Hijri"),
        ("1445-03-02T10:00:00", "Islamic"),
        ("Friday, June 07, 2023", "was a Wednesday"),
        ("vendredi 7 juin 2023", "was a Mercredi"),
        ("Freitag, 7.6.2023", "was a Mittwoch"),
        ("2023年6月7日 星期四", "星期三"),
        ("الخميس، 7 يونيو 2023", "الأربعاء"),
    ],
)
def test_a_date_that_cannot_be_is_an_error_that_says_why(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_instant(text, RULES)


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("Friday, June 07, 2023", "Write the right weekday (Wednesday), or fix the date."),
        ("1399-01-15", "Write it in the Gregorian calendar, for example 2023-06-07."),
    ],
)
def test_a_wrong_weekday_and_another_calendar_have_cures_of_their_own(
    tmp_path: Path, text: str, cure: str
) -> None:
    assert load_single_problem(tmp_path, "a.txt", f"{text}\n\nText").cure == cure
    assert (
        load_single_problem(tmp_path, "a.txt", f"---\ntitle: a\ndate: {text}\n---\nText").where
        == "posts/a.txt:3"
    )


@pytest.mark.parametrize(
    ("stem", "date", "rest"),
    [
        ("2023-06-07-ketamine-therapy", "2023-06-07", "ketamine-therapy"),
        ("2019-2-12-x", "2019-2-12", "x"),
        ("20230607_slug", "20230607", "slug"),
        ("2023_06_07 a note", "2023-06-07", "a note"),
        ("2023-06-07-10-30-00-slug", "2023-06-07 10:30:00", "slug"),
        ("2023-06-07-10-things", "2023-06-07", "10-things"),
        ("2023-06-07", "2023-06-07", ""),
        ("12345678-x", "", "12345678-x"),
        ("000_4ad128b82f72c88a", "", "000_4ad128b82f72c88a"),
    ],
)
def test_dates_in_file_names(stem: str, date: str, rest: str) -> None:
    assert split_file_date(stem) == (date, rest)


@given(st.dates(date(1500, 1, 1), date(9998, 12, 31)), st.sampled_from(sorted(CALENDAR_NAMES)))
@hypothesis_settings(max_examples=150, deadline=None)
def test_every_day_is_read_in_every_language(day: date, language: str) -> None:
    names = CALENDAR_NAMES[language]
    text = f"{names.weekdays[day.weekday()]}, {day.day} {names.months[day.month - 1]} {day.year:04}"
    moment = parse_instant(text, RULES)
    assert moment is not None
    assert moment.date() == day


@given(st.text(max_size=60))
@hypothesis_settings(max_examples=150, deadline=None)
def test_any_text_is_a_date_or_none_or_a_fault(text: str) -> None:
    try:
        moment = parse_instant(text, RULES)
    except ValueError:
        return
    assert moment is None or moment.tzinfo
