"""Recovery after a kill: no delivery is lost, those in SENDING are in doubt, and a dead worker changes nothing."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from ketapress.model.delivery import DeliveryResult, DeliveryState, LeaseLostError
from ketapress.model.edition import EditionState
from ketapress.store.store import Store
from support.factories import NOW
from support.store_fixture import (
    claim_ids,
    create_sending_edition,
    expire_leases,
    nonzero_counts,
    record_results,
    start_sending,
)


@pytest.fixture
def crashed_worker(open_another: Callable[[], Store], store: Store) -> tuple[int, Store]:
    """An edition with five deliveries whose worker died with two CLAIMED and one SENDING; and the next process's store."""
    edition_id = create_sending_edition(store, 5)
    start_sending(store, edition_id, 1)
    claim_ids(store, edition_id, 2)
    expire_leases(store)
    return edition_id, open_another()


def test_what_was_claimed_is_free_again_and_what_was_sending_is_in_doubt(
    crashed_worker: tuple[int, Store],
) -> None:
    edition_id, successor = crashed_worker
    assert successor.deliveries.recover("hold", NOW) == (2, 1)
    assert nonzero_counts(successor, edition_id) == {DeliveryState.QUEUED: 4, DeliveryState.IN_DOUBT: 1}
    assert [summary.attempts for summary in successor.deliveries.iter_deliveries(edition_id)] == [
        1,
        0,
        0,
        0,
        0,
    ]


def test_recovering_twice_finds_nothing_more(crashed_worker: tuple[int, Store]) -> None:
    _, successor = crashed_worker
    successor.deliveries.recover("hold", NOW)
    assert successor.deliveries.recover("hold", NOW) == (0, 0)


def test_with_resend_the_doubtful_one_is_sent_again_with_its_date(crashed_worker: tuple[int, Store]) -> None:
    edition_id, successor = crashed_worker
    successor.deliveries.recover("resend", NOW)
    recipients = successor.deliveries.claim(edition_id, 10, "successor", NOW)
    assert len(recipients) == 5
    assert [recipient.message_date for recipient in recipients if recipient.attempts] == [NOW]


def test_with_hold_the_doubtful_one_waits_for_a_person(crashed_worker: tuple[int, Store]) -> None:
    edition_id, successor = crashed_worker
    successor.deliveries.recover("hold", NOW)
    assert len(claim_ids(successor, edition_id)) == 4
    assert nonzero_counts(successor, edition_id) == {DeliveryState.CLAIMED: 4, DeliveryState.IN_DOUBT: 1}


def test_the_policy_holds_for_doubts_of_earlier_runs_too(crashed_worker: tuple[int, Store]) -> None:
    edition_id, successor = crashed_worker
    successor.deliveries.recover("hold", NOW)
    successor.deliveries.recover("resend", NOW)
    assert len(claim_ids(successor, edition_id)) == 5
    successor.deliveries.release_claims(edition_id, "worker", NOW)
    assert nonzero_counts(successor, edition_id) == {DeliveryState.QUEUED: 4, DeliveryState.DEFERRED: 1}


def test_switching_to_hold_stops_a_resend(crashed_worker: tuple[int, Store]) -> None:
    edition_id, successor = crashed_worker
    successor.deliveries.recover("resend", NOW)
    successor.deliveries.recover("hold", NOW)
    assert len(claim_ids(successor, edition_id)) == 4


def test_doubts_of_an_edition_that_is_over_are_not_sent_again(crashed_worker: tuple[int, Store]) -> None:
    edition_id, successor = crashed_worker
    successor.editions.cancel(edition_id, NOW, "a mistake")
    assert successor.deliveries.recover("resend", NOW) == (2, 1)
    assert nonzero_counts(successor, edition_id) == {DeliveryState.CANCELLED: 4, DeliveryState.IN_DOUBT: 1}
    assert successor.deliveries.next_attempt_at(edition_id) is None


def test_what_a_process_left_behind_in_an_earlier_run_is_recovered_too(store: Store) -> None:
    """A run that ended because a result could not be written leaves rows in SENDING."""
    edition_id = create_sending_edition(store, 3)
    start_sending(store, edition_id, 1)
    assert store.deliveries.recover("resend", NOW) == (0, 1)
    assert len(claim_ids(store, edition_id)) == 3


def test_a_worker_that_wakes_after_it_was_declared_dead_sends_nothing(
    crashed_worker: tuple[int, Store], store: Store
) -> None:
    edition_id, successor = crashed_worker
    claimed_ids = [
        summary.subscription_id
        for summary in store.deliveries.iter_deliveries(edition_id)
        if summary.state is DeliveryState.CLAIMED
    ]
    successor.deliveries.recover("resend", NOW)
    assert set(claimed_ids) <= set(claim_ids(successor, edition_id))
    # SQLite has no leases, so the commit raises nothing there: the lock keeps a second process out.
    with suppress(LeaseLostError):
        assert store.deliveries.commit(edition_id, results=[], intents=claimed_ids, now=NOW) == frozenset()
    assert nonzero_counts(store, edition_id) == {DeliveryState.CLAIMED: 5}
    assert store.deliveries.release_claims(edition_id, "worker", NOW) == 0


def test_what_it_learnt_of_a_doubtful_message_still_counts(
    crashed_worker: tuple[int, Store], store: Store
) -> None:
    edition_id, successor = crashed_worker
    doubtful_id = next(iter(store.deliveries.iter_deliveries(edition_id))).subscription_id
    successor.deliveries.recover("hold", NOW)
    with suppress(LeaseLostError):
        record_results(store, edition_id, [doubtful_id], DeliveryState.SENT, reply="250 2.0.0 Ok")
    assert nonzero_counts(store, edition_id) == {DeliveryState.QUEUED: 4, DeliveryState.SENT: 1}


def test_it_goes_on_under_a_new_number(crashed_worker: tuple[int, Store], store: Store) -> None:
    edition_id, successor = crashed_worker
    successor.deliveries.recover("hold", NOW)
    with pytest.raises(LeaseLostError):
        claim_ids(store, edition_id, 2)
    store.deliveries.recover("hold", NOW)
    ids = claim_ids(store, edition_id, 2)
    assert store.deliveries.commit(edition_id, results=[], intents=ids, now=NOW) == set(ids)
    expire_leases(store)
    assert successor.deliveries.recover("hold", NOW) == (0, 2)


def test_a_held_edition_is_recovered_as_well(crashed_worker: tuple[int, Store]) -> None:
    edition_id, successor = crashed_worker
    successor.editions.transition(edition_id, [EditionState.SENDING], EditionState.HELD, now=NOW)
    assert successor.deliveries.recover("resend", NOW) == (2, 1)
    successor.editions.transition(edition_id, [EditionState.HELD], EditionState.READY, now=NOW)
    assert successor.deliveries.freeze(edition_id, "weekly", NOW) == 5
    assert len(claim_ids(successor, edition_id)) == 5


def test_a_result_after_the_kill_of_somebody_else_is_only_ones_own(
    open_another: Callable[[], Store], store: Store
) -> None:
    edition_id = create_sending_edition(store, 2)
    other_store = open_another()
    other_ids = start_sending(other_store, edition_id, 1)
    claim_ids(store, edition_id, 1)
    wrong_result = DeliveryResult(subscription_id=other_ids[0], state=DeliveryState.SENT)
    store.deliveries.commit(edition_id, results=[wrong_result], intents=[], now=NOW)
    assert nonzero_counts(store, edition_id) == {DeliveryState.CLAIMED: 1, DeliveryState.SENDING: 1}
