"""Slots compared with the local time: difficult zones by the hour, every zone by random, every minute at clock changes."""

from datetime import UTC, datetime, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import example, given, settings, strategies as st

from ketapress.editions.slots import SLOT_KEY_FORMAT, find_next_slot, is_scheduled, list_slots
from support.wall_clock_oracle import (
    DAY,
    EPOCH,
    HOUR,
    MINUTE,
    find_spans,
    list_slots_by_walking,
    slots_of,
    to_minutes,
)

HARD = (
    ("America/New_York", 2025, 2026, 2027),
    ("Europe/London", 2025, 2026, 2027),
    ("Europe/Berlin", 2025, 2026, 2027),
    ("Australia/Lord_Howe", 2025, 2026, 2027),  # half an hour
    ("Africa/Cairo", 2023, 2024, 2026),  # at midnight, and only since 2023
    ("Asia/Beirut", 2023, 2025, 2026),  # at midnight, and in 2023 decided within the week
    ("America/Santiago", 2022, 2024, 2026),  # at midnight
    ("America/Havana", 2024, 2025, 2026),  # at midnight and at one
    ("Atlantic/Azores", 2024, 2025, 2026),  # at midnight
    ("Pacific/Apia", 2010, 2011, 2012),  # a day that was skipped
    ("Africa/Casablanca", 2024, 2025, 2026),  # back for Ramadan
    ("Antarctica/Troll", 2024, 2025, 2026),  # two hours
)
TABLE = [(zone, year) for zone, *years in HARD for year in years]
ZONES = sorted(available_timezones() - {"localtime", "Factory"})


def year_span(year: int) -> tuple[int, int]:
    return (
        to_minutes(datetime(year, 1, 1, tzinfo=UTC)),
        to_minutes(datetime(year + 1, 1, 1, tzinfo=UTC)),
    )


def list_keys(cron: str, zone: str, first: int, last: int) -> dict[str, int]:
    """Return the minute of each slot by its key. Slots are whole minutes, and keys are unique."""
    start, end = EPOCH + first * MINUTE, EPOCH + last * MINUTE
    instant = timedelta(microseconds=1)
    slots = list_slots("n", cron, zone, start - instant, end - instant)
    keys = {slot.key: to_minutes(slot.at) for slot in slots}
    assert len(keys) == len(slots)
    assert all((slot.at - EPOCH) % MINUTE == timedelta() for slot in slots)
    return keys


@pytest.mark.parametrize(("zone", "year"), TABLE)
def test_every_hour_of_every_day_of_a_year_in_a_hard_zone(zone: str, year: int) -> None:
    first, last = year_span(year)
    assert list_keys("0 * * * *", zone, first, last) == list_slots_by_walking(
        zone, lambda local_minute: local_minute.minute == 0, first, last, step=30
    )


@pytest.mark.parametrize(("zone", "year"), TABLE)
def test_every_minute_of_the_hours_around_a_change_in_a_hard_zone(zone: str, year: int) -> None:
    changes = [span.start for span in find_spans(zone, *year_span(year))][1:]
    for change in changes[:2]:
        first, last = change - 3 * HOUR - 7, change + 3 * HOUR + 7
        assert list_keys("* * * * *", zone, first, last) == list_slots_by_walking(
            zone, lambda _: True, first, last
        )


@pytest.mark.parametrize("zone", [zone for zone, *_ in HARD[::3]])
def test_the_quick_way_to_look_at_walls_sees_what_a_watcher_sees(zone: str) -> None:
    """The oracle of the ten years of every zone (benchmarks/calendar) agrees with looking at every minute."""
    first, last = year_span(2011)
    spans_list = list(find_spans(zone, first - 3 * DAY, last))
    slots = slots_of(spans_list, range(first - 4 * DAY, last + 4 * DAY, 30), first, last)
    keys = {
        (EPOCH + local_minute * MINUTE).strftime(SLOT_KEY_FORMAT): minute for minute, local_minute in slots
    }
    assert keys == list_slots_by_walking(zone, lambda _: True, first, last, step=30)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.integers(1973, 2037),
    st.integers(0, 23),
    st.integers(0, 59),
    st.integers(0, 364),
)
@example("Pacific/Kwajalein", 1993, 12, 0, 225)
@example("Pacific/Kiritimati", 1994, 0, 0, 355)
@example("Asia/Pyongyang", 2018, 23, 45, 120)
@example("America/Caracas", 2016, 2, 45, 118)
def test_in_every_zone_each_named_minute_has_one_slot(
    zone: str, year: int, hour: int, minute: int, day: int
) -> None:
    first = year_span(year)[0] + day * DAY
    last = first + 30 * DAY
    spans_list = list(find_spans(zone, first - 3 * DAY, last))
    local_minutes = range(first - 4 * DAY + hour * HOUR + minute, last + 4 * DAY, DAY)
    expected = {
        (EPOCH + local_minute * MINUTE).strftime(SLOT_KEY_FORMAT): minute_of_utc
        for minute_of_utc, local_minute in slots_of(spans_list, local_minutes, first, last)
    }
    assert list_keys(f"{minute} {hour} * * *", zone, first, last) == expected


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(ZONES), st.datetimes(datetime(1975, 1, 1), datetime(2036, 1, 1)), st.integers(0, 23))  # noqa: DTZ001 - made aware below
def test_the_next_slot_is_the_first_of_those_to_come(zone: str, after: datetime, hour: int) -> None:
    moment = after.replace(tzinfo=UTC)
    cron = f"30 {hour} * * *"
    upcoming = list_slots("n", cron, zone, moment, moment + timedelta(days=3))
    next_slot = find_next_slot("n", cron, zone, moment)
    assert next_slot == upcoming[0]
    assert is_scheduled(upcoming[0], cron, zone)


@pytest.mark.parametrize(
    ("cron", "days"),
    [
        ("0 8 L * *", [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]),
        ("0 8 29 * *", [29] * 12),
        ("0 8 30 * *", [30, *([30] * 10)]),
        ("0 8 31 * *", [31] * 7),
        ("0 8 29 2 *", [29]),
        ("0 8 * * 5L", [26, 23, 29, 26, 31, 28, 26, 30, 27, 25, 29, 27]),
    ],
)
def test_month_ends_of_a_leap_year(cron: str, days: list[int]) -> None:
    year = list_keys(cron, "Europe/Berlin", *year_span(2024))
    assert [int(key[8:10]) for key in sorted(year)] == days


@settings(max_examples=60, deadline=None)
@given(st.integers(1973, 2099), st.sampled_from(ZONES))
def test_the_last_day_of_each_month_has_its_slot_in_every_zone(year: int, zone: str) -> None:
    month_ends = [
        f"{datetime(year + month // 12, month % 12 + 1, 1) - timedelta(days=1):%Y-%m-%d}T1200"  # noqa: DTZ001 - a date
        for month in range(1, 13)
    ]
    first, last = year_span(year)
    keys = list_keys("0 12 L * *", zone, first - DAY, last + DAY)
    assert set(month_ends) - keys.keys() <= {"1994-12-31T1200"}  # skipped in the east of Kiribati
