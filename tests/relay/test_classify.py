"""The fault table, row by row: a reply of the relay, and its fault."""

import pytest
from hypothesis import given, settings as limits, strategies as st

from ketapress.model.delivery import Fault, Phase, Reply
from ketapress.relay.classify import classify_reply

TRANSACTION = (Phase.MAIL, Phase.RECIPIENT, Phase.DATA, Phase.BODY, Phase.END_OF_DATA)

TABLE: list[tuple[str, Phase, int, str, Fault]] = [
    ("refused, timeout or unknown host of the relay", Phase.CONNECT, 0, "", Fault.RELAY_DOWN),
    ("4xx instead of a greeting", Phase.CONNECT, 421, "4.3.2", Fault.RELAY_DOWN),
    ("5xx at connect is never a recipient's fault", Phase.CONNECT, 554, "5.7.1", Fault.RELAY_DOWN),
    ("connection lost at EHLO", Phase.HELLO, 0, "", Fault.RELAY_DOWN),
    ("4xx at EHLO", Phase.HELLO, 450, "", Fault.RELAY_DOWN),
    ("5xx at EHLO", Phase.HELLO, 550, "", Fault.RELAY_DOWN),
    ("no STARTTLS offered", Phase.TLS, 250, "", Fault.RELAY_MISCONFIGURED),
    ("bad certificate, or the handshake was cut", Phase.TLS, 0, "", Fault.RELAY_MISCONFIGURED),
    ("STARTTLS refused for good", Phase.TLS, 502, "5.5.1", Fault.RELAY_MISCONFIGURED),
    ("STARTTLS refused for now", Phase.TLS, 454, "4.7.0", Fault.RELAY_DOWN),
    ("wrong password", Phase.AUTHENTICATE, 535, "5.7.8", Fault.RELAY_MISCONFIGURED),
    ("login not possible for now", Phase.AUTHENTICATE, 454, "4.7.0", Fault.RELAY_DOWN),
    ("no login method that we have", Phase.AUTHENTICATE, 250, "", Fault.RELAY_MISCONFIGURED),
    ("connection lost while logging in", Phase.AUTHENTICATE, 0, "", Fault.RELAY_DOWN),
    ("connection lost at MAIL", Phase.MAIL, 0, "", Fault.RECIPIENT_DEFERRED),
    ("4xx at MAIL", Phase.MAIL, 451, "4.3.0", Fault.RELAY_THROTTLED),
    ("sender refused", Phase.MAIL, 550, "5.7.1", Fault.SENDER_REFUSED),
    ("message too large, said by SIZE", Phase.MAIL, 552, "5.3.4", Fault.SENDER_REFUSED),
    ("login required after all", Phase.MAIL, 530, "5.7.0", Fault.RELAY_MISCONFIGURED),
    ("greylisting", Phase.RECIPIENT, 450, "4.7.1", Fault.RECIPIENT_DEFERRED),
    ("mailbox busy", Phase.RECIPIENT, 451, "", Fault.RECIPIENT_DEFERRED),
    ("mailbox full", Phase.RECIPIENT, 452, "4.2.2", Fault.RECIPIENT_DEFERRED),
    ("too many recipients, by the old code", Phase.RECIPIENT, 552, "5.5.3", Fault.RECIPIENT_DEFERRED),
    ("no such user", Phase.RECIPIENT, 550, "5.1.1", Fault.RECIPIENT_FAILED),
    ("refused without a reason", Phase.RECIPIENT, 550, "", Fault.RECIPIENT_FAILED),
    ("mailbox disabled", Phase.RECIPIENT, 550, "5.2.1", Fault.RECIPIENT_FAILED),
    ("relaying denied", Phase.RECIPIENT, 554, "5.7.1", Fault.MESSAGE_REFUSED),
    ("login required at RCPT", Phase.RECIPIENT, 530, "5.7.0", Fault.RELAY_MISCONFIGURED),
    ("connection lost at RCPT", Phase.RECIPIENT, 0, "", Fault.RECIPIENT_DEFERRED),
    ("over the rate at DATA", Phase.DATA, 454, "4.7.0", Fault.RELAY_THROTTLED),
    ("451 at DATA", Phase.DATA, 451, "", Fault.RELAY_THROTTLED),
    ("250 instead of 354", Phase.DATA, 250, "", Fault.RELAY_DOWN),
    ("5xx instead of 354", Phase.DATA, 554, "5.7.1", Fault.MESSAGE_REFUSED),
    ("connection lost instead of 354", Phase.DATA, 0, "", Fault.RECIPIENT_DEFERRED),
    ("connection lost before the end of data", Phase.BODY, 0, "", Fault.RECIPIENT_DEFERRED),
    ("interrupted before the end of data, for now", Phase.BODY, 452, "4.3.1", Fault.RECIPIENT_DEFERRED),
    ("interrupted before the end of data, for good", Phase.BODY, 552, "5.3.4", Fault.MESSAGE_REFUSED),
    ("accepted", Phase.END_OF_DATA, 250, "2.0.0", Fault.NONE),
    ("accepted, and it cannot verify the user", Phase.END_OF_DATA, 252, "", Fault.NONE),
    ("connection lost, late or garbage after the end of data", Phase.END_OF_DATA, 0, "", Fault.IN_DOUBT),
    ("354 after the end of data", Phase.END_OF_DATA, 354, "", Fault.IN_DOUBT),
    ("451 after the end of data", Phase.END_OF_DATA, 451, "4.7.1", Fault.RECIPIENT_DEFERRED),
    ("disk full after the end of data", Phase.END_OF_DATA, 452, "4.3.1", Fault.RELAY_THROTTLED),
    ("Amazon SES: over the rate", Phase.END_OF_DATA, 454, "", Fault.RELAY_THROTTLED),
    ("spam, after the end of data", Phase.END_OF_DATA, 554, "5.7.1", Fault.MESSAGE_REFUSED),
    ("too large, after the end of data", Phase.END_OF_DATA, 552, "5.3.4", Fault.MESSAGE_REFUSED),
    ("no such user, after the end of data", Phase.END_OF_DATA, 550, "5.1.1", Fault.RECIPIENT_FAILED),
    ("over quota, after the end of data", Phase.END_OF_DATA, 552, "5.2.2", Fault.RECIPIENT_FAILED),
]


