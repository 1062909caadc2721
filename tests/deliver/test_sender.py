"""Each subscriber gets the edition once, and each edition is finished."""

from collections.abc import Sequence
from datetime import timedelta
from email import message_from_bytes

import pytest

from ketapress.model.address import Mailbox
from ketapress.model.delivery import DeliveryState, Phase
from ketapress.model.edition import EditionState
from ketapress.testing import after
from support.delivery_fixture import SLOT, TEMPLATE, DeliveryFixture, new_delivery
from support.factories import NOW, WEEKLY

delivery = new_delivery

READERS = [f"reader{n}@example.net" for n in range(50)]


@pytest.mark.parametrize("connections", [1, 8])
def test_fifty_subscribers_get_fifty_messages_and_sending_again_sends_nothing(
    delivery: DeliveryFixture, connections: int
) -> None:
    delivery.connections = connections
    delivery.subscribe(*READERS)
    delivery.add_edition()
    report = delivery.send()
    assert (report.edition, report.state) == ("weekly/2023-06-12T0800", EditionState.DONE)
    assert (report.frozen, report.sent, report.queued, report.in_doubt) == (50, 50, 0, 0)
    assert report.problem is None
    assert sorted(delivery.recipients()) == sorted(READERS)
    assert delivery.relay.connections == connections
    assert delivery.send_all() == ()
    assert len(delivery.relay.messages) == 50


def test_each_message_is_its_recipients_own(delivery: DeliveryFixture) -> None:
    delivery.subscribe(*READERS)
    delivery.add_edition()
    delivery.send()
    messages = {message.recipient: message_from_bytes(message.message) for message in delivery.relay.messages}
    assert all(message["To"] == recipient for recipient, message in messages.items())
    for name in ("Message-ID", "List-Unsubscribe"):
        assert len({message[name] for message in messages.values()}) == 50
    assert {message.sender for message in delivery.relay.messages} == {"digest@example.org"}
    assert {message["Date"] for message in messages.values()} == {"Mon, 12 Jun 2023 09:00:00 +0000"}


def test_the_return_path_of_the_settings_is_the_envelopes_sender(delivery: DeliveryFixture) -> None:
    delivery.subscribe("ann@example.net")
    delivery.add_edition()
    delivery.send(relay=delivery.context.relay._replace(return_path="bounces@example.org"))
    assert delivery.relay.messages[0].sender == "bounces@example.org"


def test_no_more_connections_are_opened_than_there_are_messages(delivery: DeliveryFixture) -> None:
    delivery.connections = 32
    delivery.subscribe("ann@example.net", "bob@example.net")
    delivery.add_edition()
    delivery.send()
    assert delivery.relay.connections <= 2


def test_the_oldest_edition_goes_first(delivery: DeliveryFixture) -> None:
    delivery.subscribe("ann@example.net")
    delivery.add_edition(SLOT, None)
    delivery.add_edition(SLOT - timedelta(days=7), None)
    assert [report.edition for report in delivery.send_all()] == [
        "weekly/2023-06-05T0800",
        "weekly/2023-06-12T0800",
    ]


def test_progress_is_told_after_each_commit(delivery: DeliveryFixture) -> None:
    delivery.subscribe(*READERS)
    delivery.add_edition()
    delivery.send()
    assert {progress.total for progress in delivery.progress} == {50}
    assert delivery.progress[-1].counts[DeliveryState.SENT] == 50
    counts = [progress.counts.get(DeliveryState.SENT, 0) for progress in delivery.progress]
    assert counts == sorted(counts)


def test_with_nobody_subscribed_an_edition_waits_and_is_done_when_its_time_is_over(
    delivery: DeliveryFixture,
) -> None:
    delivery.add_edition(send_deadline=NOW + timedelta(hours=2))
    report = delivery.send()
    assert (report.state, report.frozen) == (EditionState.READY, 0)
    assert "no subscribers" in report.note
    assert report.next_at == NOW + timedelta(hours=2)
    delivery.clock.advance(timedelta(hours=3))
    assert delivery.send().state is EditionState.DONE
    assert delivery.relay.connections == 0


def test_who_signs_up_while_an_edition_waits_still_gets_it(delivery: DeliveryFixture) -> None:
    delivery.add_edition()
    delivery.send()
    delivery.subscribe("ann@example.net")
    assert delivery.send().sent == 1


def test_an_edition_that_was_not_sent_in_time_is_held_and_says_why(delivery: DeliveryFixture) -> None:
    delivery.subscribe("ann@example.net")
    delivery.add_edition(send_deadline=NOW - timedelta(minutes=1))
    report = delivery.send()
    assert report.state is EditionState.HELD
    assert report.problem is not None
    assert "send_within" in delivery.editions[0].reason
    assert delivery.relay.connections == 0


def test_an_edition_that_is_held_for_being_late_goes_to_whoever_is_there_when_it_is_released(
    delivery: DeliveryFixture,
) -> None:
    delivery.subscribe("ann@example.net")
    edition_id = delivery.add_edition(send_deadline=NOW - timedelta(minutes=1))
    assert delivery.send().frozen == 0
    delivery.subscribe("bob@example.net")
    delivery.store.editions.transition(
        edition_id, {EditionState.HELD}, EditionState.READY, send_deadline=NOW + timedelta(days=1), now=NOW
    )
    assert delivery.send().sent == 2


def test_a_report_tells_who_was_left_out_and_why(delivery: DeliveryFixture) -> None:
    delivery.subscribe("ann@example.net", "bob@example.net")
    delivery.store.subscribers.remove("bob@example.net", "weekly", "somebody", NOW)
    delivery.add_edition()
    report = delivery.send()
    assert (report.frozen, report.skipped_counts) == (1, {"left": 1})


