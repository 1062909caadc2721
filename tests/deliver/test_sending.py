"""Everybody who is subscribed gets the edition, once, and the editions come to their ends."""

from collections.abc import Sequence
from datetime import timedelta
from email import message_from_bytes

import pytest

from ketapress.model.address import Mailbox
from ketapress.model.delivery import DeliveryState, Phase
from ketapress.model.edition import EditionState
from ketapress.testing import after
from support.delivery_fixture import LETTER, SLOT, Press, new_press
from support.factories import NOW, WEEKLY

press = new_press

FIFTY = [f"reader{n}@example.net" for n in range(50)]


@pytest.mark.parametrize("connections", [1, 8])
def test_fifty_subscribers_get_fifty_messages_and_sending_again_sends_nothing(
    press: Press, connections: int
) -> None:
    press.connections = connections
    press.subscribe(*FIFTY)
    press.edition()
    report = press.send()
    assert (report.edition, report.state) == ("weekly/2023-06-12T0800", EditionState.DONE)
    assert (report.frozen, report.sent, report.queued, report.in_doubt) == (50, 50, 0, 0)
    assert report.problem is None
    assert sorted(press.sent_to()) == sorted(FIFTY)
    assert press.relay.connections == connections
    assert press.send_all() == ()
    assert len(press.relay.messages) == 50


def test_each_message_is_its_recipients_own(press: Press) -> None:
    press.subscribe(*FIFTY)
    press.edition()
    press.send()
    messages = {each.recipient: message_from_bytes(each.message) for each in press.relay.messages}
    assert all(message["To"] == recipient for recipient, message in messages.items())
    for name in ("Message-ID", "List-Unsubscribe"):
        assert len({message[name] for message in messages.values()}) == 50
    assert {each.sender for each in press.relay.messages} == {"digest@example.org"}
    assert {message["Date"] for message in messages.values()} == {"Mon, 12 Jun 2023 09:00:00 +0000"}


def test_the_return_path_of_the_settings_is_the_envelopes_sender(press: Press) -> None:
    press.subscribe("ann@example.net")
    press.edition()
    press.send(relay=press.road.relay._replace(return_path="bounces@example.org"))
    assert press.relay.messages[0].sender == "bounces@example.org"


def test_no_more_connections_are_opened_than_there_are_messages(press: Press) -> None:
    press.connections = 32
    press.subscribe("ann@example.net", "bob@example.net")
    press.edition()
    press.send()
    assert press.relay.connections <= 2


def test_the_oldest_edition_goes_first(press: Press) -> None:
    press.subscribe("ann@example.net")
    press.edition(SLOT, None)
    press.edition(SLOT - timedelta(days=7), None)
    assert [each.edition for each in press.send_all()] == ["weekly/2023-06-05T0800", "weekly/2023-06-12T0800"]


def test_progress_is_told_after_each_commit(press: Press) -> None:
    press.subscribe(*FIFTY)
    press.edition()
    press.send()
    assert {each.total for each in press.progress} == {50}
    assert press.progress[-1].done[DeliveryState.SENT] == 50
    counts = [each.done.get(DeliveryState.SENT, 0) for each in press.progress]
    assert counts == sorted(counts)


def test_with_nobody_subscribed_an_edition_waits_and_is_done_when_its_time_is_over(press: Press) -> None:
    press.edition(send_by=NOW + timedelta(hours=2))
    report = press.send()
    assert (report.state, report.frozen) == (EditionState.READY, 0)
    assert "Nobody is subscribed" in report.note
    assert report.next_at == NOW + timedelta(hours=2)
    press.clock.advance(timedelta(hours=3))
    assert press.send().state is EditionState.DONE
    assert press.relay.connections == 0


def test_who_signs_up_while_an_edition_waits_still_gets_it(press: Press) -> None:
    press.edition()
    press.send()
    press.subscribe("ann@example.net")
    assert press.send().sent == 1


def test_an_edition_that_was_not_sent_in_time_is_held_and_says_why(press: Press) -> None:
    press.subscribe("ann@example.net")
    press.edition(send_by=NOW - timedelta(minutes=1))
    report = press.send()
    assert report.state is EditionState.HELD
    assert report.problem is not None
    assert "send_within" in press.editions[0].reason
    assert press.relay.connections == 0


def test_an_edition_that_is_held_for_being_late_goes_to_whoever_is_there_when_it_is_released(
    press: Press,
) -> None:
    press.subscribe("ann@example.net")
    edition = press.edition(send_by=NOW - timedelta(minutes=1))
    assert press.send().frozen == 0
    press.subscribe("bob@example.net")
    press.store.editions.transition(
        edition, {EditionState.HELD}, EditionState.READY, send_deadline=NOW + timedelta(days=1), now=NOW
    )
    assert press.send().sent == 2


def test_a_report_tells_who_was_left_out_and_why(press: Press) -> None:
    press.subscribe("ann@example.net", "bob@example.net")
    press.store.subscribers.remove("bob@example.net", "weekly", "somebody", NOW)
    press.edition()
    report = press.send()
    assert (report.frozen, report.left_out) == (1, {"left": 1})


