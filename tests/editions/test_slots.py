"""The slots of a schedule: a table of difficult time zones, and brute force over the minutes."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from ketapress.editions.slots import (
    find_next_slot,
    list_slots,
    local_midnight,
    local_to_utc,
    minute_slot,
    parse_slot_key,
)

DAY = timedelta(days=1)
HARD_ZONES = (
    "America/New_York",
    "Europe/London",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Asia/Beirut",
    "America/Santiago",
    "America/Havana",
    "Atlantic/Azores",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "UTC",
)


def keys(cron: str, zone: str, first: str, days: int) -> list[tuple[str, str]]:
    start = datetime.fromisoformat(first).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    slots = list_slots("n", cron, zone, start - timedelta(seconds=1), start + days * DAY)
    return [(slot.key, f"{slot.at:%dT%H:%MZ}") for slot in slots]


def test_a_weekly_slot_is_the_same_local_time_all_year() -> None:
    assert keys("0 8 * * mon", "Europe/Berlin", "2023-03-20", 14) == [
        ("2023-03-20T0800", "20T07:00Z"),
        ("2023-03-27T0800", "27T06:00Z"),
    ]


def test_a_time_in_a_gap_comes_once_at_the_first_instant_after_it() -> None:
    assert keys("30 2 * * *", "America/New_York", "2026-03-07", 3) == [
        ("2026-03-07T0230", "07T07:30Z"),
        ("2026-03-08T0230", "08T07:00Z"),
        ("2026-03-09T0230", "09T06:30Z"),
    ]


def test_a_time_that_comes_twice_is_taken_once() -> None:
    assert keys("45 1 * * *", "Australia/Lord_Howe", "2026-04-04", 3) == [
        ("2026-04-04T0145", "03T14:45Z"),
        ("2026-04-05T0145", "04T14:45Z"),
        ("2026-04-06T0145", "05T15:15Z"),
    ]


def test_midnight_is_not_lost_where_clocks_change_at_midnight() -> None:
    assert len(keys("0 0 * * *", "Africa/Cairo", "2026-04-20", 10)) == 11
    assert len(keys("0 0 * * *", "America/Santiago", "2026-09-01", 9)) == 10


def test_a_day_that_a_zone_leaves_out_has_no_slot() -> None:
    assert [key for key, _ in keys("30 1 * * *", "Pacific/Apia", "2011-12-28", 4)] == [
        "2011-12-28T0130",
        "2011-12-29T0130",
        "2011-12-31T0130",
        "2012-01-01T0130",
    ]


@pytest.mark.parametrize("zone", HARD_ZONES)
@pytest.mark.parametrize("year", [2011, 2024, 2026])
def test_every_hour_of_every_day_has_its_slot_once(zone: str, year: int) -> None:
    first = datetime(year, 1, 1, tzinfo=UTC)
    slots = list_slots("n", "0 * * * *", zone, first, first + 365 * DAY)
    expected = brute_force_hours(zone, first, first + 365 * DAY)
    assert [slot.key for slot in slots] == expected


def brute_force_hours(zone: str, after: datetime, until: datetime) -> list[str]:
    """Return every full local hour on the days that exist in the zone."""
    tz = ZoneInfo(zone)
    days = {
        (after + quarter * timedelta(hours=6)).astimezone(tz).date() for quarter in range(-5, 366 * 4 + 5)
    }
    slots = []
    for day in sorted(days):
        for hour in range(24):
            local_time = datetime(day.year, day.month, day.day, hour)  # noqa: DTZ001 - a local time
            moment = local_to_utc(local_time, tz)
            assert moment is not None
            if after < moment <= until:
                slots.append((moment, f"{local_time:%Y-%m-%dT%H%M}"))
    return [key for _, key in sorted(slots)]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(HARD_ZONES),
    st.datetimes(datetime(1995, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001 - a local time
)
def test_an_instant_shows_the_time_it_was_made_from_or_ends_a_gap(zone: str, local_time: datetime) -> None:
    tz, local_time = ZoneInfo(zone), local_time.replace(microsecond=0)
    moment = local_to_utc(local_time, tz)
    if moment is None:
        return
    local = moment.astimezone(tz).replace(tzinfo=None)
    previous = (moment - timedelta(seconds=1)).astimezone(tz).replace(tzinfo=None)
    assert local == local_time or previous < local_time < local


@pytest.mark.parametrize(
    ("cron", "after", "key"),
    [
        ("0 8 L * *", "2024-02-01", "2024-02-29T0800"),
        ("0 8 31 * *", "2023-06-01", "2023-07-31T0800"),
        ("0 8 * * 5L", "2023-06-01", "2023-06-30T0800"),
        ("0 8 29 2 *", "2096-03-01", "2104-02-29T0800"),
    ],
)
def test_month_ends_and_leap_years(cron: str, after: str, key: str) -> None:
    slot = find_next_slot("n", cron, "UTC", datetime.fromisoformat(after).replace(tzinfo=UTC))
    assert slot
    assert slot.key == key


def test_keys_name_slots_again() -> None:
    for slot in list_slots(
        "n",
        "30 */3 * * *",
        "Europe/Berlin",
        datetime(2026, 3, 28, tzinfo=UTC),
        datetime(2026, 3, 30, tzinfo=UTC),
    ):
        assert parse_slot_key("n", slot.key, "Europe/Berlin") == slot
    assert parse_slot_key("n", "next week", "UTC") is None


def test_a_slot_of_this_minute_is_named_by_the_wall_clock() -> None:
    assert (
        minute_slot("n", "Europe/Berlin", datetime(2023, 6, 7, 9, 5, 30, tzinfo=UTC)).key == "2023-06-07T1105"
    )


def test_a_day_begins_at_its_first_instant() -> None:
    assert local_midnight(date(2026, 9, 6), "America/Santiago") == datetime(2026, 9, 6, 4, tzinfo=UTC)
