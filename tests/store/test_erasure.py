"""Erasure: no address is left, no delivery is lost, and an import of an old list does not add the subscriber again."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from ketapress.model.delivery import DeliveryState
from ketapress.model.subscriber import ImportRow, SubscriptionState
from ketapress.store.store import Store, open_store
from support.factories import NOW, SEED
from support.store_fixture import (
    claim_ids,
    create_sending_edition,
    make_import_rows,
    nonzero_counts,
    record_results,
    start_sending,
    subscribe,
)

PERSON = "person1@example.org"


def test_an_erased_person_is_gone(store: Store) -> None:
    subscribe(store, make_import_rows(3))
    assert store.subscribers.erase(PERSON.upper(), "somebody", NOW)
    assert store.subscribers.find(PERSON) is None
    assert store.subscribers.list_history(PERSON) == ()
    assert not store.subscribers.erase(PERSON, "somebody", NOW)
    assert store.subscribers.counts() == {("weekly", SubscriptionState.ACTIVE): 2}


def test_an_old_list_does_not_bring_an_erased_person_back(store: Store) -> None:
    subscribe(store, make_import_rows(3))
    store.subscribers.erase(PERSON, "somebody", NOW)
    result = store.subscribers.add(make_import_rows(3), ["weekly"], "an old list", NOW)
    assert (result.added, result.unchanged) == (0, 2)
    assert [row.reason for row in result.refused] == ["erased on request; only the subscriber can undo that"]


def test_the_number_of_an_erased_subscription_is_never_given_again(store: Store) -> None:
    subscribe(store, ["last@example.org"])
    erased_subscriber = store.subscribers.find("last@example.org")
    assert erased_subscriber
    store.subscribers.erase("last@example.org", "somebody", NOW)
    subscribe(store, ["next@example.org"])
    next_subscriber = store.subscribers.find("next@example.org")
    assert next_subscriber
    assert next_subscriber.subscriptions[0].id > erased_subscriber.subscriptions[0].id


@pytest.mark.parametrize("state", [DeliveryState.SENT, DeliveryState.FAILED])
def test_what_was_settled_stays_in_the_ledger_without_what_the_relay_said(
    store: Store, state: DeliveryState
) -> None:
    edition_id = create_sending_edition(store, 3)
    record_results(store, edition_id, start_sending(store, edition_id), state, reply=f"250 Ok <{PERSON}>")
    store.subscribers.erase(PERSON, "somebody", NOW)
    assert nonzero_counts(store, edition_id) == {state: 3}
    assert [(summary.address, summary.reply) for summary in store.deliveries.iter_deliveries(edition_id)][
        1
    ] == (
        "",
        "",
    )


def test_what_was_waiting_is_suppressed(store: Store) -> None:
    edition_id = create_sending_edition(store, 3)
    store.subscribers.erase(PERSON, "somebody", NOW)
    assert nonzero_counts(store, edition_id) == {DeliveryState.QUEUED: 2, DeliveryState.SUPPRESSED: 1}
    assert len(claim_ids(store, edition_id)) == 2


@pytest.mark.parametrize("state", [DeliveryState.DEFERRED, DeliveryState.IN_DOUBT])
def test_what_would_have_been_tried_again_is_suppressed(store: Store, state: DeliveryState) -> None:
    edition_id = create_sending_edition(store, 2)
    record_results(store, edition_id, start_sending(store, edition_id), state, next_at=NOW)
    store.subscribers.erase(PERSON, "somebody", NOW)
    assert nonzero_counts(store, edition_id) == {state: 1, DeliveryState.SUPPRESSED: 1}


def test_what_was_claimed_is_suppressed_when_it_comes_to_be_sent(store: Store) -> None:
    edition_id = create_sending_edition(store, 2)
    ids = claim_ids(store, edition_id)
    store.subscribers.erase(PERSON, "somebody", NOW)
    assert store.deliveries.commit(edition_id, results=[], intents=ids, now=NOW) == {ids[0]}
    assert nonzero_counts(store, edition_id) == {DeliveryState.SENDING: 1, DeliveryState.SUPPRESSED: 1}


def test_an_answer_that_comes_after_the_erasure_is_written_without_its_words(store: Store) -> None:
    edition_id = create_sending_edition(store, 2)
    ids = start_sending(store, edition_id)
    store.subscribers.erase(PERSON, "somebody", NOW)
    record_results(store, edition_id, ids, DeliveryState.SENT, reply=f"250 Ok <{PERSON}>")
    assert [summary.reply for summary in store.deliveries.iter_deliveries(edition_id)] == [
        f"250 Ok <{PERSON}>",
        "",
    ]


def test_no_byte_of_the_address_is_left_in_the_files(tmp_path: Path) -> None:
    """Thousands of subscribers in random order split the pages of the database, which leaves copies behind."""
    addresses = [f"{letter}-{number}@example.org" for letter in "abcdefgh" for number in range(400)]
    random.Random(SEED.name).shuffle(addresses)
    erased_addresses = addresses[::100]
    with open_store("sqlite:///ketapress.db", tmp_path) as store:
        for start in range(0, len(addresses), 150):
            rows = (
                ImportRow(address=row_address, name=f"Name of {row_address}")
                for row_address in addresses[start : start + 150]
            )
            subscribe(store, rows)
        for address in erased_addresses:
            assert store.subscribers.erase(address, "somebody", NOW)
        file_bytes = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert addresses[1].encode() in file_bytes
    assert [address for address in erased_addresses if address.encode() in file_bytes] == []


def test_an_erasure_is_itself_written_down(open_another: Callable[[], Store], store: Store) -> None:
    subscribe(store, make_import_rows(1))
    store.subscribers.erase("person0@example.org", "somebody", NOW)
    with open_another()._transactions.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT event, subscriber_id, length(erased) FROM consents ORDER BY id"
        ).all()
    assert rows == [("added", None, 64), ("erased", None, 64)]
