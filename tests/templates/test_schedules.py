"""Schedules described in words."""

import pytest
from hypothesis import given, settings as bounds, strategies as st

from ketapress.i18n.schedules import PHRASES, humanize_schedule
from ketapress.settings.schedule import parse_schedule


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("daily 8:05", "every day at 08:05, Berlin time"),
        ("weekly mon 08:00", "every Monday at 08:00, Berlin time"),
        ("monthly last fri 17:30", "on the last Friday of every month at 17:30, Berlin time"),
        ("monthly second sunday 09:00", "on the second Sunday of every month at 09:00, Berlin time"),
        ("monthly 15 08:00", "on day 15 of every month at 08:00, Berlin time"),
        ("monthly last 08:00", "on the last day of every month at 08:00, Berlin time"),
        ("0 8 * * mon", "every Monday at 08:00, Berlin time"),
        ("0 8 * * 7", "every Sunday at 08:00, Berlin time"),
        ("0 8 * * mon,thu", "every Monday and Thursday at 08:00, Berlin time"),
        ("0 8 * * 1,3,5", "every Monday, Wednesday and Friday at 08:00, Berlin time"),
        ("0 8 * * mon-fri", "Monday to Friday at 08:00, Berlin time"),
        ("0 8 * * sat,sun", "every Sunday and Saturday at 08:00, Berlin time"),
        ("0 8 * * 0-6", "every day at 08:00, Berlin time"),
        ("*/5 * * * *", ""),
        ("0 8,20 * * *", ""),
        ("0 8 1,15 * *", ""),
        ("0 8 1 * mon", ""),
        ("0 8 * 6 *", ""),
    ],
)
def test_a_schedule_in_words(schedule: str, expected: str) -> None:
    assert humanize_schedule(parse_schedule(schedule).cron, "Europe/Berlin", "en") == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("ar", "كل يوم اثنين الساعة 08:00 بتوقيت New York"),
        ("de-CH", "jeden Montag um 08:00 Uhr (Ortszeit New York)"),
        ("es", "cada lunes a las 08:00, hora de New York"),
        ("fr", "chaque lundi à 08:00, heure de New York"),
        ("zh-Hans", "每周一 08:00（New York 时间）"),
        ("nl", "every Monday at 08:00, New York time"),
    ],
)
def test_a_schedule_in_the_language_of_the_site(language: str, expected: str) -> None:
    assert humanize_schedule("0 8 * * 1", "America/New_York", language) == expected


def test_a_zone_without_a_city_is_named_as_it_is() -> None:
    assert humanize_schedule("0 8 * * *", "UTC", "en") == "every day at 08:00 (UTC)"
    assert humanize_schedule("0 8 * * *", "Etc/GMT-3", "en") == "every day at 08:00 (GMT-3)"


@bounds(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("0123456789*,-/#Lmonfritue ")), st.sampled_from(sorted(PHRASES)))
def test_no_schedule_breaks_a_page(cron: str, language: str) -> None:
    assert isinstance(humanize_schedule(f"0 8 {cron}", "UTC", language), str)
