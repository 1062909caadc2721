"""Whatever happens in whatever order: deliveries are conserved, and no message is let out twice without a doubt."""

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

PEOPLE = 8
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
some = st.integers(1, 4)


class Sender(RuleBasedStateMachine):
    """A sender and what it remembers; what the outside world saw is `let_out`, `wanted` and `certain`."""

    opened: Callable[[], Store]
    runs = count()

    def __init__(self) -> None:
        super().__init__()
        self.newsletter = f"run{next(self.runs)}"
        self.addresses = [f"{self.newsletter}-{number}@example.org" for number in range(PEOPLE)]
        self.store = self.opened()
        subscribe(self.store, self.addresses, self.newsletter)
        self.edition = create_edition(self.store, newsletter=self.newsletter)
        self.store.deliveries.freeze(self.edition, self.newsletter, NOW, chunk_size=3)
        self.now = NOW
        self.claims: list[int] = []
        self.at_the_dot: list[int] = []
        self.certain: set[int] = set()  # whoever was let out and not handed back by a result or a kill
        self.gone: set[int] = set()

    def teardown(self) -> None:
        self.store.close()

    @rule(limit=some)
    def claim(self, limit: int) -> None:
        claim = self.store.deliveries.claim(self.edition, limit, "worker", self.now)
        assert not {each.subscription_id for each in claim} & (self.gone | self.certain)
        self.claims += [each.subscription_id for each in claim]

    @rule(intents=some, results=some, outcome=OUTCOMES, pause=PAUSES)
    def commit(self, intents: int, results: int, outcome: DeliveryState, pause: timedelta) -> None:
        done, self.at_the_dot = self.at_the_dot[:results], self.at_the_dot[results:]
        asked, self.claims = self.claims[:intents], self.claims[intents:]
        let_out = self.store.deliveries.commit(
            self.edition,
            results=[
                DeliveryResult(subscription_id=each, state=outcome, next_at=self.now + pause) for each in done
            ],
            intents=asked,
            now=self.now,
        )
        assert let_out <= set(asked)
        assert not let_out & (self.certain | self.gone)
        if outcome not in FINAL_STATES:
            self.certain -= set(done)
        self.certain |= let_out
        self.at_the_dot += let_out

    @rule()
    def release(self) -> None:
        self.store.deliveries.release_claims(self.edition, "worker", self.now)
        self.claims = []

    @rule(policy=st.sampled_from(["resend", "hold"]))
    def kill(self, policy: str) -> None:
        """The process dies with all that it remembered; the next one takes over."""
        self.store.close()
        self.store = self.opened()
        expire_leases(self.store)
        self.store.deliveries.recover(policy, self.now)
        self.certain -= set(self.at_the_dot)
        self.claims, self.at_the_dot = [], []

    @rule(number=st.integers(0, PEOPLE - 1), erased=st.booleans())
    def somebody_goes(self, number: int, erased: bool) -> None:
        person = self.store.subscribers.find(self.addresses[number])
        if person:
            self.gone.add(person.subscriptions[0].id)
            if erased:
                self.store.subscribers.erase(person.address, "somebody", self.now)
            else:
                self.store.subscribers.unsubscribe(person.subscriptions[0].id, self.now)

    @rule(pause=PAUSES)
    def time_passes(self, pause: timedelta) -> None:
        self.now += pause

    @rule()
    def hold(self) -> None:
        self.store.editions.transition(self.edition, [EditionState.SENDING], EditionState.HELD, now=self.now)

    @rule()
    def go_on(self) -> None:
        if self.store.editions.transition(
            self.edition, [EditionState.HELD], EditionState.READY, now=self.now
        ):
            self.store.deliveries.freeze(self.edition, self.newsletter, self.now)

    @rule(sure=st.integers(0, 5))
    def cancel(self, sure: int) -> None:
        if sure == 0:
            self.store.editions.cancel(self.edition, self.now, "a mistake")

    @invariant()
    def deliveries_are_conserved(self) -> None:
        assert self.store.deliveries.counts_match(self.edition)
        counts = self.store.deliveries.counts(self.edition)
        assert sum(counts.values()) <= PEOPLE
        assert counts[DeliveryState.SENDING] == len(self.at_the_dot)
        assert counts[DeliveryState.CLAIMED] >= len(self.claims) - len(self.gone)

    @invariant()
    def what_is_due_is_what_waits(self) -> None:
        counts = self.store.deliveries.counts(self.edition)
        if counts[DeliveryState.QUEUED] + counts[DeliveryState.DEFERRED]:
            assert self.store.deliveries.next_attempt_at(self.edition) is not None


def test_deliveries_are_conserved_and_nobody_is_sent_to_twice(opened: Callable[[], Store]) -> None:
    opened()  # sets the database up once for all runs
    machine = type("SenderHere", (Sender,), {"opened": staticmethod(opened)})
    run_state_machine_as_test(
        machine, settings=hypothesis_settings(max_examples=15, stateful_step_count=20, deadline=None)
    )
