"""Who comes next, of those in hand."""

from collections import Counter

import pytest
from hypothesis import given, settings as limits, strategies as st

from ketapress.deliver.domain_queue import Hand
from ketapress.model.delivery import Fault, Phase, Recipient, Reply, Verdict
from ketapress.relay.rate_limit import Pace

TAKEN = Verdict(Fault.NONE, Reply(250, "ok"), Phase.END_OF_DATA)
BUSY = Verdict(Fault.RECIPIENT_DEFERRED, Reply(451, "slow down", "4.7.1"), Phase.RECIPIENT)
FULL = Verdict(Fault.RECIPIENT_DEFERRED, Reply(452, "mailbox full", "4.2.2"), Phase.RECIPIENT)
LOST = Verdict(Fault.RECIPIENT_DEFERRED, Reply(0, "the line was lost"), Phase.RECIPIENT)
NOW = 1000.0


def readers(domain: str, count: int, first: int = 0) -> list[Recipient]:
    return [Recipient(subscription_id=first + n, address=f"reader{first + n}@{domain}") for n in range(count)]


def hand(lines: int, *rows: list[Recipient]) -> Hand:
    found = Hand(Pace(None, lines))
    for row in rows:
        found.take_up(row, NOW)
    return found


def drawn(held: Hand, now: float = NOW) -> str:
    recipient = held.draw(now)
    return recipient.address.rpartition("@")[2] if recipient else ""


def test_the_domain_with_the_fewest_lines_comes_next() -> None:
    held = hand(8, readers("slow.example", 9), readers("quick.example", 9, 100))
    assert Counter(drawn(held) for _ in range(6)) == {"slow.example": 3, "quick.example": 3}


def test_one_who_was_drawn_and_not_tried_is_the_first_again() -> None:
    held = hand(8, readers("slow.example", 3))
    first = held.draw(NOW)
    assert first
    held.put_back(first, NOW)
    assert len(held) == 3
    assert held.draw(NOW) == first


def test_others_are_looked_for_when_one_domain_would_take_more_than_half_the_lines() -> None:
    held = hand(8, readers("slow.example", 20))
    before = held.crowded
    for _ in range(4):
        held.draw(NOW)
    assert (before, held.crowded) == (False, True)
    assert hand(8).crowded


def test_a_domain_that_defers_has_to_wait_while_others_go_on() -> None:
    held = hand(8, readers("slow.example", 9), readers("quick.example", 9, 100))
    slow = next(each for each in iter(lambda: held.draw(NOW), None) if "slow" in each.address)
    held.done(slow, BUSY, NOW)
    assert {drawn(held) for _ in range(5)} == {"quick.example"}
    pause = held.pause(NOW)
    assert pause is not None
    assert 0 < pause <= 1
    assert drawn(held, NOW + pause) == "slow.example"


@pytest.mark.parametrize("found", [FULL, LOST], ids=["a full mailbox", "a lost line"])
def test_what_is_not_the_domains_matter_does_not_slow_it_down(found: Verdict) -> None:
    held = hand(4, readers("one.example", 9))
    recipient = held.draw(NOW)
    assert recipient
    held.done(recipient, found, NOW)
    assert [drawn(held) for _ in range(4)] == ["one.example"] * 4
    assert held.pause(NOW) is None


verdicts = st.sampled_from([TAKEN, TAKEN, TAKEN, BUSY, FULL, LOST, None])


@limits(max_examples=100, deadline=None)
@given(st.integers(1, 12), st.lists(st.integers(1, 12), min_size=1, max_size=5), st.data())
def test_everybody_is_drawn_once_and_no_domain_takes_more_lines_than_there_are(
    lines: int, sizes: list[int], data: st.DataObject
) -> None:
    rows = [readers(f"d{n}.example", size, 100 * n) for n, size in enumerate(sizes)]
    held, now = hand(lines, *rows), NOW
    open_lines: list[Recipient] = []
    seen: list[int] = []
    for _ in range(10_000):
        recipient = held.draw(now) if len(open_lines) < lines else None
        if recipient:
            open_lines.append(recipient)
            seen.append(recipient.subscription_id)
        elif open_lines:
            held.done(open_lines.pop(), data.draw(verdicts), now)
        elif held:
            pause = held.pause(now)
            assert pause is not None, "nobody is on a line, and still nobody may go on"
            now += pause
        else:
            break
    assert sorted(seen) == sorted(each.subscription_id for row in rows for each in row)
    assert not held._pace._lanes or not all(lane.well for lane in held._pace._lanes.values())
