"""How fast, and how many at once: what the relay bears, and no line too many for a domain that is in trouble."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings as limits, strategies as st

from ketapress.relay.rate_limit import SLOWEST_LANE, Lane, Pace, Rate, most_a_day


def places(rate: Rate, start: float, count: int) -> list[float]:
    """When each of some messages may go, if everybody waits as they are told."""
    now, found = start, []
    for _ in range(count):
        now += rate.wait(now)
        found.append(now)
    return found


def test_without_a_limit_nobody_waits() -> None:
    rate = Rate(None)
    assert places(rate, 100, 50) == [100] * 50
    assert not rate.limited


def test_a_limit_spaces_messages_evenly() -> None:
    assert places(Rate(4), 100, 9)[-1] == pytest.approx(102)


def test_time_that_passed_unused_is_not_made_up_for() -> None:
    rate = Rate(2)
    places(rate, 100, 3)
    assert places(rate, 1000, 3) == [1000, 1000.5, 1001]


def test_a_clock_set_back_costs_one_place_at_the_most() -> None:
    rate = Rate(2)
    places(rate, 5000, 10)
    assert rate.wait(1000) <= 0.5


def test_a_complaint_halves_the_rate_that_was_measured() -> None:
    rate = Rate(None)
    for n in range(40):
        rate.taken(100 + n / 20)
    rate.throttled(102)
    assert rate.limited
    assert places(rate, 102, 11)[-1] - 102 == pytest.approx(1.1, rel=0.2)


def test_complaints_of_many_lines_at_once_are_one() -> None:
    one, many = Rate(16), Rate(16)
    one.throttled(100)
    for _ in range(32):
        many.throttled(100)
    assert places(one, 100, 20) == places(many, 100, 20)


def test_the_rate_grows_again_little_by_little_and_never_beyond_the_limit() -> None:
    rate, now, spans = Rate(10), 100.0, []
    rate.throttled(now)
    for _ in range(600):
        wait = rate.wait(now)
        spans.append(wait)
        now += wait
        rate.taken(now)
    assert spans[1] > 0.15
    assert spans == [spans[0], *sorted(spans[1:], reverse=True)]
    assert spans[-1] == pytest.approx(0.1)


@limits(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(["wait", "taken", "throttled", "hour", "back"]), max_size=60),
    st.sampled_from([None, 0.05, 1, 500]),
)
def test_a_wait_is_never_longer_than_two_places_whatever_happens(
    events: list[str], limit: float | None
) -> None:
    rate, now = Rate(limit), 10_000.0
    for event in events:
        if event == "wait":
            wait = rate.wait(now)
            assert 0 <= wait <= 2 * max(10, 1 / (limit or 1))
            now += wait
        elif event == "taken":
            rate.taken(now)
        elif event == "throttled":
            rate.throttled(now)
        else:
            now += 3600 if event == "hour" else -3600


def test_twice_what_was_too_much_is_borne_again_and_nothing_is_limited_any_more() -> None:
    rate, now = Rate(None), 100.0
    for n in range(40):
        rate.taken(now + n / 20)
    now += 2
    rate.throttled(now)
    for _ in range(2000):
        now += max(rate.wait(now), 0.001)
        rate.taken(now)
    assert not rate.limited


def drawn(lane: Lane, now: float) -> int:
    """On how many lines a domain may be at once."""
    while not lane.full:
        lane.begun(now)
    return lane.busy


def test_a_domain_that_defers_gets_half_the_lines_and_earns_them_back() -> None:
    lane = Lane(8)
    lane.deferred(100)
    assert drawn(lane, 100) == 4
    for _ in range(4):
        lane.taken(101)
    assert drawn(lane, 101) == 5
    assert not lane.well


def test_a_domain_that_defers_is_written_to_at_half_the_pace_and_never_slower_than_one_a_second() -> None:
    lane = Lane(8)
    for n in range(50):
        lane.taken(100 + n / 10)
    lane.deferred(105)
    assert lane.away(105) == pytest.approx(0.2, rel=0.1)
    for n in range(40):
        lane.deferred(200 + 10 * n)
    assert lane.away(590) == pytest.approx(1 / SLOWEST_LANE)


def test_no_domain_is_ever_without_a_line() -> None:
    lane = Lane(4)
    for n in range(10):
        lane.deferred(100 + n)
    assert drawn(lane, 200) == 1


def test_only_trouble_is_remembered() -> None:
    pace = Pace(None, 8)
    pace.lane("slow.example").deferred(100)
    slow, quick = pace.lane("slow.example"), pace.lane("quick.example")
    pace.forget("slow.example")
    pace.forget("quick.example")
    assert pace.lane("slow.example") is slow
    assert pace.lane("quick.example") is not quick


@limits(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["taken", "deferred"]), max_size=400))
def test_a_domain_may_always_go_on_and_gets_well_in_the_end(events: list[str]) -> None:
    lane, now = Lane(8), 100.0
    for event in events:
        now += lane.away(now) + 0.01
        lane.begun(now)
        lane.taken(now) if event == "taken" else lane.deferred(now)
        assert lane.away(now) <= 1 / SLOWEST_LANE
        lane.busy -= 1
        assert not lane.full
    for _ in range(20_000):
        if lane.well:
            break
        now += lane.away(now) + 0.01
        lane.begun(now)
        lane.busy -= 1
        lane.taken(now)
    assert lane.well


def test_a_warm_up_doubles_each_day_and_ends() -> None:
    began = date(2026, 11, 22)
    days = [most_a_day(began, began + timedelta(days=n)) for n in range(-2, 16)]
    assert days[:5] == [200, 200, 200, 400, 800]
    assert days[15:] == [200 * 2**13, None, None]
