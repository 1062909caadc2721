"""Many connections, one transaction a turn."""

import asyncio
import threading
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import pytest

from ketapress.deliver.group_commit import Turns
from ketapress.model.delivery import DeliveryResult, DeliveryState
from ketapress.store.deliveries import Deliveries
from support.delivery_fixture import Press, new_press
from support.factories import NOW

press = new_press


class Watched(Deliveries):
    """A ledger that notes each commit: the results, the intents, and their Date."""

    def __init__(self, press: Press) -> None:
        super().__init__(press.store.deliveries._transactions)
        self.beats = threading.Semaphore(0)
        self.commits: list[tuple[set[int], set[int], datetime]] = []

    def renew_lease(self) -> None:
        self.beats.release()
        super().renew_lease()

    def commit(
        self, edition_id: int, *, results: Sequence[DeliveryResult], intents: Collection[int], now: datetime
    ) -> frozenset[int]:
        self.commits.append(({each.subscription_id for each in results}, set(intents), now))
        return super().commit(edition_id, results=results, intents=intents, now=now)


def sent(subscription_id: int) -> DeliveryResult:
    return DeliveryResult(subscription_id=subscription_id, state=DeliveryState.SENT, reply="250 ok")


def ignore(_done: Mapping[DeliveryState, int]) -> None:
    pass


@pytest.fixture
def watched(press: Press) -> Watched:
    """Forty deliveries of edition 1, frozen."""
    press.subscribe(*(f"reader{n}@example.net" for n in range(40)))
    edition = press.edition()
    assert edition == 1
    press.store.deliveries.freeze(edition, "weekly", NOW)
    return Watched(press)


def test_those_who_wait_together_are_committed_together(press: Press, watched: Watched) -> None:
    async def scene() -> None:
        async with Turns(watched, 1, "test", press.clock, ignore) as turns:
            claimed = await turns.claimed(32)
            leaves = await asyncio.gather(*(turns.leave(each.subscription_id, NOW) for each in claimed))
            assert all(leaves)
            for each in claimed:
                turns.settle(sent(each.subscription_id))

    asyncio.run(scene())
    assert [(len(results), len(intents)) for results, intents, _ in watched.commits] == [(0, 32), (32, 0)]
    assert sum(state is DeliveryState.SENT for state in press.states().values()) == 32


def test_leave_is_given_only_when_every_earlier_result_is_written(press: Press, watched: Watched) -> None:
    async def scene() -> None:
        async with Turns(watched, 1, "test", press.clock, ignore) as turns:
            first, second = await turns.claimed(2)
            assert await turns.leave(first.subscription_id, NOW)
            turns.settle(sent(first.subscription_id))
            assert await turns.leave(second.subscription_id, NOW)
            assert [state for state in press.states().values() if state is DeliveryState.SENT]
            turns.settle(sent(second.subscription_id))

    asyncio.run(scene())
    assert watched.commits[1][:2] == ({1}, {2})


def test_messages_of_one_transaction_share_their_date(press: Press, watched: Watched) -> None:
    async def scene() -> None:
        async with Turns(watched, 1, "test", press.clock, ignore) as turns:
            claimed = await turns.claimed(10)
            dates = [NOW, NOW + timedelta(seconds=1)]
            asked = (turns.leave(each.subscription_id, dates[n % 2]) for n, each in enumerate(claimed))
            assert all(await asyncio.gather(*asked))
            for each in claimed:
                turns.settle(sent(each.subscription_id))

    asyncio.run(scene())
    assert [(len(intents), now) for _, intents, now in watched.commits if intents] == [
        (5, NOW),
        (5, NOW + timedelta(seconds=1)),
    ]


def test_a_subscriber_who_left_gets_no_leave_and_the_others_do(press: Press, watched: Watched) -> None:
    async def scene() -> list[bool]:
        async with Turns(watched, 1, "test", press.clock, ignore) as turns:
            claimed = await turns.claimed(3)
            press.store.subscribers.unsubscribe(claimed[1].subscription_id, NOW)
            leaves = await asyncio.gather(*(turns.leave(each.subscription_id, NOW) for each in claimed))
            for each, leave in zip(claimed, leaves, strict=True):
                if leave:
                    turns.settle(sent(each.subscription_id))
            return leaves

    assert asyncio.run(scene()) == [True, False, True]


def test_what_was_claimed_and_not_sent_is_handed_back(press: Press, watched: Watched) -> None:
    async def scene() -> None:
        async with Turns(watched, 1, "test", press.clock, ignore) as turns:
            assert len(await turns.claimed(40)) == 40

    asyncio.run(scene())
    assert set(press.states().values()) == {DeliveryState.QUEUED}


def test_the_lease_is_renewed_while_nothing_is_committed(press: Press, watched: Watched) -> None:
    async def scene() -> None:
        async with Turns(watched, 1, "test", press.clock, ignore, heartbeat=0.001) as turns:
            await turns.claimed(1)
            assert await asyncio.to_thread(watched.beats.acquire, timeout=30)
            assert await asyncio.to_thread(watched.beats.acquire, timeout=30)

    asyncio.run(scene())
    assert watched.commits == []
