"""One transaction for all connections."""

import asyncio
import threading
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import pytest

from ketapress.deliver.group_commit import GroupCommitter
from ketapress.model.delivery import DeliveryResult, DeliveryState
from ketapress.store.deliveries import Deliveries
from support.delivery_fixture import DeliveryFixture, new_delivery
from support.factories import NOW

delivery = new_delivery


class RecordingDeliveries(Deliveries):
    """A store that records each commit: results, intents, and their Date."""

    def __init__(self, delivery: DeliveryFixture) -> None:
        super().__init__(delivery.store.deliveries._transactions)
        self.renewals = threading.Semaphore(0)
        self.commits: list[tuple[set[int], set[int], datetime]] = []

    def renew_lease(self) -> None:
        self.renewals.release()
        super().renew_lease()

    def commit(
        self, edition_id: int, *, results: Sequence[DeliveryResult], intents: Collection[int], now: datetime
    ) -> frozenset[int]:
        self.commits.append(({result.subscription_id for result in results}, set(intents), now))
        return super().commit(edition_id, results=results, intents=intents, now=now)


def sent_result(subscription_id: int) -> DeliveryResult:
    return DeliveryResult(subscription_id=subscription_id, state=DeliveryState.SENT, reply="250 ok")


def ignore_counts(_counts: Mapping[DeliveryState, int]) -> None:
    pass


@pytest.fixture
def deliveries(delivery: DeliveryFixture) -> RecordingDeliveries:
    """Forty deliveries of edition 1, frozen."""
    delivery.subscribe(*(f"reader{n}@example.net" for n in range(40)))
    edition_id = delivery.add_edition()
    assert edition_id == 1
    delivery.store.deliveries.freeze(edition_id, "weekly", NOW)
    return RecordingDeliveries(delivery)


def test_those_who_wait_together_are_committed_together(
    delivery: DeliveryFixture, deliveries: RecordingDeliveries
) -> None:
    async def run() -> None:
        async with GroupCommitter(deliveries, 1, "test", delivery.clock, ignore_counts) as committer:
            recipients = await committer.claim(32)
            permissions = await asyncio.gather(
                *(committer.may_send(recipient.subscription_id, NOW) for recipient in recipients)
            )
            assert all(permissions)
            for recipient in recipients:
                committer.record_result(sent_result(recipient.subscription_id))

    asyncio.run(run())
    assert [(len(results), len(intents)) for results, intents, _ in deliveries.commits] == [(0, 32), (32, 0)]
    assert sum(state is DeliveryState.SENT for state in delivery.states().values()) == 32


def test_leave_is_given_only_when_every_earlier_result_is_written(
    delivery: DeliveryFixture, deliveries: RecordingDeliveries
) -> None:
    async def run() -> None:
        async with GroupCommitter(deliveries, 1, "test", delivery.clock, ignore_counts) as committer:
            first, second = await committer.claim(2)
            assert await committer.may_send(first.subscription_id, NOW)
            committer.record_result(sent_result(first.subscription_id))
            assert await committer.may_send(second.subscription_id, NOW)
            assert [state for state in delivery.states().values() if state is DeliveryState.SENT]
            committer.record_result(sent_result(second.subscription_id))

    asyncio.run(run())
    assert deliveries.commits[1][:2] == ({1}, {2})


def test_messages_of_one_transaction_share_their_date(
    delivery: DeliveryFixture, deliveries: RecordingDeliveries
) -> None:
    async def run() -> None:
        async with GroupCommitter(deliveries, 1, "test", delivery.clock, ignore_counts) as committer:
            recipients = await committer.claim(10)
            dates = [NOW, NOW + timedelta(seconds=1)]
            requests = (
                committer.may_send(recipient.subscription_id, dates[n % 2])
                for n, recipient in enumerate(recipients)
            )
            assert all(await asyncio.gather(*requests))
            for recipient in recipients:
                committer.record_result(sent_result(recipient.subscription_id))

    asyncio.run(run())
    assert [(len(intents), now) for _, intents, now in deliveries.commits if intents] == [
        (5, NOW),
        (5, NOW + timedelta(seconds=1)),
    ]


def test_a_subscriber_who_left_gets_no_leave_and_the_others_do(
    delivery: DeliveryFixture, deliveries: RecordingDeliveries
) -> None:
    async def run() -> list[bool]:
        async with GroupCommitter(deliveries, 1, "test", delivery.clock, ignore_counts) as committer:
            recipients = await committer.claim(3)
            delivery.store.subscribers.unsubscribe(recipients[1].subscription_id, NOW)
            permissions = await asyncio.gather(
                *(committer.may_send(recipient.subscription_id, NOW) for recipient in recipients)
            )
            for recipient, permission in zip(recipients, permissions, strict=True):
                if permission:
                    committer.record_result(sent_result(recipient.subscription_id))
            return permissions

    assert asyncio.run(run()) == [True, False, True]


def test_what_was_claimed_and_not_sent_is_handed_back(
    delivery: DeliveryFixture, deliveries: RecordingDeliveries
) -> None:
    async def run() -> None:
        async with GroupCommitter(deliveries, 1, "test", delivery.clock, ignore_counts) as committer:
            assert len(await committer.claim(40)) == 40

    asyncio.run(run())
    assert set(delivery.states().values()) == {DeliveryState.QUEUED}


def test_the_lease_is_renewed_while_nothing_is_committed(
    delivery: DeliveryFixture, deliveries: RecordingDeliveries
) -> None:
    async def run() -> None:
        async with GroupCommitter(
            deliveries, 1, "test", delivery.clock, ignore_counts, renewal_seconds=0.001
        ) as committer:
            await committer.claim(1)
            assert await asyncio.to_thread(deliveries.renewals.acquire, timeout=30)
            assert await asyncio.to_thread(deliveries.renewals.acquire, timeout=30)

    asyncio.run(run())
    assert deliveries.commits == []
