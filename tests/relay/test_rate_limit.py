"""Limits of the relay and of each domain: messages a second, and connections at once."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings as limits, strategies as st

from ketapress.relay.rate_limit import MIN_DOMAIN_RATE, DomainLimit, RateLimit, RelayLimits, warm_up_limit


def send_times(limiter: RateLimit, start: float, count: int) -> list[float]:
    """Return when each of `count` messages is sent, if the delays are observed."""
    now, times = start, []
    for _ in range(count):
        now += limiter.reserve(now)
        times.append(now)
    return times


def test_without_a_limit_nobody_waits() -> None:
    rate = RateLimit(None)
    assert send_times(rate, 100, 50) == [100] * 50
    assert not rate.is_limited


def test_a_limit_spaces_messages_evenly() -> None:
    assert send_times(RateLimit(4), 100, 9)[-1] == pytest.approx(102)


def test_time_that_passed_unused_is_not_made_up_for() -> None:
    rate = RateLimit(2)
    send_times(rate, 100, 3)
    assert send_times(rate, 1000, 3) == [1000, 1000.5, 1001]


def test_a_clock_set_back_costs_one_place_at_the_most() -> None:
    rate = RateLimit(2)
    send_times(rate, 5000, 10)
    assert rate.reserve(1000) <= 0.5


def test_a_complaint_halves_the_rate_that_was_measured() -> None:
    rate = RateLimit(None)
    for n in range(40):
        rate.record_success(100 + n / 20)
    rate.record_throttle(102)
    assert rate.is_limited
    assert send_times(rate, 102, 11)[-1] - 102 == pytest.approx(1.1, rel=0.2)


def test_complaints_of_many_lines_at_once_are_one() -> None:
    one, many = RateLimit(16), RateLimit(16)
    one.record_throttle(100)
    for _ in range(32):
        many.record_throttle(100)
    assert send_times(one, 100, 20) == send_times(many, 100, 20)


def test_the_rate_grows_again_little_by_little_and_never_beyond_the_limit() -> None:
    rate, now, delays = RateLimit(10), 100.0, []
    rate.record_throttle(now)
    for _ in range(600):
        delay = rate.reserve(now)
        delays.append(delay)
        now += delay
        rate.record_success(now)
    assert delays[1] > 0.15
    assert delays == [delays[0], *sorted(delays[1:], reverse=True)]
    assert delays[-1] == pytest.approx(0.1)


@limits(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(["reserve", "success", "throttle", "hour", "back"]), max_size=60),
    st.sampled_from([None, 0.05, 1, 500]),
)
def test_a_wait_is_never_longer_than_two_places_whatever_happens(
    events: list[str], limit: float | None
) -> None:
    rate, now = RateLimit(limit), 10_000.0
    for event in events:
        if event == "reserve":
            delay = rate.reserve(now)
            assert 0 <= delay <= 2 * max(10, 1 / (limit or 1))
            now += delay
        elif event == "success":
            rate.record_success(now)
        elif event == "throttle":
            rate.record_throttle(now)
        else:
            now += 3600 if event == "hour" else -3600


def test_twice_what_was_too_much_is_borne_again_and_nothing_is_limited_any_more() -> None:
    rate, now = RateLimit(None), 100.0
    for n in range(40):
        rate.record_success(now + n / 20)
    now += 2
    rate.record_throttle(now)
    for _ in range(2000):
        now += max(rate.reserve(now), 0.001)
        rate.record_success(now)
    assert not rate.is_limited


def fill_connections(limit: DomainLimit, now: float) -> int:
    """Start messages until the domain is full; return how many connections it has."""
    while not limit.is_full:
        limit.start_message(now)
    return limit.open_connections


def test_a_domain_that_defers_gets_half_the_lines_and_earns_them_back() -> None:
    limit = DomainLimit(8)
    limit.record_deferral(100)
    assert fill_connections(limit, 100) == 4
    for _ in range(4):
        limit.record_success(101)
    assert fill_connections(limit, 101) == 5
    assert not limit.is_unrestricted


def test_a_domain_that_defers_is_written_to_at_half_the_pace_and_never_slower_than_one_a_second() -> None:
    limit = DomainLimit(8)
    for n in range(50):
        limit.record_success(100 + n / 10)
    limit.record_deferral(105)
    assert limit.delay(105) == pytest.approx(0.2, rel=0.1)
    for n in range(40):
        limit.record_deferral(200 + 10 * n)
    assert limit.delay(590) == pytest.approx(1 / MIN_DOMAIN_RATE)


def test_no_domain_is_ever_without_a_line() -> None:
    limit = DomainLimit(4)
    for n in range(10):
        limit.record_deferral(100 + n)
    assert fill_connections(limit, 200) == 1


def test_only_trouble_is_remembered() -> None:
    limits = RelayLimits(None, 8)
    limits.domain_limit("slow.example").record_deferral(100)
    slow, quick = limits.domain_limit("slow.example"), limits.domain_limit("quick.example")
    limits.discard_if_unrestricted("slow.example")
    limits.discard_if_unrestricted("quick.example")
    assert limits.domain_limit("slow.example") is slow
    assert limits.domain_limit("quick.example") is not quick


@limits(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["success", "deferral"]), max_size=400))
def test_a_domain_may_always_go_on_and_gets_well_in_the_end(events: list[str]) -> None:
    limit, now = DomainLimit(8), 100.0
    for event in events:
        now += limit.delay(now) + 0.01
        limit.start_message(now)
        limit.record_success(now) if event == "success" else limit.record_deferral(now)
        assert limit.delay(now) <= 1 / MIN_DOMAIN_RATE
        limit.open_connections -= 1
        assert not limit.is_full
    for _ in range(20_000):
        if limit.is_unrestricted:
            break
        now += limit.delay(now) + 0.01
        limit.start_message(now)
        limit.open_connections -= 1
        limit.record_success(now)
    assert limit.is_unrestricted


def test_a_warm_up_doubles_each_day_and_ends() -> None:
    start = date(2026, 11, 22)
    days = [warm_up_limit(start, start + timedelta(days=n)) for n in range(-2, 16)]
    assert days[:5] == [200, 200, 200, 400, 800]
    assert days[15:] == [200 * 2**13, None, None]
