"""Send no faster than the relay and each domain accept, and no more than a warm-up allows."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ketapress.model.delivery import DeliveryState, Phase
from ketapress.model.edition import EditionState
from ketapress.testing import StillClock
from support.delivery_fixture import DeliveryFixture, new_delivery
from support.factories import NOW

delivery = new_delivery
READERS = [f"reader{n}@example.net" for n in range(40)]


@pytest.mark.parametrize("connections", [1, 8])
def test_a_rate_is_kept_over_all_connections(delivery: DeliveryFixture, connections: int) -> None:
    delivery.connections, delivery.rate = connections, 4
    delivery.subscribe(*READERS)
    delivery.add_edition()
    assert delivery.send().sent == 40
    assert timedelta(seconds=9) < delivery.clock() - NOW < timedelta(seconds=11)


def test_a_relay_that_asks_for_a_slower_pace_gets_it_and_everybody_their_message(
    delivery: DeliveryFixture,
) -> None:
    delivery.subscribe(*READERS)
    delivery.add_edition()
    delivery.relay.script(Phase.DATA, "454 4.7.0 throttled", on=11)
    delivery.relay.script(Phase.DATA, "454 4.7.0 throttled", on=12)
    report = delivery.send()
    assert (report.state, report.sent) == (EditionState.DONE, 40)
    assert {summary.attempts for summary in delivery.summaries().values()} == {1}
    assert delivery.clock() - NOW > timedelta(seconds=5)


def test_a_stop_is_heard_while_a_rate_is_kept(delivery: DeliveryFixture) -> None:
    delivery.rate = 0.01
    delivery.subscribe(*READERS)
    delivery.add_edition()
    delivery.must_stop = lambda: delivery.clock() > NOW + timedelta(seconds=150)
    report = delivery.send()
    assert report.sent == 2
    assert delivery.clock() - NOW < timedelta(seconds=160)


def test_a_clock_that_stands_still_keeps_nobody_waiting(delivery: DeliveryFixture) -> None:
    """`send --at` has such a clock: a domain that deferred a message is delayed nevertheless."""
    delivery.subscribe(*READERS[:3])
    delivery.add_edition()
    for reader in READERS[:2]:
        delivery.relay.script(Phase.RECIPIENT, "451 4.3.0 later", recipient=reader)
    monotonic = StillClock(NOW)

    async def sleep(seconds: float) -> None:
        monotonic.advance(timedelta(seconds=seconds))

    (report,) = delivery.send_all(sleep=sleep, monotonic=lambda: monotonic().timestamp())
    assert (report.sent, report.deferred) == (1, 2)
    assert delivery.clock() == NOW


def test_a_domain_that_does_not_answer_does_not_hold_up_the_others(delivery: DeliveryFixture) -> None:
    delivery.connections = 4
    slow = [f"reader{n}@slow.example" for n in range(12)]
    quick = [f"reader{n}@quick.example" for n in range(12)]
    delivery.subscribe(*slow, *quick)
    delivery.add_edition()
    others_finished = asyncio.Event()

    async def wait_for_others(conversation: Any) -> str:
        await others_finished.wait()
        return "250 2.1.5 ok"

    async def count_messages(conversation: Any) -> str:
        if sum(recipient.endswith("@quick.example") for recipient in delivery.recipients()) >= 11:
            others_finished.set()
        return "250 2.0.0 accepted"

    for address in slow:
        delivery.relay.script(Phase.RECIPIENT, wait_for_others, recipient=address)
    for address in quick:
        delivery.relay.script(Phase.END_OF_DATA, count_messages, recipient=address)
    assert delivery.send().sent == 24
    assert all(recipient.endswith("@quick.example") for recipient in delivery.recipients()[:11])


def test_a_domain_that_defers_everybody_is_tried_on_fewer_lines_and_all_come_to_an_end(
    delivery: DeliveryFixture,
) -> None:
    delivery.connections = 8
    slow = [f"reader{n}@slow.example" for n in range(30)]
    delivery.subscribe(*slow, *READERS)
    delivery.add_edition()
    for address in slow:
        delivery.relay.script(Phase.RECIPIENT, "451 4.7.1 slow down", recipient=address)
    report = delivery.send()
    assert (report.sent, report.deferred) == (40, 30)
    states = delivery.states()
    assert all(states[address] is DeliveryState.DEFERRED for address in slow)


def test_a_warm_up_lets_a_few_out_a_day_and_twice_as_many_the_next_whoever_sends(
    delivery: DeliveryFixture,
) -> None:
    delivery.connections, delivery.warm_up = 4, NOW.date()
    delivery.subscribe(*(f"reader{n}@domain{n % 7}.example" for n in range(700)))
    delivery.add_edition()
    first = delivery.send()
    assert (first.sent, first.queued, first.state) == (200, 500, EditionState.SENDING)
    assert first.next_at == datetime(2023, 6, 13, tzinfo=UTC)
    assert "continues at 2023-06-13 00:00:00 UTC" in first.note
    assert delivery.send().sent == 200  # another start, on the same day
    delivery.clock.advance(timedelta(days=1))
    assert delivery.send().sent == 600
    delivery.clock.advance(timedelta(days=1))
    assert delivery.send().state is EditionState.DONE
    assert len(delivery.recipients()) == 700


def test_a_warm_up_counts_what_other_editions_sent_that_day(delivery: DeliveryFixture) -> None:
    delivery.warm_up = NOW.date()
    delivery.subscribe(*(f"reader{n}@example.net" for n in range(150)))
    delivery.add_edition(NOW - timedelta(days=7))
    delivery.add_edition()
    assert [report.sent for report in delivery.send_all()] == [150, 50]


def test_a_warm_up_that_is_over_limits_nothing(delivery: DeliveryFixture) -> None:
    delivery.warm_up = NOW.date() - timedelta(days=14)
    delivery.subscribe(*(f"reader{n}@example.net" for n in range(300)))
    delivery.add_edition()
    assert delivery.send().sent == 300
