"""When a delivery is retried, when it expires, and what refusals in a row mean."""

from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings as limits, strategies as st

from ketapress.deliver.retry_policy import (
    LIFETIME,
    MAX_CONNECTION_LOSSES,
    MAX_REFUSALS,
    MAX_THROTTLES,
    RETRY_DELAYS,
    NextStep,
    RelayHealth,
    next_attempt,
    next_state,
    next_step,
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
HEALTHY = RelayHealth(has_accepted=True)
DEFERRED = Verdict(Fault.RECIPIENT_DEFERRED, Reply(450, "not now", "4.7.1"), Phase.RECIPIENT)
REFUSED = Verdict(Fault.MESSAGE_REFUSED, Reply(554, "policy", "5.7.1"), Phase.END_OF_DATA)
ACCEPTED = Verdict(Fault.NONE, Reply(250, "ok"), Phase.END_OF_DATA)
THROTTLED = Verdict(Fault.RELAY_THROTTLED, Reply(454, "throttled"), Phase.DATA)
CONNECTION_LOST = Verdict(Fault.IN_DOUBT, Reply(0, "the connection was closed"), Phase.END_OF_DATA)


def result_of(
    verdict: Verdict,
    *,
    recipient: Recipient = ANN,
    health: RelayHealth = HEALTHY,
    expires_at: datetime | None = None,
    in_doubt: str = "resend",
) -> DeliveryResult | None:
    return next_state(recipient, verdict, health, NOW, Random(1), expires_at=expires_at, in_doubt=in_doubt)


def state_of(verdict: Verdict, health: RelayHealth = HEALTHY) -> DeliveryState | None:
    result = result_of(verdict, health=health)
    return result.state if result else None


def test_the_pauses_grow_to_four_hours_and_fill_three_days() -> None:
    minutes = [delay // timedelta(minutes=1) for delay in RETRY_DELAYS]
    assert minutes[:6] == [5, 15, 30, 60, 120, 240]
    assert set(minutes[6:]) == {240}
    assert LIFETIME - timedelta(hours=4) < sum(RETRY_DELAYS, timedelta()) <= LIFETIME


@limits(max_examples=100, deadline=None)
@given(st.integers(0, len(RETRY_DELAYS) - 1), st.randoms(use_true_random=False))
def test_a_pause_is_off_by_a_fifth_at_most(attempts: int, rng: Random) -> None:
    moment = next_attempt(attempts, NOW, rng, None)
    assert moment is not None
    assert 0.8 <= (moment - NOW) / RETRY_DELAYS[attempts] <= 1.2


def test_those_who_were_refused_together_do_not_come_back_together() -> None:
    rng = Random(1)
    assert len({next_attempt(0, NOW, rng, None) for _ in range(100)}) > 90


def test_after_the_last_pause_and_after_the_edition_nothing_is_tried() -> None:
    assert next_attempt(len(RETRY_DELAYS), NOW, Random(1), None) is None
    assert next_attempt(0, NOW, Random(1), NOW + timedelta(minutes=1)) is None
    result = result_of(
        DEFERRED, recipient=Recipient(subscription_id=7, address="a@b.example", attempts=len(RETRY_DELAYS))
    )
    assert result is not None
    assert (result.state, result.next_at) == (DeliveryState.EXPIRED, None)
    assert result.reply == "450 4.7.1 not now"


def test_a_message_in_doubt_is_tried_again_only_where_the_settings_say_so() -> None:
    resend_result, hold_result = result_of(CONNECTION_LOST), result_of(CONNECTION_LOST, in_doubt="hold")
    assert resend_result is not None
    assert hold_result is not None
    assert resend_result.state is hold_result.state is DeliveryState.IN_DOUBT
    assert resend_result.next_at is not None
    assert hold_result.next_at is None


@pytest.mark.parametrize(
    "fault", [Fault.RELAY_DOWN, Fault.RELAY_THROTTLED, Fault.RELAY_MISCONFIGURED, Fault.SENDER_REFUSED]
)
@pytest.mark.parametrize("phase", Phase)
def test_what_is_no_recipients_matter_costs_no_try_before_the_body(fault: Fault, phase: Phase) -> None:
    result = result_of(Verdict(fault, Reply(451, "no"), phase))
    if phase in {Phase.BODY, Phase.END_OF_DATA}:
        assert result is not None
        assert result.state is DeliveryState.DEFERRED
    else:
        assert result is None


def test_a_refused_message_is_the_recipients_matter_only_after_one_that_was_taken() -> None:
    assert state_of(REFUSED, HEALTHY) is DeliveryState.FAILED
    assert state_of(REFUSED, RelayHealth()) is DeliveryState.DEFERRED
    assert state_of(REFUSED, HEALTHY.with_verdict(REFUSED)) is DeliveryState.DEFERRED
    assert state_of(REFUSED, HEALTHY.with_verdict(REFUSED).with_verdict(ACCEPTED)) is DeliveryState.FAILED


def step_after(verdict: Verdict, count: int, connections: int = 1) -> NextStep:
    health = RelayHealth()
    for _ in range(count):
        health = health.with_verdict(verdict)
    return next_step(verdict, health, connections)


def test_refusals_in_a_row_hold_the_edition_and_broken_lines_in_a_row_pause_the_relay() -> None:
    assert step_after(REFUSED, MAX_REFUSALS - 1) is NextStep.CONTINUE
    assert step_after(REFUSED, MAX_REFUSALS) is NextStep.HOLD_EDITION
    assert step_after(CONNECTION_LOST, MAX_CONNECTION_LOSSES - 1) is NextStep.CONTINUE
    assert step_after(CONNECTION_LOST, MAX_CONNECTION_LOSSES) is NextStep.PAUSE_RELAY
    assert step_after(THROTTLED, MAX_THROTTLES - 1) is NextStep.CONTINUE
    assert step_after(THROTTLED, MAX_THROTTLES) is NextStep.PAUSE_RELAY


def test_what_all_lines_hear_at_once_is_one_trouble() -> None:
    assert step_after(CONNECTION_LOST, 32, connections=32) is NextStep.CONTINUE
    assert step_after(THROTTLED, 32, connections=32) is NextStep.CONTINUE


verdicts = st.builds(
    Verdict,
    st.sampled_from(Fault),
    st.builds(Reply, st.sampled_from([0, 250, 450, 554]), st.just("x")),
    st.sampled_from(Phase),
)
healths = st.builds(RelayHealth, st.booleans(), st.integers(0, 9), st.integers(0, 9))


@limits(max_examples=300, deadline=None)
@given(
    verdicts,
    healths,
    st.integers(0, 40),
    st.sampled_from(["resend", "hold"]),
    st.timedeltas(timedelta(0), timedelta(days=9)),
)
def test_every_result_lies_on_an_arrow_and_has_a_next_time_exactly_when_it_is_tried_again(
    verdict: Verdict, health: RelayHealth, attempts: int, in_doubt: str, time_left: timedelta
) -> None:
    recipient = Recipient(subscription_id=7, address="a@b.example", attempts=attempts)
    result = result_of(
        verdict, recipient=recipient, health=health, expires_at=NOW + time_left, in_doubt=in_doubt
    )
    if result is None:
        return
    # From the body on the intent may be committed; some states need an end of data, and only it leads to them.
    assert result.state in TRANSITIONS[DeliveryState.SENDING]
    assert (result.next_at is not None) or result.state is not DeliveryState.DEFERRED
    assert result.next_at is None or NOW < result.next_at <= NOW + time_left
