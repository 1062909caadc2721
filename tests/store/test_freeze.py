"""The freeze: each active subscription gets one delivery, whatever interrupts it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import EditionState
from ketapress.model.subscriber import SubscriptionState
from ketapress.store.db.schema import subscriptions
from ketapress.store.statements.consent import end_consent
from ketapress.store.statements.freeze import freeze_chunk, start_freeze
from ketapress.store.store import Store, open_store
from support.factories import NOW
from support.store_fixture import create_edition, make_import_rows, nonzero_counts, subscribe


def test_everybody_who_is_active_gets_a_delivery(store: Store) -> None:
    subscribe(store, make_import_rows(5), "weekly", "daily")
    store.subscribers.remove("person2@example.org", "weekly", "somebody", NOW)
    edition_id = create_edition(store)
    assert store.deliveries.freeze(edition_id, "weekly", NOW) == 4
    assert nonzero_counts(store, edition_id) == {DeliveryState.QUEUED: 4}
    assert [summary.address for summary in store.deliveries.iter_deliveries(edition_id)] == [
        f"person{number}@example.org" for number in (0, 1, 3, 4)
    ]
    assert store.editions.list_all()[0].state is EditionState.SENDING


@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
def test_whoever_gets_no_delivery_is_counted_with_the_reason(store: Store, chunk: int) -> None:
    subscribe(store, make_import_rows(7), "weekly", "daily")
    for number in (0, 2, 6):
        store.subscribers.remove(f"person{number}@example.org", "weekly", "somebody", NOW)
    end_subscriptions(store, "person5@example.org", SubscriptionState.UNREACHABLE)
    edition_id = create_edition(store)
    assert store.deliveries.freeze(edition_id, "weekly", NOW, chunk_size=chunk) == 3
    assert store.editions.list_all()[0].skipped_counts == {"left": 3, "unreachable": 1}
    store.subscribers.remove("person1@example.org", "weekly", "somebody", NOW)
    assert store.editions.list_all()[0].skipped_counts == {"left": 3, "unreachable": 1}


def test_with_nobody_active_the_others_are_counted_each_time_it_is_tried(store: Store) -> None:
    subscribe(store, make_import_rows(2))
    store.subscribers.remove("person0@example.org", "weekly", "somebody", NOW)
    store.subscribers.remove("person1@example.org", "weekly", "somebody", NOW)
    edition_id = create_edition(store)
    for left_count in (2, 3):
        assert store.deliveries.freeze(edition_id, "weekly", NOW) == 0
        assert store.editions.list_all()[0].skipped_counts == {"left": left_count}
        subscribe(store, ["new@example.org"])
        store.subscribers.remove("new@example.org", "weekly", "somebody", NOW)
    subscribe(store, ["last@example.org"])
    assert store.deliveries.freeze(edition_id, "weekly", NOW) == 1
    assert store.editions.list_all()[0].skipped_counts == {"left": 3}


def end_subscriptions(store: Store, address: str, state: SubscriptionState) -> None:
    """End all subscriptions of an address, as a bounce would."""
    subscriber = store.subscribers.find(address)
    assert subscriber
    with store._transactions.write() as connection:
        subscription_ids = select(subscriptions.c.id).where(subscriptions.c.subscriber_id == subscriber.id)
        assert end_consent(connection, subscription_ids, state, "relay", NOW)


@pytest.mark.parametrize("chunk", [1, 2, 5, 7, 100])
def test_the_size_of_a_step_changes_nothing(store: Store, chunk: int) -> None:
    subscribe(store, make_import_rows(5))
    edition_id = create_edition(store)
    assert store.deliveries.freeze(edition_id, "weekly", NOW, chunk_size=chunk) == 5
    assert nonzero_counts(store, edition_id) == {DeliveryState.QUEUED: 5}


def test_freezing_again_changes_nothing(store: Store) -> None:
    subscribe(store, make_import_rows(3))
    edition_id = create_edition(store)
    store.deliveries.freeze(edition_id, "weekly", NOW)
    subscribe(store, ["late@example.org"])
    assert store.deliveries.freeze(edition_id, "weekly", NOW) == 3
    assert nonzero_counts(store, edition_id) == {DeliveryState.QUEUED: 3}


@pytest.mark.parametrize("steps", range(5))
def test_a_freeze_that_was_killed_goes_on_where_it_stopped(
    open_another: Callable[[], Store], store: Store, steps: int
) -> None:
    """Later subscribers get the next edition."""
    subscribe(store, make_import_rows(7))
    edition_id = create_edition(store)
    with store._transactions.write() as connection:
        start_freeze(connection, edition_id, "weekly", NOW)
    for _ in range(steps):
        with store._transactions.write() as connection:
            freeze_chunk(connection, edition_id, "weekly", 2)
    assert store.deliveries.counts_match(edition_id)
    subscribe(store, ["late@example.org"])
    assert open_another().deliveries.freeze(edition_id, "weekly", NOW) == 7
    assert nonzero_counts(store, edition_id) == {DeliveryState.QUEUED: 7}


def test_two_who_freeze_at_once_freeze_once(open_another: Callable[[], Store], store: Store) -> None:
    subscribe(store, make_import_rows(60))
    edition_id = create_edition(store)
    stores = [open_another() for _ in range(3)]
    with ThreadPoolExecutor(len(stores)) as senders:
        counts = list(
            senders.map(
                lambda sender: sender.deliveries.freeze(edition_id, "weekly", NOW, chunk_size=7), stores
            )
        )
    assert max(counts) == 60
    assert nonzero_counts(store, edition_id) == {DeliveryState.QUEUED: 60}


def test_with_nobody_active_the_edition_waits(store: Store) -> None:
    edition_id = create_edition(store)
    assert store.deliveries.freeze(edition_id, "weekly", NOW) == 0
    assert store.editions.list_all()[0].state is EditionState.READY
    subscribe(store, make_import_rows(2))
    assert store.deliveries.freeze(edition_id, "weekly", NOW) == 2


@pytest.mark.parametrize("state", [EditionState.HELD, EditionState.DONE, EditionState.CANCELLED])
def test_only_what_is_ready_is_frozen(store: Store, state: EditionState) -> None:
    subscribe(store, make_import_rows(2))
    edition_id = create_edition(store, state=state)
    assert store.deliveries.freeze(edition_id, "weekly", NOW) == 0
    assert nonzero_counts(store, edition_id) == {}
    assert store.editions.list_all()[0].state is state


def test_an_edition_held_while_it_is_frozen_goes_on_when_it_is_released(store: Store) -> None:
    subscribe(store, make_import_rows(5))
    edition_id = create_edition(store)
    with store._transactions.write() as connection:
        start_freeze(connection, edition_id, "weekly", NOW)
    with store._transactions.write() as connection:
        freeze_chunk(connection, edition_id, "weekly", 2)
    store.editions.transition(edition_id, [EditionState.SENDING], EditionState.HELD, now=NOW)
    assert store.deliveries.freeze(edition_id, "weekly", NOW) == 2
    store.editions.transition(edition_id, [EditionState.HELD], EditionState.READY, now=NOW)
    assert store.deliveries.freeze(edition_id, "weekly", NOW) == 5


def test_a_letter_is_stored_once_and_a_delivery_is_a_narrow_row(tmp_path: Path) -> None:
    with open_store("sqlite:///ketapress.db", tmp_path) as store:
        subscribe(store, make_import_rows(4000))
        edition_id = create_edition(store)

        def size() -> int:
            store._transactions.purge_deleted()
            return (tmp_path / "ketapress.db").stat().st_size

        size_before = size()
        store.deliveries.freeze(edition_id, "weekly", NOW)
        assert (size() - size_before) / 4000 < 50


def test_subscribers_are_looked_up_by_an_index_and_not_by_reading_everybody(tmp_path: Path) -> None:
    with open_store("sqlite:///ketapress.db", tmp_path) as store, store._transactions.read() as connection:
        plan = connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT id FROM subscriptions "
            "WHERE newsletter = 'weekly' AND state = 'active' AND id > 5 AND id <= 9 ORDER BY id LIMIT 3"
        ).all()
    assert "COVERING INDEX subscriptions_by_state (newsletter=? AND state=? AND id>? AND id<?)" in str(plan)
