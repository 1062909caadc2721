"""When a delivery is tried again, when it is given up, and whose fault a row of refusals is."""

from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings as limits, strategies as st

from ketapress.deliver.retry_policy import (
    BREAKS,
    LIFETIME,
    REFUSALS,
    RETRIES,
    THROTTLES,
    Course,
    Trend,
    course,
    next_try,
    settled,
)
from ketapress.model.delivery import (
    TRANSITIONS,
    DeliveryResult,
    DeliveryState,
    Fault,
    Phase,
    Recipient,
    Reply,
    Verdict,
)
from support.factories import NOW

ANN = Recipient(subscription_id=7, address="ann@example.net")
WELL = Trend(taken=True)
LATER = Verdict(Fault.RECIPIENT_DEFERRED, Reply(450, "not now", "4.7.1"), Phase.RECIPIENT)
REFUSED = Verdict(Fault.MESSAGE_REFUSED, Reply(554, "policy", "5.7.1"), Phase.END_OF_DATA)
TAKEN = Verdict(Fault.NONE, Reply(250, "ok"), Phase.END_OF_DATA)
SLOWER = Verdict(Fault.RELAY_THROTTLED, Reply(454, "throttled"), Phase.DATA)
LOST = Verdict(Fault.IN_DOUBT, Reply(0, "the line was closed"), Phase.END_OF_DATA)


def result(
    verdict: Verdict,
    *,
    recipient: Recipient = ANN,
    trend: Trend = WELL,
    expires: datetime | None = None,
    in_doubt: str = "resend",
) -> DeliveryResult | None:
    return settled(recipient, verdict, trend, NOW, Random(1), expires=expires, in_doubt=in_doubt)


def state(verdict: Verdict, trend: Trend = WELL) -> DeliveryState | None:
    found = result(verdict, trend=trend)
    return found.state if found else None


def test_the_pauses_grow_to_four_hours_and_fill_three_days() -> None:
    minutes = [span // timedelta(minutes=1) for span in RETRIES]
    assert minutes[:6] == [5, 15, 30, 60, 120, 240]
    assert set(minutes[6:]) == {240}
    assert LIFETIME - timedelta(hours=4) < sum(RETRIES, timedelta()) <= LIFETIME


@limits(max_examples=100, deadline=None)
@given(st.integers(0, len(RETRIES) - 1), st.randoms(use_true_random=False))
def test_a_pause_is_off_by_a_fifth_at_most(attempts: int, rng: Random) -> None:
    again = next_try(attempts, NOW, rng, None)
    assert again is not None
    assert 0.8 <= (again - NOW) / RETRIES[attempts] <= 1.2


def test_those_who_were_refused_together_do_not_come_back_together() -> None:
    rng = Random(1)
    assert len({next_try(0, NOW, rng, None) for _ in range(100)}) > 90


def test_after_the_last_pause_and_after_the_edition_nothing_is_tried() -> None:
    assert next_try(len(RETRIES), NOW, Random(1), None) is None
    assert next_try(0, NOW, Random(1), NOW + timedelta(minutes=1)) is None
    given_up = result(
        LATER, recipient=Recipient(subscription_id=7, address="a@b.example", attempts=len(RETRIES))
    )
    assert given_up is not None
    assert (given_up.state, given_up.next_at) == (DeliveryState.EXPIRED, None)
    assert given_up.reply == "450 4.7.1 not now"


def test_a_message_in_doubt_is_tried_again_only_where_the_settings_say_so() -> None:
    again, held = result(LOST), result(LOST, in_doubt="hold")
    assert again is not None
    assert held is not None
    assert again.state is held.state is DeliveryState.IN_DOUBT
    assert again.next_at is not None
    assert held.next_at is None


@pytest.mark.parametrize(
    "fault", [Fault.RELAY_DOWN, Fault.RELAY_THROTTLED, Fault.RELAY_MISCONFIGURED, Fault.SENDER_REFUSED]
)
@pytest.mark.parametrize("phase", Phase)
def test_what_is_no_recipients_matter_costs_no_try_before_the_body(fault: Fault, phase: Phase) -> None:
    found = result(Verdict(fault, Reply(451, "no"), phase))
    if phase in {Phase.BODY, Phase.END_OF_DATA}:
        assert found is not None
        assert found.state is DeliveryState.DEFERRED
    else:
        assert found is None


def test_a_refused_message_is_the_recipients_matter_only_after_one_that_was_taken() -> None:
    assert state(REFUSED, WELL) is DeliveryState.FAILED
    assert state(REFUSED, Trend()) is DeliveryState.DEFERRED
    assert state(REFUSED, WELL.after(REFUSED)) is DeliveryState.DEFERRED
    assert state(REFUSED, WELL.after(REFUSED).after(TAKEN)) is DeliveryState.FAILED


def after_many(verdict: Verdict, count: int, lines: int = 1) -> Course:
    trend = Trend()
    for _ in range(count):
        trend = trend.after(verdict)
    return course(verdict, trend, lines)


def test_refusals_in_a_row_hold_the_edition_and_broken_lines_in_a_row_pause_the_relay() -> None:
    assert after_many(REFUSED, REFUSALS - 1) is Course.GO_ON
    assert after_many(REFUSED, REFUSALS) is Course.HOLD_EDITION
    assert after_many(LOST, BREAKS - 1) is Course.GO_ON
    assert after_many(LOST, BREAKS) is Course.PAUSE_RELAY
    assert after_many(SLOWER, THROTTLES - 1) is Course.GO_ON
    assert after_many(SLOWER, THROTTLES) is Course.PAUSE_RELAY


def test_what_all_lines_hear_at_once_is_one_trouble() -> None:
    assert after_many(LOST, 32, lines=32) is Course.GO_ON
    assert after_many(SLOWER, 32, lines=32) is Course.GO_ON


verdicts = st.builds(
    Verdict,
    st.sampled_from(Fault),
    st.builds(Reply, st.sampled_from([0, 250, 450, 554]), st.just("x")),
    st.sampled_from(Phase),
)
trends = st.builds(Trend, st.booleans(), st.integers(0, 9), st.integers(0, 9))


@limits(max_examples=300, deadline=None)
@given(
    verdicts,
    trends,
    st.integers(0, 40),
    st.sampled_from(["resend", "hold"]),
    st.timedeltas(timedelta(0), timedelta(days=9)),
)
def test_every_result_lies_on_an_arrow_and_has_a_next_time_exactly_when_it_is_tried_again(
    verdict: Verdict, trend: Trend, attempts: int, in_doubt: str, left: timedelta
) -> None:
    recipient = Recipient(subscription_id=7, address="a@b.example", attempts=attempts)
    found = result(verdict, recipient=recipient, trend=trend, expires=NOW + left, in_doubt=in_doubt)
    if found is None:
        return
    # From the body on the intent may be written; what only a dot can bring about comes from there alone.
    assert found.state in TRANSITIONS[DeliveryState.SENDING]
    assert (found.next_at is not None) or found.state is not DeliveryState.DEFERRED
    assert found.next_at is None or NOW < found.next_at <= NOW + left
