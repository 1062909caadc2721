"""Faults of a relay, and their effect on deliveries, editions and subscribers."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ketapress.deliver.retry_policy import MAX_CONNECTION_LOSSES, MAX_REFUSALS
from ketapress.model.delivery import DeliveryResult, DeliveryState, Phase
from ketapress.model.edition import EditionState
from ketapress.model.errors import Problem, StoreError
from ketapress.relay.stream import DEADLINES
from ketapress.store.deliveries import Deliveries
from ketapress.store.spill_file import SPILL_FILE_NAME as SPILL
from ketapress.system.state_file import make_state_folder
from ketapress.testing import ScriptedRelay, hang_up, keep_silent
from support.delivery_fixture import DeliveryFixture, new_delivery
from support.factories import NOW

delivery = new_delivery

ANN, BOB, CY = "ann@example.net", "bob@example.net", "cy@example.net"
D = DeliveryState


@pytest.fixture
def three(delivery: DeliveryFixture) -> DeliveryFixture:
    delivery.subscribe(ANN, BOB, CY)
    delivery.add_edition()
    return delivery


@pytest.mark.parametrize(
    ("phase", "act", "state"),
    [
        (Phase.RECIPIENT, "450 4.7.1 greylisted", D.DEFERRED),
        (Phase.RECIPIENT, "452 4.2.2 mailbox full", D.DEFERRED),
        (Phase.RECIPIENT, "552 5.5.3 too many recipients", D.DEFERRED),
        (Phase.RECIPIENT, "550 5.1.1 no such user", D.FAILED),
        (Phase.RECIPIENT, "550 no", D.FAILED),
        (Phase.RECIPIENT, "554 5.7.1 policy", D.FAILED),
        (Phase.RECIPIENT, hang_up, D.DEFERRED),
        (Phase.RECIPIENT, "garbage", D.DEFERRED),
        (Phase.DATA, hang_up, D.DEFERRED),
        (Phase.BODY, hang_up, D.DEFERRED),
        (Phase.END_OF_DATA, "451 4.3.0 later", D.DEFERRED),
        (Phase.END_OF_DATA, "554 5.7.1 spam", D.FAILED),
        (Phase.END_OF_DATA, "550 5.1.1 no such user", D.FAILED),
        (Phase.END_OF_DATA, hang_up, D.IN_DOUBT),
        (Phase.END_OF_DATA, "garbage", D.IN_DOUBT),
    ],
)
def test_a_fault_at_one_recipient_leaves_the_others_alone(
    three: DeliveryFixture, phase: Phase, act: Any, state: DeliveryState
) -> None:
    three.relay.script(phase, act, recipient=BOB)
    report = three.send()
    assert three.states() == {ANN: D.SENT, BOB: state, CY: D.SENT}
    assert three.summaries()[BOB].reply
    assert three.recipients() == [ANN, CY]
    is_waiting = state in {D.DEFERRED, D.IN_DOUBT}
    assert report.state is (EditionState.SENDING if is_waiting else EditionState.DONE)
    assert (report.next_at is not None) is is_waiting


@pytest.mark.parametrize(
    ("phase", "answer", "state"),
    [
        (Phase.CONNECT, "554 5.7.1 not you", EditionState.SENDING),
        (Phase.CONNECT, "421 4.3.2 busy", EditionState.SENDING),
        (Phase.CONNECT, hang_up, EditionState.SENDING),
        (Phase.HELLO, "550 5.7.1 no", EditionState.SENDING),
        (Phase.MAIL, "421 4.3.2 closing", EditionState.SENDING),
        (Phase.MAIL, "451 4.3.0 later", EditionState.SENDING),
        (Phase.MAIL, "530 5.7.0 log in first", EditionState.SENDING),
        (Phase.MAIL, "550 5.7.1 not from you", EditionState.HELD),
        (Phase.MAIL, "552 5.3.4 too large", EditionState.HELD),
        (Phase.DATA, "454 4.7.0 over the rate", EditionState.SENDING),
        (Phase.DATA, "451 4.3.0 later", EditionState.SENDING),
    ],
)
def test_a_fault_of_the_relay_or_the_sender_costs_nobody_a_try(
    three: DeliveryFixture, phase: Phase, answer: Any, state: EditionState
) -> None:
    three.relay.script(phase, answer)
    report = three.send()
    assert (report.state, report.queued) == (state, 3)
    assert report.problem is not None
    assert {summary.attempts for summary in three.summaries().values()} == {0}
    assert not three.relay.messages
    if state is EditionState.HELD:
        assert answer[4:9] in three.editions[0].reason
    else:
        assert report.next_at is not None


def test_a_relay_that_is_not_there_stops_everything_at_once(three: DeliveryFixture) -> None:
    three.add_edition(NOW - timedelta(days=7), None)
    with ScriptedRelay() as relay:
        url = relay.url
    reports = three.send_all(relay=three.context.relay._replace(url=url))
    assert len(reports) == 1
    assert "127.0.0.1" in str(reports[0].problem)
    assert (reports[0].queued, reports[0].next_at) == (3, NOW + timedelta(minutes=1))


def test_a_wrong_password_is_not_tried_again_soon(three: DeliveryFixture) -> None:
    url = three.relay.url._replace(user="press", password="secret")
    report = three.send(relay=three.context.relay._replace(url=url))
    assert report.next_at == NOW + timedelta(minutes=30)
    assert report.problem is not None
    assert "secret" not in str(report.problem)
    assert three.relay.connections == 0


def test_a_late_answer_after_the_dot_is_in_doubt(three: DeliveryFixture) -> None:
    three.relay.script(Phase.END_OF_DATA, keep_silent, recipient=BOB)
    three.deadlines = DEADLINES._replace(end_of_data=0.2)
    three.send()
    assert three.states() == {ANN: D.SENT, BOB: D.IN_DOUBT, CY: D.SENT}


def test_what_is_in_doubt_is_sent_again_to_the_byte(three: DeliveryFixture) -> None:
    three.relay.script(Phase.END_OF_DATA, "garbage", recipient=BOB, on=1)
    messages: list[Sequence[bytes]] = []
    original = three.context.build_message

    def build_message(*values: Any) -> Sequence[bytes]:
        message = original(*values)
        if values[1].address == BOB:
            messages.append(message)
        return message

    three.send(build_message=build_message)
    three.clock.advance(timedelta(minutes=10))
    assert three.send(build_message=build_message).state is EditionState.DONE
    assert three.recipients() == [ANN, CY, BOB]
    assert len(messages) == 2
    assert messages[0] == messages[1]


def test_what_is_in_doubt_waits_for_a_person_where_the_settings_say_hold(three: DeliveryFixture) -> None:
    three.in_doubt = "hold"
    three.relay.script(Phase.END_OF_DATA, hang_up, recipient=BOB)
    report = three.send()
    assert (report.state, report.in_doubt, report.next_at) == (EditionState.SENDING, 1, None)
    assert report.problem is not None
    three.clock.advance(timedelta(days=2))
    assert three.send().in_doubt == 1
    assert three.recipients() == [ANN, CY]


def test_a_message_refused_for_now_is_dated_anew(three: DeliveryFixture) -> None:
    three.relay.script(Phase.END_OF_DATA, "451 4.3.0 later", recipient=BOB, on=1)
    three.send()
    three.clock.advance(timedelta(hours=1))
    three.send()
    assert b"Date: Mon, 12 Jun 2023 10:00:01 +0000" in three.relay.messages[-1].message


def test_a_deferred_message_is_tried_again_when_its_time_has_come_and_not_before(
    three: DeliveryFixture,
) -> None:
    three.relay.script(Phase.RECIPIENT, "450 4.7.1 greylisted", recipient=BOB, on=1)
    report = three.send()
    assert report.next_at is not None
    assert timedelta(minutes=4) <= report.next_at - NOW <= timedelta(minutes=6)
    three.clock.advance(timedelta(minutes=3))
    assert three.send().deferred == 1
    three.clock.advance(timedelta(minutes=4))
    assert three.send().state is EditionState.DONE
    assert three.recipients() == [ANN, CY, BOB]


def test_a_message_deferred_until_the_edition_is_over_expires(three: DeliveryFixture) -> None:
    three.relay.script(Phase.RECIPIENT, "450 4.7.1 greylisted", recipient=BOB)
    attempts = 0
    while (report := three.send()).next_at is not None:
        three.clock.advance(report.next_at - three.clock())
        attempts += 1
    assert (report.state, report.expired, report.sent) == (EditionState.DONE, 1, 2)
    assert 15 < attempts < 30
    assert timedelta(hours=55) < three.clock() - NOW < timedelta(hours=90)


def test_what_waits_expires_with_its_edition(three: DeliveryFixture) -> None:
    with ScriptedRelay() as relay:
        url = relay.url
    three.send(relay=three.context.relay._replace(url=url))
    three.clock.advance(timedelta(days=11))
    report = three.send()
    assert (report.state, report.expired) == (EditionState.DONE, 3)
    assert three.relay.connections == 0


def test_a_dead_address_gets_no_more_mail(three: DeliveryFixture) -> None:
    three.relay.script(Phase.RECIPIENT, "550 5.1.1 no such user", recipient=BOB)
    three.send()
    three.add_edition(NOW - timedelta(minutes=1))
    assert three.send().frozen == 2


def test_a_relay_that_refuses_everybody_costs_nobody_their_place(delivery: DeliveryFixture) -> None:
    delivery.subscribe(*(f"reader{n}@example.net" for n in range(20)))
    delivery.add_edition()
    delivery.relay.script(Phase.RECIPIENT, "554 5.7.1 relay access denied")
    report = delivery.send()
    assert (report.state, report.failed, report.deferred) == (EditionState.HELD, 0, MAX_REFUSALS)
    assert "relay access denied" in delivery.editions[0].reason


def test_a_spam_filter_that_trips_halfway_costs_one_and_holds_the_rest(delivery: DeliveryFixture) -> None:
    delivery.subscribe(*(f"reader{n}@example.net" for n in range(30)))
    delivery.add_edition()
    for n in range(11, 31):
        delivery.relay.script(Phase.END_OF_DATA, "554 5.7.1 looks like spam", on=n)
    report = delivery.send()
    assert (report.state, report.sent, report.failed) == (EditionState.HELD, 10, 1)
    assert report.deferred == MAX_REFUSALS - 1


def test_a_relay_that_breaks_every_line_is_left_alone(delivery: DeliveryFixture) -> None:
    delivery.subscribe(*(f"reader{n}@example.net" for n in range(20)))
    delivery.add_edition()
    delivery.relay.script(Phase.END_OF_DATA, hang_up)
    report = delivery.send()
    assert (report.in_doubt, report.queued) == (MAX_CONNECTION_LOSSES, 20 - MAX_CONNECTION_LOSSES)
    assert report.next_at is not None


def test_fewer_connections_than_wanted_are_enough(delivery: DeliveryFixture) -> None:
    delivery.connections = 8
    delivery.subscribe(*(f"reader{n}@example.net" for n in range(40)))
    delivery.add_edition()
    for n in range(4, 40):
        delivery.relay.script(Phase.CONNECT, "421 4.7.0 too many connections", on=n)
    assert delivery.send().sent == 40


class FullDisk(Deliveries):
    """A store that accepts ten commits, and refuses some after them."""

    def __init__(self, delivery: DeliveryFixture, *, refusals: int, spill: Path | None = None) -> None:
        super().__init__(delivery.store.deliveries._transactions, spill)
        self.commits = 0
        self.refusals = refusals

    def commit(
        self, edition_id: int, *, results: Sequence[DeliveryResult], intents: Collection[int], now: datetime
    ) -> frozenset[int]:
        self.commits += 1
        if 10 < self.commits <= 10 + self.refusals:
            raise StoreError(Problem(code="store.full", message="the disk is full.", cure="Free some space."))
        return super().commit(edition_id, results=results, intents=intents, now=now)


@pytest.mark.parametrize("connections", [1, 4])
def test_a_ledger_that_cannot_be_written_stops_every_dot_and_keeps_what_is_known(
    delivery: DeliveryFixture, connections: int
) -> None:
    delivery.connections = connections
    delivery.subscribe(*(f"reader{n}@example.net" for n in range(100)))
    delivery.add_edition()
    delivery.deliveries = FullDisk(delivery, refusals=1)
    with pytest.raises(StoreError) as error:
        delivery.send()
    assert [problem.code for problem in error.value.problems] == ["store.full"]
    states = delivery.states()
    assert 10 <= len(delivery.relay.messages) <= 10 * connections
    assert sorted(delivery.recipients()) == sorted(address for address in states if states[address] is D.SENT)
    assert set(states.values()) == {D.SENT, D.QUEUED}


@pytest.mark.parametrize("connections", [1, 4])
def test_what_can_never_be_written_is_named_and_is_in_doubt_next_time(
    delivery: DeliveryFixture, connections: int
) -> None:
    delivery.connections = connections
    readers = [f"reader{n}@example.net" for n in range(100)]
    delivery.subscribe(*readers)
    delivery.add_edition()
    delivery.deliveries = FullDisk(delivery, refusals=1000)
    with pytest.raises(StoreError) as error:
        delivery.send()
    first_recipients = delivery.recipients()
    problems = [problem for problem in error.value.problems if problem.code == "send.unwritten"]
    assert 1 <= len(problems) <= connections
    delivery.deliveries = None
    assert delivery.send().state is EditionState.DONE
    assert sorted(set(delivery.recipients())) == sorted(readers)
    assert len(delivery.recipients()) == len(readers) + len(problems)
    repeats = [
        message for message in delivery.relay.messages if delivery.recipients().count(message.recipient) > 1
    ]
    assert {message.recipient for message in repeats} <= set(first_recipients)
    assert len({message.message for message in repeats}) == len(problems)


@pytest.mark.parametrize("connections", [1, 4])
def test_what_could_not_be_written_is_kept_in_a_file_and_nobody_gets_it_twice(
    delivery: DeliveryFixture, connections: int
) -> None:
    delivery.connections = connections
    readers = [f"reader{n}@example.net" for n in range(100)]
    delivery.subscribe(*readers)
    delivery.add_edition()
    file = make_state_folder(delivery.root) / SPILL
    delivery.deliveries = FullDisk(delivery, refusals=1000, spill=file)
    with pytest.raises(StoreError) as error:
        delivery.send()
    problems = [problem for problem in error.value.problems if problem.code == "send.unwritten"]
    assert 1 <= len(problems) <= connections
    assert all(".ketapress/unwritten.json" in problem.cure for problem in problems)
    assert file.stat().st_size >= 65536, "its space is reserved before it is needed"
    delivery.deliveries = None
    assert delivery.send().state is EditionState.DONE
    assert sorted(delivery.recipients()) == sorted(readers)
    assert "250" in delivery.summaries()[address_of(delivery, problems[0])].reply
    assert not file.read_bytes().strip(b"\0")


def address_of(delivery: DeliveryFixture, problem: Problem) -> str:
    number = int(problem.message.split("delivery ")[1].split()[0])
    return next(
        address for address, summary in delivery.summaries().items() if summary.subscription_id == number
    )


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"{", b"[]", b'{"edition": 1}\0'])
def test_a_torn_file_of_results_stops_nobody(delivery: DeliveryFixture, content: bytes) -> None:
    delivery.subscribe(ANN)
    delivery.add_edition()
    (make_state_folder(delivery.root) / SPILL).write_bytes(content)
    assert delivery.send().state is EditionState.DONE
