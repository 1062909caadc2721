"""Dates for people and machines."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ketapress.i18n.dates import format_day, format_instant
from ketapress.templates.environment import Templates
from support.factories import SITE

LATE = datetime(2023, 6, 7, 22, 30, 5, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("UTC", "7 June 2023"), ("Europe/Berlin", "8 June 2023"), ("America/New_York", "7 June 2023")],
)
def test_the_day_is_the_one_of_the_zone(zone: str, expected: str) -> None:
    assert format_day(LATE, zone, "en") == expected


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("ar", "7 يونيو 2023"),
        ("de-CH", "7. Juni 2023"),
        ("es", "7 de junio de 2023"),
        ("fr", "7 juin 2023"),
        ("zh-Hans", "2023年6月7日"),
    ],
)
def test_a_language_with_names_is_written_in_its_own_way(language: str, expected: str) -> None:
    assert format_day(LATE, "UTC", language) == expected


@pytest.mark.parametrize("language", ["en", "en-GB", "EN", "xx", ""])
def test_a_language_without_names_is_written_in_english(language: str) -> None:
    assert format_day(LATE, "UTC", language) == "7 June 2023"


def test_an_instant_is_written_to_the_second_with_its_offset() -> None:
    assert format_instant(LATE, "Asia/Kolkata") == "2023-06-08T04:00:05+05:30"


@pytest.mark.parametrize(
    ("language", "expected"),
    [("ar", "7 يونيو"), ("de", "7. Juni"), ("en", "7 June"), ("es", "7 de junio"), ("zh", "6月7日")],
)
def test_a_day_of_a_list_that_is_headed_by_its_year_is_short(language: str, expected: str) -> None:
    assert format_day(LATE, "UTC", language, short=True) == expected


def test_lists_are_headed_by_the_month_and_the_year_of_the_sites_zone() -> None:
    eve = datetime(2022, 12, 31, 23, 30, tzinfo=UTC)
    values = {"site": SITE._replace(timezone="Europe/Berlin", language="fr"), "eve": eve}

    assert (
        Templates(Path("/nowhere")).render_line("{{ eve|month }} {{ eve|year }}", values, "a test")
        == "janvier 2023"
    )
