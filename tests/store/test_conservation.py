"""In any order of events no delivery is lost, and no message is permitted twice unless it is in doubt."""

import os
from collections.abc import Callable
from datetime import timedelta
from itertools import count

from hypothesis import settings as hypothesis_settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from ketapress.model.delivery import FINAL_STATES, DeliveryResult, DeliveryState
from ketapress.model.edition import EditionState
from ketapress.store.store import Store
from support.factories import NOW
from support.store_fixture import create_edition, expire_leases, subscribe

SOAK = bool(os.environ.get("KETAPRESS_SOAK"))
SUBSCRIBER_COUNT = 8
PAUSES = st.sampled_from([timedelta(0), timedelta(minutes=5), timedelta(hours=1)])
OUTCOMES = st.sampled_from(
    [
        DeliveryState.SENT,
        DeliveryState.SENT,
        DeliveryState.FAILED,
        DeliveryState.DEFERRED,
        DeliveryState.IN_DOUBT,
    ]
)
batch_sizes = st.integers(1, 4)


class Sender(RuleBasedStateMachine):
    """A sender and its claims. `permitted_ids` and `unsubscribed_ids` are what an outside observer knows."""

    open_another: Callable[[], Store]
    run_numbers = count()

    def __init__(self) -> None:
        super().__init__()
        self.newsletter = f"run{next(self.run_numbers)}"
        self.addresses = [f"{self.newsletter}-{number}@example.org" for number in range(SUBSCRIBER_COUNT)]
        self.store = self.open_another()
        subscribe(self.store, self.addresses, self.newsletter)
        self.edition = create_edition(self.store, newsletter=self.newsletter)
        self.store.deliveries.freeze(self.edition, self.newsletter, NOW, chunk_size=3)
        self.now = NOW
        self.claimed_ids: list[int] = []
        self.sending_ids: list[int] = []
        self.permitted_ids: set[int] = set()  # permitted to be sent, and not returned by a result or a kill
        self.unsubscribed_ids: set[int] = set()

    def teardown(self) -> None:
        self.store.close()

    @rule(limit=batch_sizes)
    def claim(self, limit: int) -> None:
        recipients = self.store.deliveries.claim(self.edition, limit, "worker", self.now)
        assert not {recipient.subscription_id for recipient in recipients} & (
            self.unsubscribed_ids | self.permitted_ids
        )
        self.claimed_ids += [recipient.subscription_id for recipient in recipients]

    @rule(intent_count=batch_sizes, result_count=batch_sizes, outcome=OUTCOMES, pause=PAUSES)
    def commit(self, intent_count: int, result_count: int, outcome: DeliveryState, pause: timedelta) -> None:
        result_ids, self.sending_ids = self.sending_ids[:result_count], self.sending_ids[result_count:]
        intent_ids, self.claimed_ids = self.claimed_ids[:intent_count], self.claimed_ids[intent_count:]
        allowed_ids = self.store.deliveries.commit(
            self.edition,
            results=[
                DeliveryResult(subscription_id=subscription_id, state=outcome, next_at=self.now + pause)
                for subscription_id in result_ids
            ],
            intents=intent_ids,
            now=self.now,
        )
        assert allowed_ids <= set(intent_ids)
        assert not allowed_ids & (self.permitted_ids | self.unsubscribed_ids)
        if outcome not in FINAL_STATES:
            self.permitted_ids -= set(result_ids)
        self.permitted_ids |= allowed_ids
        self.sending_ids += allowed_ids

    @rule()
    def release(self) -> None:
        self.store.deliveries.release_claims(self.edition, "worker", self.now)
        self.claimed_ids = []

    @rule(policy=st.sampled_from(["resend", "hold"]))
    def kill(self, policy: str) -> None:
        """Kill the process, and let the next one recover its deliveries."""
        self.store.close()
        self.store = self.open_another()
        expire_leases(self.store)
        self.store.deliveries.recover(policy, self.now)
        self.permitted_ids -= set(self.sending_ids)
        self.claimed_ids, self.sending_ids = [], []

    @rule(number=st.integers(0, SUBSCRIBER_COUNT - 1), erase=st.booleans())
    def unsubscribe_or_erase(self, number: int, erase: bool) -> None:
        subscriber = self.store.subscribers.find(self.addresses[number])
        if subscriber:
            self.unsubscribed_ids.add(subscriber.subscriptions[0].id)
            if erase:
                self.store.subscribers.erase(subscriber.address, "somebody", self.now)
            else:
                self.store.subscribers.unsubscribe(subscriber.subscriptions[0].id, self.now)

    @rule(pause=PAUSES)
    def advance_clock(self, pause: timedelta) -> None:
        self.now += pause

    @rule()
    def hold(self) -> None:
        self.store.editions.transition(self.edition, [EditionState.SENDING], EditionState.HELD, now=self.now)

    @rule()
    def resume(self) -> None:
        if self.store.editions.transition(
            self.edition, [EditionState.HELD], EditionState.READY, now=self.now
        ):
            self.store.deliveries.freeze(self.edition, self.newsletter, self.now)

    @rule(chance=st.integers(0, 5))
    def cancel(self, chance: int) -> None:
        if chance == 0:
            self.store.editions.cancel(self.edition, self.now, "a mistake")

    @invariant()
    def deliveries_are_conserved(self) -> None:
        assert self.store.deliveries.counts_match(self.edition)
        counts = self.store.deliveries.counts(self.edition)
        assert sum(counts.values()) <= SUBSCRIBER_COUNT
        assert counts[DeliveryState.SENDING] == len(self.sending_ids)
        assert counts[DeliveryState.CLAIMED] >= len(self.claimed_ids) - len(self.unsubscribed_ids)

    @invariant()
    def what_is_due_is_what_waits(self) -> None:
        counts = self.store.deliveries.counts(self.edition)
        if counts[DeliveryState.QUEUED] + counts[DeliveryState.DEFERRED]:
            assert self.store.deliveries.next_attempt_at(self.edition) is not None


def test_deliveries_are_conserved_and_nobody_is_sent_to_twice(open_another: Callable[[], Store]) -> None:
    open_another()  # create the schema once for all runs
    machine = type("DatabaseSender", (Sender,), {"open_another": staticmethod(open_another)})
    run_state_machine_as_test(
        machine,
        settings=hypothesis_settings(max_examples=100 if SOAK else 8, stateful_step_count=20, deadline=None),
    )