def test_an_edition_of_a_newsletter_that_is_gone_is_held(delivery: DeliveryFixture) -> None:
    delivery.subscribe("ann@example.net")
    delivery.add_edition()
    delivery.newsletters = {}
    assert delivery.send().state is EditionState.HELD
    assert "no newsletter 'weekly'" in delivery.editions[0].reason


def test_who_leaves_before_their_message_is_sent_gets_none(delivery: DeliveryFixture) -> None:
    delivery.subscribe("ann@example.net", "bob@example.net", "cy@example.net")
    delivery.add_edition()
    bob = 2
    delivery.relay.script(
        Phase.DATA, after(lambda: delivery.store.subscribers.unsubscribe(bob, NOW), "354 go on"), on=2
    )
    report = delivery.send()
    assert (report.sent, report.suppressed) == (2, 1)
    assert delivery.recipients() == ["ann@example.net", "cy@example.net"]
    assert delivery.states()["bob@example.net"] is DeliveryState.SUPPRESSED
    assert [message.recipient for message in delivery.relay.unfinished] == ["bob@example.net"]


def test_an_edition_cancelled_while_it_is_sent_ends_without_the_rest(delivery: DeliveryFixture) -> None:
    delivery.subscribe(*READERS)
    edition_id = delivery.add_edition()
    cancel = after(
        lambda: delivery.store.editions.cancel(edition_id, NOW, "a person cancelled it"), "354 go on"
    )
    delivery.relay.script(Phase.DATA, cancel, on=10)
    report = delivery.send()
    assert report.state is EditionState.CANCELLED
    assert (report.sent, report.cancelled) == (9, 41)


def test_an_edition_held_while_it_is_sent_goes_on_where_it_stopped(delivery: DeliveryFixture) -> None:
    delivery.subscribe(*READERS)
    edition_id = delivery.add_edition()
    editions = delivery.store.editions
    hold = after(
        lambda: editions.transition(edition_id, {EditionState.SENDING}, EditionState.HELD, now=NOW),
        "354 go on",
    )
    delivery.relay.script(Phase.DATA, hold, on=10)
    report = delivery.send()
    assert (report.state, report.sent, report.queued) == (EditionState.HELD, 9, 41)
    editions.transition(edition_id, {EditionState.HELD}, EditionState.READY, now=NOW)
    assert delivery.send().sent == 50
    assert sorted(delivery.recipients()) == sorted(READERS)


def test_stop_is_asked_between_messages_and_claims_are_handed_back(delivery: DeliveryFixture) -> None:
    delivery.subscribe(*READERS)
    delivery.add_edition()
    delivery.must_stop = lambda: len(delivery.relay.messages) >= 7
    report = delivery.send()
    assert (report.state, report.sent, report.queued) == (EditionState.SENDING, 7, 43)
    assert delivery.states()[READERS[-1]] is DeliveryState.QUEUED
    assert "Stopped" in report.note
    delivery.must_stop = lambda: False
    assert delivery.send().sent == 50
    assert sorted(delivery.recipients()) == sorted(READERS)


def test_a_recipient_that_cannot_be_stamped_fails_alone(delivery: DeliveryFixture) -> None:
    delivery.subscribe("ann@example.net", "bob@example.net", "cy@example.net")
    delivery.add_edition()
    build_message = delivery.context.build_message

    def refuse_bob(*values: object) -> Sequence[bytes]:
        if getattr(values[1], "address", "") == "bob@example.net":
            raise ValueError("the name cannot stand in a header")
        return build_message(*values)  # type: ignore[arg-type]  # the arguments are passed on

    report = delivery.send(build_message=refuse_bob)
    assert (report.sent, report.failed) == (2, 1)
    assert "cannot stand in a header" in delivery.summaries()["bob@example.net"].reply


def test_a_fault_of_the_program_passes_through_and_nothing_stays_claimed(delivery: DeliveryFixture) -> None:
    delivery.subscribe("ann@example.net", "bob@example.net")
    delivery.add_edition()

    def raise_error(*_: object) -> Sequence[bytes]:
        raise KeyError(TEMPLATE.key)

    with pytest.raises(KeyError):
        delivery.send(build_message=raise_error)
    assert set(delivery.states().values()) == {DeliveryState.QUEUED}
    assert delivery.send().sent == 2


def test_the_name_in_ehlo_is_the_senders_domain(delivery: DeliveryFixture) -> None:
    delivery.newsletters = {"weekly": WEEKLY._replace(sender=Mailbox("News", "news@press.example"))}
    delivery.subscribe("ann@example.net")
    delivery.add_edition()
    delivery.send()
    assert delivery.relay.commands[0] == "EHLO press.example"


def test_whoever_counts_hears_each_reply_and_each_line_that_is_refused(delivery: DeliveryFixture) -> None:
    delivery.subscribe("ann@example.net", "bob@example.net")
    delivery.add_edition()
    codes: list[int] = []
    delivery.relay.script(Phase.RECIPIENT, "450 4.2.0 later", recipient="bob@example.net")
    delivery.send(on_verdict=lambda verdict: codes.append(verdict.reply.code))
    delivery.relay.script(Phase.CONNECT, "421 4.3.2 not now")
    delivery.clock.advance(timedelta(hours=1))
    delivery.send(on_verdict=lambda verdict: codes.append(verdict.reply.code))
    assert codes == [250, 450, 421]
