"""Which of the claimed deliveries is sent next."""

from collections import Counter

import pytest
from hypothesis import given, settings as limits, strategies as st

from ketapress.deliver.domain_queue import DomainQueue
from ketapress.model.delivery import Fault, Phase, Recipient, Reply, Verdict
from ketapress.relay.rate_limit import RelayLimits

ACCEPTED = Verdict(Fault.NONE, Reply(250, "ok"), Phase.END_OF_DATA)
BUSY = Verdict(Fault.RECIPIENT_DEFERRED, Reply(451, "slow down", "4.7.1"), Phase.RECIPIENT)
FULL = Verdict(Fault.RECIPIENT_DEFERRED, Reply(452, "mailbox full", "4.2.2"), Phase.RECIPIENT)
CONNECTION_LOST = Verdict(Fault.RECIPIENT_DEFERRED, Reply(0, "the connection was lost"), Phase.RECIPIENT)
NOW = 1000.0


def readers(domain: str, count: int, first: int = 0) -> list[Recipient]:
    return [Recipient(subscription_id=first + n, address=f"reader{first + n}@{domain}") for n in range(count)]


def new_queue(connections: int, *groups: list[Recipient]) -> DomainQueue:
    queue = DomainQueue(RelayLimits(None, connections))
    for group in groups:
        queue.extend(group, NOW)
    return queue


def pop_domain(queue: DomainQueue, now: float = NOW) -> str:
    recipient = queue.pop(now)
    return recipient.address.rpartition("@")[2] if recipient else ""


def test_the_domain_with_the_fewest_lines_comes_next() -> None:
    queue = new_queue(8, readers("slow.example", 9), readers("quick.example", 9, 100))
    assert Counter(pop_domain(queue) for _ in range(6)) == {"slow.example": 3, "quick.example": 3}


def test_one_who_was_drawn_and_not_tried_is_the_first_again() -> None:
    queue = new_queue(8, readers("slow.example", 3))
    first = queue.pop(NOW)
    assert first
    queue.requeue(first, NOW)
    assert len(queue) == 3
    assert queue.pop(NOW) == first


def test_others_are_looked_for_when_one_domain_would_take_more_than_half_the_lines() -> None:
    queue = new_queue(8, readers("slow.example", 20))
    before = queue.needs_more_domains
    for _ in range(4):
        queue.pop(NOW)
    assert (before, queue.needs_more_domains) == (False, True)
    assert new_queue(8).needs_more_domains


def test_a_domain_that_defers_has_to_wait_while_others_go_on() -> None:
    queue = new_queue(8, readers("slow.example", 9), readers("quick.example", 9, 100))
    slow = next(recipient for recipient in iter(lambda: queue.pop(NOW), None) if "slow" in recipient.address)
    queue.finish(slow, BUSY, NOW)
    assert {pop_domain(queue) for _ in range(5)} == {"quick.example"}
    delay = queue.delay(NOW)
    assert delay is not None
    assert 0 < delay <= 1
    assert pop_domain(queue, NOW + delay) == "slow.example"


@pytest.mark.parametrize("verdict", [FULL, CONNECTION_LOST], ids=["a full mailbox", "a lost connection"])
def test_what_is_not_the_domains_matter_does_not_slow_it_down(verdict: Verdict) -> None:
    queue = new_queue(4, readers("one.example", 9))
    recipient = queue.pop(NOW)
    assert recipient
    queue.finish(recipient, verdict, NOW)
    assert [pop_domain(queue) for _ in range(4)] == ["one.example"] * 4
    assert queue.delay(NOW) is None


verdicts = st.sampled_from([ACCEPTED, ACCEPTED, ACCEPTED, BUSY, FULL, CONNECTION_LOST, None])


@limits(max_examples=100, deadline=None)
@given(st.integers(1, 12), st.lists(st.integers(1, 12), min_size=1, max_size=5), st.data())
def test_everybody_is_drawn_once_and_no_domain_takes_more_lines_than_there_are(
    connections: int, sizes: list[int], data: st.DataObject
) -> None:
    groups = [readers(f"d{n}.example", size, 100 * n) for n, size in enumerate(sizes)]
    queue, now = new_queue(connections, *groups), NOW
    open_messages: list[Recipient] = []
    popped_ids: list[int] = []
    for _ in range(10_000):
        recipient = queue.pop(now) if len(open_messages) < connections else None
        if recipient:
            open_messages.append(recipient)
            popped_ids.append(recipient.subscription_id)
        elif open_messages:
            queue.finish(open_messages.pop(), data.draw(verdicts), now)
        elif queue:
            delay = queue.delay(now)
            assert delay is not None, "no message is being sent, and none may be sent"
            now += delay
        else:
            break
    assert sorted(popped_ids) == sorted(recipient.subscription_id for group in groups for recipient in group)
    assert not queue._limits._domain_limits or not all(
        limit.is_unrestricted for limit in queue._limits._domain_limits.values()
    )