def test_an_edition_of_a_newsletter_that_is_gone_is_held(press: Press) -> None:
    press.subscribe("ann@example.net")
    press.edition()
    press.newsletters = {}
    assert press.send().state is EditionState.HELD
    assert "no newsletter 'weekly'" in press.editions[0].reason


def test_who_leaves_before_their_message_is_sent_gets_none(press: Press) -> None:
    press.subscribe("ann@example.net", "bob@example.net", "cy@example.net")
    press.edition()
    bob = 2
    press.relay.script(
        Phase.DATA, after(lambda: press.store.subscribers.unsubscribe(bob, NOW), "354 go on"), on=2
    )
    report = press.send()
    assert (report.sent, report.suppressed) == (2, 1)
    assert press.sent_to() == ["ann@example.net", "cy@example.net"]
    assert press.states()["bob@example.net"] is DeliveryState.SUPPRESSED
    assert [each.recipient for each in press.relay.unfinished] == ["bob@example.net"]


def test_an_edition_cancelled_while_it_is_sent_ends_without_the_rest(press: Press) -> None:
    press.subscribe(*FIFTY)
    edition = press.edition()
    cancel = after(lambda: press.store.editions.cancel(edition, NOW, "a person cancelled it"), "354 go on")
    press.relay.script(Phase.DATA, cancel, on=10)
    report = press.send()
    assert report.state is EditionState.CANCELLED
    assert (report.sent, report.cancelled) == (9, 41)


def test_an_edition_held_while_it_is_sent_goes_on_where_it_stopped(press: Press) -> None:
    press.subscribe(*FIFTY)
    edition = press.edition()
    editions = press.store.editions
    hold = after(
        lambda: editions.transition(edition, {EditionState.SENDING}, EditionState.HELD, now=NOW), "354 go on"
    )
    press.relay.script(Phase.DATA, hold, on=10)
    report = press.send()
    assert (report.state, report.sent, report.queued) == (EditionState.HELD, 9, 41)
    editions.transition(edition, {EditionState.HELD}, EditionState.READY, now=NOW)
    assert press.send().sent == 50
    assert sorted(press.sent_to()) == sorted(FIFTY)


def test_stop_is_asked_between_messages_and_claims_are_handed_back(press: Press) -> None:
    press.subscribe(*FIFTY)
    press.edition()
    press.stop = lambda: len(press.relay.messages) >= 7
    report = press.send()
    assert (report.state, report.sent, report.queued) == (EditionState.SENDING, 7, 43)
    assert press.states()[FIFTY[-1]] is DeliveryState.QUEUED
    assert "Stopped" in report.note
    press.stop = lambda: False
    assert press.send().sent == 50
    assert sorted(press.sent_to()) == sorted(FIFTY)


def test_a_recipient_that_cannot_be_stamped_fails_alone(press: Press) -> None:
    press.subscribe("ann@example.net", "bob@example.net", "cy@example.net")
    press.edition()
    usual = press.road.stamp

    def fussy(*values: object) -> Sequence[bytes]:
        if getattr(values[1], "address", "") == "bob@example.net":
            raise ValueError("the name cannot stand in a header")
        return usual(*values)  # type: ignore[arg-type]  # what came in is passed on

    report = press.send(stamp=fussy)
    assert (report.sent, report.failed) == (2, 1)
    assert "cannot stand in a header" in press.lines()["bob@example.net"].reply


def test_a_fault_of_the_program_passes_through_and_nothing_stays_claimed(press: Press) -> None:
    press.subscribe("ann@example.net", "bob@example.net")
    press.edition()

    def broken(*_: object) -> Sequence[bytes]:
        raise KeyError(LETTER.key)

    with pytest.raises(KeyError):
        press.send(stamp=broken)
    assert set(press.states().values()) == {DeliveryState.QUEUED}
    assert press.send().sent == 2


def test_the_name_in_ehlo_is_the_senders_domain(press: Press) -> None:
    press.newsletters = {"weekly": WEEKLY._replace(sender=Mailbox("News", "news@press.example"))}
    press.subscribe("ann@example.net")
    press.edition()
    press.send()
    assert press.relay.commands[0] == "EHLO press.example"


def test_whoever_counts_hears_each_reply_and_each_line_that_is_refused(press: Press) -> None:
    press.subscribe("ann@example.net", "bob@example.net")
    press.edition()
    heard: list[int] = []
    press.relay.script(Phase.RECIPIENT, "450 4.2.0 later", recipient="bob@example.net")
    press.send(heard=lambda verdict: heard.append(verdict.reply.code))
    press.relay.script(Phase.CONNECT, "421 4.3.2 not now")
    press.clock.advance(timedelta(hours=1))
    press.send(heard=lambda verdict: heard.append(verdict.reply.code))
    assert heard == [250, 450, 421]
