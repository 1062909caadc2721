"""Sending no faster than it is borne, and round domains that are slow."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ketapress.model.delivery import DeliveryState, Phase
from ketapress.model.edition import EditionState
from ketapress.testing import StillClock
from support.delivery_fixture import Press, new_press
from support.factories import NOW

press = new_press
READERS = [f"reader{n}@example.net" for n in range(40)]


@pytest.mark.parametrize("connections", [1, 8])
def test_a_rate_is_kept_over_all_connections(press: Press, connections: int) -> None:
    press.connections, press.rate = connections, 4
    press.subscribe(*READERS)
    press.edition()
    assert press.send().sent == 40
    assert timedelta(seconds=9) < press.clock() - NOW < timedelta(seconds=11)


def test_a_relay_that_asks_for_a_slower_pace_gets_it_and_everybody_their_message(press: Press) -> None:
    press.subscribe(*READERS)
    press.edition()
    press.relay.script(Phase.DATA, "454 4.7.0 throttled", on=11)
    press.relay.script(Phase.DATA, "454 4.7.0 throttled", on=12)
    report = press.send()
    assert (report.state, report.sent) == (EditionState.DONE, 40)
    assert {line.attempts for line in press.lines().values()} == {1}
    assert press.clock() - NOW > timedelta(seconds=5)


def test_a_stop_is_heard_while_a_rate_is_kept(press: Press) -> None:
    press.rate = 0.01
    press.subscribe(*READERS)
    press.edition()
    press.stop = lambda: press.clock() > NOW + timedelta(seconds=150)
    report = press.send()
    assert report.sent == 2
    assert press.clock() - NOW < timedelta(seconds=160)


def test_a_clock_that_stands_still_keeps_nobody_waiting(press: Press) -> None:
    """`send --at` has one: a domain that deferred a message is given time all the same."""
    press.subscribe(*READERS[:3])
    press.edition()
    for reader in READERS[:2]:
        press.relay.script(Phase.RECIPIENT, "451 4.3.0 later", recipient=reader)
    instant = StillClock(NOW)

    async def pause(seconds: float) -> None:
        instant.advance(timedelta(seconds=seconds))

    (report,) = press.send_all(pause=pause, instant=lambda: instant().timestamp())
    assert (report.sent, report.deferred) == (1, 2)
    assert press.clock() == NOW


def test_a_domain_that_does_not_answer_does_not_hold_up_the_others(press: Press) -> None:
    press.connections = 4
    slow = [f"reader{n}@slow.example" for n in range(12)]
    quick = [f"reader{n}@quick.example" for n in range(12)]
    press.subscribe(*slow, *quick)
    press.edition()
    opened = asyncio.Event()

    async def until_the_others_are_done(talk: Any) -> str:
        await opened.wait()
        return "250 2.1.5 ok"

    async def as_usual(talk: Any) -> str:
        if sum(each.endswith("@quick.example") for each in press.sent_to()) >= 11:
            opened.set()
        return "250 2.0.0 taken"

    for each in slow:
        press.relay.script(Phase.RECIPIENT, until_the_others_are_done, recipient=each)
    for each in quick:
        press.relay.script(Phase.END_OF_DATA, as_usual, recipient=each)
    assert press.send().sent == 24
    assert all(each.endswith("@quick.example") for each in press.sent_to()[:11])


def test_a_domain_that_defers_everybody_is_tried_on_fewer_lines_and_all_come_to_an_end(press: Press) -> None:
    press.connections = 8
    slow = [f"reader{n}@slow.example" for n in range(30)]
    press.subscribe(*slow, *READERS)
    press.edition()
    for each in slow:
        press.relay.script(Phase.RECIPIENT, "451 4.7.1 slow down", recipient=each)
    report = press.send()
    assert (report.sent, report.deferred) == (40, 30)
    states = press.states()
    assert all(states[each] is DeliveryState.DEFERRED for each in slow)


def test_a_warm_up_lets_a_few_out_a_day_and_twice_as_many_the_next_whoever_sends(press: Press) -> None:
    press.connections, press.warm_up = 4, NOW.date()
    press.subscribe(*(f"reader{n}@domain{n % 7}.example" for n in range(700)))
    press.edition()
    first = press.send()
    assert (first.sent, first.queued, first.state) == (200, 500, EditionState.SENDING)
    assert first.next_at == datetime(2023, 6, 13, tzinfo=UTC)
    assert "goes on at 2023-06-13 00:00:00 UTC" in first.note
    assert press.send().sent == 200  # another start, on the same day
    press.clock.advance(timedelta(days=1))
    assert press.send().sent == 600
    press.clock.advance(timedelta(days=1))
    assert press.send().state is EditionState.DONE
    assert len(press.sent_to()) == 700


def test_a_warm_up_counts_what_other_editions_sent_that_day(press: Press) -> None:
    press.warm_up = NOW.date()
    press.subscribe(*(f"reader{n}@example.net" for n in range(150)))
    press.edition(NOW - timedelta(days=7))
    press.edition()
    assert [each.sent for each in press.send_all()] == [150, 50]


def test_a_warm_up_that_is_over_limits_nothing(press: Press) -> None:
    press.warm_up = NOW.date() - timedelta(days=14)
    press.subscribe(*(f"reader{n}@example.net" for n in range(300)))
    press.edition()
    assert press.send().sent == 300
