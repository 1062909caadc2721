"""Claims, intents and results: a message may be sent only after `commit` has returned its subscription."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from ketapress.model.delivery import TRANSITIONS, DeliveryResult, DeliveryState, Recipient
from ketapress.model.edition import EditionState
from ketapress.model.subscriber import SubscriptionState
from ketapress.store.store import Store
from support.factories import NOW
from support.store_fixture import (
    claim_ids,
    create_edition,
    create_sending_edition,
    make_import_rows,
    nonzero_counts,
    record_results,
    start_sending,
    subscribe,
    subscription_states,
)

LATER = NOW + timedelta(minutes=5)
RESULTS = [state for state in DeliveryState if state not in {DeliveryState.CLAIMED, DeliveryState.SENDING}]


def test_a_claim_tells_whom_to_send_to(store: Store) -> None:
    edition_id = create_sending_edition(store, 2)
    recipient, _ = store.deliveries.claim(edition_id, 10, "worker", NOW)
    assert recipient == Recipient(
        subscription_id=recipient.subscription_id,
        address="person0@example.org",
        name="Person 0",
        attempts=0,
        message_date=None,
    )
    assert nonzero_counts(store, edition_id) == {DeliveryState.CLAIMED: 2}


def test_nobody_is_claimed_twice(open_another: Callable[[], Store], store: Store) -> None:
    edition_id = create_sending_edition(store, 5)
    claims = [
        claim_ids(store, edition_id, 2),
        claim_ids(open_another(), edition_id, 2),
        claim_ids(open_another(), edition_id, 2),
    ]
    assert [len(subscription_id) for subscription_id in claims] == [2, 2, 1]
    assert len({subscription_id for claim in claims for subscription_id in claim}) == 5
    assert claim_ids(store, edition_id) == []


def test_workers_that_claim_at_once_share_nothing(open_another: Callable[[], Store], store: Store) -> None:
    edition_id = create_sending_edition(store, 200)
    stores = [open_another() for _ in range(4)]

    def claim_all(worker: Store) -> list[int]:
        ids: list[int] = []
        while batch := claim_ids(worker, edition_id, 7):
            ids += batch
        return ids

    with ThreadPoolExecutor(len(stores)) as workers:
        all_ids = [
            subscription_id for worker_ids in workers.map(claim_all, stores) for subscription_id in worker_ids
        ]
    assert len(all_ids) == len(set(all_ids)) == 200


def test_an_edition_that_is_not_sending_gives_nobody(store: Store) -> None:
    edition_id = create_sending_edition(store, 2)
    store.editions.transition(edition_id, [EditionState.SENDING], EditionState.HELD, now=NOW)
    assert claim_ids(store, edition_id) == []


def test_a_committed_intent_may_go_out(store: Store) -> None:
    edition_id = create_sending_edition(store, 3)
    ids = claim_ids(store, edition_id, 2)
    assert store.deliveries.commit(edition_id, results=[], intents=ids[:1], now=NOW) == {ids[0]}
    assert nonzero_counts(store, edition_id) == {
        DeliveryState.QUEUED: 1,
        DeliveryState.CLAIMED: 1,
        DeliveryState.SENDING: 1,
    }


def test_an_intent_is_taken_once_and_only_from_a_claim(store: Store) -> None:
    edition_id = create_sending_edition(store, 2)
    sending_ids = start_sending(store, edition_id, 1)
    queued_id = sending_ids[0] + 1
    assert (
        store.deliveries.commit(edition_id, results=[], intents=[*sending_ids, queued_id], now=NOW)
        == frozenset()
    )
    assert nonzero_counts(store, edition_id) == {DeliveryState.QUEUED: 1, DeliveryState.SENDING: 1}


def test_results_and_intents_are_written_together(store: Store) -> None:
    edition_id = create_sending_edition(store, 2)
    first_id, second_id = claim_ids(store, edition_id)
    store.deliveries.commit(edition_id, results=[], intents=[first_id], now=NOW)
    result = DeliveryResult(subscription_id=first_id, state=DeliveryState.SENT, reply="250 2.0.0 Ok")
    assert store.deliveries.commit(edition_id, results=[result], intents=[second_id], now=NOW) == {second_id}
    assert [
        (summary.state, summary.reply, summary.attempts)
        for summary in store.deliveries.iter_deliveries(edition_id)
    ] == [
        (DeliveryState.SENT, "250 2.0.0 Ok", 1),
        (DeliveryState.SENDING, "", 0),
    ]


def test_who_left_after_the_claim_is_not_sent_to(store: Store) -> None:
    edition_id = create_sending_edition(store, 2)
    ids = claim_ids(store, edition_id)
    store.subscribers.remove("person0@example.org", None, "somebody", NOW)
    assert store.deliveries.commit(edition_id, results=[], intents=ids, now=NOW) == {ids[1]}
    assert nonzero_counts(store, edition_id) == {DeliveryState.SUPPRESSED: 1, DeliveryState.SENDING: 1}


def test_who_left_before_the_claim_is_passed_over(store: Store) -> None:
    edition_id = create_sending_edition(store, 5)
    for number in range(4):
        store.subscribers.remove(f"person{number}@example.org", None, "somebody", NOW)
    assert [recipient.address for recipient in store.deliveries.claim(edition_id, 2, "worker", NOW)] == [
        "person4@example.org"
    ]
    assert nonzero_counts(store, edition_id) == {DeliveryState.SUPPRESSED: 4, DeliveryState.CLAIMED: 1}


def test_a_held_edition_takes_its_claims_back(store: Store) -> None:
    edition_id = create_sending_edition(store, 2)
    ids = claim_ids(store, edition_id)
    store.editions.transition(edition_id, [EditionState.SENDING], EditionState.HELD, now=NOW)
    assert store.deliveries.commit(edition_id, results=[], intents=ids, now=NOW) == frozenset()
    assert nonzero_counts(store, edition_id) == {DeliveryState.QUEUED: 2}


def test_a_cancelled_edition_ends_what_was_claimed_and_what_comes_back(store: Store) -> None:
    edition_id = create_sending_edition(store, 3)
    sending_id, claimed_id, _ = claim_ids(store, edition_id)
    store.deliveries.commit(edition_id, results=[], intents=[sending_id], now=NOW)
    store.editions.cancel(edition_id, NOW, "a mistake")
    late_result = DeliveryResult(
        subscription_id=sending_id, state=DeliveryState.DEFERRED, reply="451 later", next_at=LATER
    )
    assert (
        store.deliveries.commit(edition_id, results=[late_result], intents=[claimed_id], now=NOW)
        == frozenset()
    )
    assert store.deliveries.release_claims(edition_id, "worker", NOW) == 1
    assert nonzero_counts(store, edition_id) == {DeliveryState.CANCELLED: 3}


def test_what_is_deferred_comes_back_when_its_time_has_come(store: Store) -> None:
    edition_id = create_sending_edition(store, 1)
    record_results(
        store,
        edition_id,
        start_sending(store, edition_id),
        DeliveryState.DEFERRED,
        reply="451 4.2.1 later",
        next_at=LATER,
    )
    assert store.deliveries.next_attempt_at(edition_id) == LATER
    assert claim_ids(store, edition_id, now=LATER - timedelta(seconds=1)) == []
    recipients = store.deliveries.claim(edition_id, 10, "worker", LATER)
    assert [(recipient.attempts, recipient.message_date) for recipient in recipients] == [(1, None)]
    assert store.deliveries.next_attempt_at(edition_id) is None


def test_what_is_new_goes_before_what_is_late(store: Store) -> None:
    edition_id = create_sending_edition(store, 3)
    deferred_ids = start_sending(store, edition_id, 1)
    record_results(store, edition_id, deferred_ids, DeliveryState.DEFERRED, next_at=NOW)
    assert claim_ids(store, edition_id)[-1:] == deferred_ids


def test_nothing_deferred_is_lost_for_want_of_a_time(store: Store) -> None:
    edition_id = create_sending_edition(store, 1)
    record_results(store, edition_id, start_sending(store, edition_id), DeliveryState.DEFERRED)
    assert len(claim_ids(store, edition_id)) == 1


def test_what_is_in_doubt_is_sent_again_with_the_same_date(store: Store) -> None:
    edition_id = create_sending_edition(store, 1)
    record_results(store, edition_id, start_sending(store, edition_id), DeliveryState.IN_DOUBT, next_at=LATER)
    assert nonzero_counts(store, edition_id) == {DeliveryState.IN_DOUBT: 1}
    recipients = store.deliveries.claim(edition_id, 10, "worker", LATER)
    assert [(recipient.attempts, recipient.message_date) for recipient in recipients] == [(1, NOW)]
    store.deliveries.commit(edition_id, results=[], intents=[recipients[0].subscription_id], now=LATER)
    record_results(store, edition_id, [recipients[0].subscription_id], DeliveryState.IN_DOUBT, next_at=LATER)
    assert [
        recipient.message_date for recipient in store.deliveries.claim(edition_id, 10, "worker", LATER)
    ] == [NOW]


def test_what_is_in_doubt_and_held_waits_for_a_person(store: Store) -> None:
    edition_id = create_sending_edition(store, 1)
    record_results(store, edition_id, start_sending(store, edition_id), DeliveryState.IN_DOUBT)
    assert store.deliveries.next_attempt_at(edition_id) is None
    assert claim_ids(store, edition_id, now=datetime(2100, 1, 1, tzinfo=UTC)) == []


def test_a_dead_address_is_unreachable_in_all_its_newsletters(store: Store) -> None:
    subscribe(store, make_import_rows(2), "weekly", "daily")
    edition_id = create_edition(store)
    store.deliveries.freeze(edition_id, "weekly", NOW)
    record_results(
        store,
        edition_id,
        start_sending(store, edition_id, 1),
        DeliveryState.FAILED,
        reply="550 5.1.1 unknown",
        suppress=True,
    )
    assert set(subscription_states(store, "person0@example.org").values()) == {SubscriptionState.UNREACHABLE}
    assert set(subscription_states(store, "person1@example.org").values()) == {SubscriptionState.ACTIVE}
    unreachable_events = [
        history_event
        for history_event in store.subscribers.list_history("person0@example.org")
        if history_event.kind == "unreachable"
    ]
    assert [(history_event.newsletter, history_event.origin) for history_event in unreachable_events] == [
        ("weekly", "relay"),
        ("daily", "relay"),
    ]


def test_what_was_claimed_and_not_begun_is_handed_back(store: Store) -> None:
    edition_id = create_sending_edition(store, 3)
    new_id, deferred_id, sending_id = claim_ids(store, edition_id)
    store.deliveries.commit(edition_id, results=[], intents=[deferred_id, sending_id], now=NOW)
    record_results(store, edition_id, [deferred_id], DeliveryState.DEFERRED, next_at=NOW)
    assert claim_ids(store, edition_id) == [deferred_id]
    assert store.deliveries.release_claims(edition_id, "worker", NOW) == 2
    assert nonzero_counts(store, edition_id) == {
        DeliveryState.QUEUED: 1,
        DeliveryState.DEFERRED: 1,
        DeliveryState.SENDING: 1,
    }
    assert claim_ids(store, edition_id) == [new_id, deferred_id]
    assert store.deliveries.release_claims(edition_id, "somebody else", NOW) == 0


def test_what_waits_is_given_up_and_what_is_in_doubt_is_kept_for_a_person(store: Store) -> None:
    edition_id = create_sending_edition(store, 3)
    deferred_id, doubtful_id = start_sending(store, edition_id, 2)
    record_results(store, edition_id, [deferred_id], DeliveryState.DEFERRED, next_at=LATER)
    record_results(store, edition_id, [doubtful_id], DeliveryState.IN_DOUBT, next_at=LATER)
    assert store.deliveries.end_waiting(edition_id, DeliveryState.EXPIRED, NOW) == 2
    assert nonzero_counts(store, edition_id) == {DeliveryState.EXPIRED: 2, DeliveryState.IN_DOUBT: 1}
    assert store.deliveries.next_attempt_at(edition_id) is None


def bring_to(store: Store, edition_id: int, state: DeliveryState) -> list[int]:
    """Claim the only delivery of an edition, and bring it into a state. Return its id in a list."""
    ids = claim_ids(store, edition_id)
    if state in TRANSITIONS[DeliveryState.SENDING] | {DeliveryState.SENDING}:
        store.deliveries.commit(edition_id, results=[], intents=ids, now=NOW)
    if state not in {DeliveryState.CLAIMED, DeliveryState.SENDING}:
        record_results(store, edition_id, ids, state)
    assert nonzero_counts(store, edition_id) == {state: 1}
    return ids


@pytest.mark.parametrize("source", [state for state in DeliveryState if state is not DeliveryState.QUEUED])
def test_a_result_takes_only_arrows_that_there_are_and_only_in_hand(
    store: Store, source: DeliveryState
) -> None:
    subscribe(store, make_import_rows(1))
    for day, target in enumerate(RESULTS, start=1):
        edition_id = create_edition(store, day=day, posts=[str(day)])
        store.deliveries.freeze(edition_id, "weekly", NOW)
        record_results(store, edition_id, bring_to(store, edition_id, source), target, next_at=LATER)
        is_allowed = target in TRANSITIONS[source] and source is not DeliveryState.DEFERRED
        assert nonzero_counts(store, edition_id) == {target if is_allowed else source: 1}


@pytest.mark.parametrize("state", [DeliveryState.CLAIMED, DeliveryState.SENDING])
def test_no_result_gets_around_the_look_at_consent(store: Store, state: DeliveryState) -> None:
    edition_id = create_sending_edition(store, 1)
    with pytest.raises(ValueError, match="is not a result"):
        record_results(store, edition_id, claim_ids(store, edition_id), state)


def test_counts_name_every_state(store: Store) -> None:
    edition_id = create_sending_edition(store, 2)
    assert list(store.deliveries.counts(edition_id)) == list(DeliveryState)
    assert sum(store.deliveries.counts().values()) == 2


@pytest.mark.usefixtures("allow_losses")
def test_counts_of_an_edition_that_is_done_are_remembered(store: Store) -> None:
    edition_id = create_sending_edition(store, 2)
    record_results(store, edition_id, start_sending(store, edition_id), DeliveryState.SENT)
    store.editions.transition(edition_id, [EditionState.SENDING], EditionState.DONE, now=NOW)
    with store._transactions.write() as connection:
        connection.exec_driver_sql("DELETE FROM deliveries")
    assert store.deliveries.counts(edition_id)[DeliveryState.SENT] == 2
    assert store.deliveries.counts()[DeliveryState.SENT] == 2
    assert not store.deliveries.counts_match(edition_id)


def test_counts_of_an_edition_that_is_done_follow_a_late_answer_and_an_erasure(store: Store) -> None:
    edition_id = create_sending_edition(store, 2)
    late_id, erased_id = start_sending(store, edition_id)
    record_results(store, edition_id, [late_id, erased_id], DeliveryState.IN_DOUBT)
    store.editions.transition(edition_id, [EditionState.SENDING], EditionState.DONE, now=NOW)
    record_results(store, edition_id, [late_id], DeliveryState.SENT)
    assert nonzero_counts(store, edition_id) == {DeliveryState.SENT: 1, DeliveryState.IN_DOUBT: 1}
    store.editions.transition(edition_id, [EditionState.DONE], EditionState.DONE, now=NOW)
    store.subscribers.erase("person1@example.org", "somebody", NOW)
    assert nonzero_counts(store, edition_id) == {DeliveryState.SENT: 1, DeliveryState.SUPPRESSED: 1}


def test_lines_tell_what_became_of_everybody(store: Store) -> None:
    edition_id = create_sending_edition(store, 2)
    record_results(
        store,
        edition_id,
        start_sending(store, edition_id, 1),
        DeliveryState.DEFERRED,
        reply="451 4.2.1 later",
        next_at=LATER,
    )
    deferred_delivery, queued_delivery = store.deliveries.iter_deliveries(edition_id)
    assert (
        deferred_delivery.edition,
        deferred_delivery.address,
        deferred_delivery.state,
        deferred_delivery.reply,
        deferred_delivery.next_at,
    ) == (
        "weekly/2023-06-12T0800",
        "person0@example.org",
        DeliveryState.DEFERRED,
        "451 4.2.1 later",
        LATER,
    )
    assert (queued_delivery.state, queued_delivery.attempts, queued_delivery.next_at) == (
        DeliveryState.QUEUED,
        0,
        None,
    )