@pytest.mark.parametrize(
    ("phase", "code", "enhanced", "fault"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_a_reply_is_somebodys_matter(phase: Phase, code: int, enhanced: str, fault: Fault) -> None:
    verdict = classify_reply(phase, Reply(code, "text", enhanced))
    assert verdict.fault is fault
    assert (verdict.phase, verdict.reply.code) == (phase, code)


@pytest.mark.parametrize("phase", TRANSACTION)
def test_421_within_a_message_slows_the_relay_down(phase: Phase) -> None:
    assert classify_reply(phase, Reply(421, "closing", "4.3.2")).fault is Fault.RELAY_THROTTLED


def test_only_an_unknown_user_at_rcpt_makes_an_address_dead() -> None:
    assert classify_reply(Phase.RECIPIENT, Reply(550, "no such user", "5.1.1")).suppress
    assert not classify_reply(Phase.RECIPIENT, Reply(550, "go away", "")).suppress
    assert not classify_reply(Phase.RECIPIENT, Reply(450, "not now", "4.1.1")).suppress
    assert not classify_reply(Phase.END_OF_DATA, Reply(550, "no such user", "5.1.1")).suppress


replies = st.builds(
    Reply,
    st.one_of(st.just(0), st.integers(200, 599).filter(lambda code: code // 10 % 10 < 6)),
    st.text(max_size=20),
    st.sampled_from(["", "5.1.1", "5.7.1", "4.2.2", "2.0.0", "5.1.10"]),
)


@limits(max_examples=200, deadline=None)
@given(st.sampled_from(Phase), replies)
def test_every_reply_in_every_phase_has_a_verdict_and_only_a_dot_can_leave_doubt(
    phase: Phase, reply: Reply
) -> None:
    verdict = classify_reply(phase, reply)
    assert verdict.fault is not Fault.IN_DOUBT or phase is Phase.END_OF_DATA
    assert verdict.fault is not Fault.NONE or (phase is Phase.END_OF_DATA and reply.code // 100 == 2)
    assert verdict.fault is not Fault.RECIPIENT_FAILED or phase in {Phase.RECIPIENT, Phase.END_OF_DATA}
    assert not verdict.suppress or verdict.fault is Fault.RECIPIENT_FAILED
