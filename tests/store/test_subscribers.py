"""Subscribers: imports, rejections, unsubscribing, and the record of it."""

from datetime import timedelta

from hypothesis import given, strategies as st

from ketapress.model.delivery import DeliveryState
from ketapress.model.subscriber import ImportResult, ImportRow, RejectedRow, SubscriptionState
from ketapress.store.statements.import_subscribers import CHUNK_SIZE, split_into_chunks
from ketapress.store.store import Store
from support.factories import NOW
from support.store_fixture import (
    create_sending_edition,
    make_import_rows,
    record_results,
    start_sending,
    subscribe,
    subscription_states,
)

LATER = NOW + timedelta(days=1)
ADA = ImportRow(address="Ada@example.org", name="Ada", lang="en", line=2)


def test_a_new_person_is_active_at_once(store: Store) -> None:
    assert store.subscribers.add([ADA], ["weekly"], "import of list.csv", NOW) == ImportResult(added=1)
    subscriber = store.subscribers.find("ada@EXAMPLE.org")
    assert subscriber is not None
    assert (subscriber.address, subscriber.name, subscriber.lang) == ("Ada@example.org", "Ada", "en")
    assert [
        (subscription.newsletter, subscription.state, subscription.since)
        for subscription in subscriber.subscriptions
    ] == [("weekly", SubscriptionState.ACTIVE, NOW)]


def test_the_same_import_again_changes_nothing(store: Store) -> None:
    store.subscribers.add([ADA], ["weekly"], "somebody", NOW)
    assert store.subscribers.add([ADA], ["weekly"], "somebody", LATER) == ImportResult(unchanged=1)


def test_one_address_in_two_cases_is_one_person(store: Store) -> None:
    rows = [ADA, ImportRow(address="ada@EXAMPLE.ORG", line=3)]
    assert store.subscribers.add(rows, ["weekly"], "somebody", NOW) == ImportResult(added=1, unchanged=1)
    assert len(list(store.subscribers.iter_subscribers())) == 1


def test_a_new_name_or_newsletter_is_an_update(store: Store) -> None:
    subscribe(store, [ADA])
    new_name = ImportRow(address=ADA.address, name="Ada L.")
    assert store.subscribers.add([new_name], ["weekly"], "somebody", LATER) == ImportResult(updated=1)
    assert store.subscribers.add([ADA], ["weekly", "daily"], "somebody", LATER) == ImportResult(updated=1)
    assert subscription_states(store, ADA.address) == {
        "weekly": SubscriptionState.ACTIVE,
        "daily": SubscriptionState.ACTIVE,
    }
    subscriber = store.subscribers.find(ADA.address)
    assert subscriber
    assert (subscriber.name, subscriber.lang) == ("Ada", "en")


def test_a_line_without_a_name_keeps_the_name_that_is_known(store: Store) -> None:
    subscribe(store, [ADA])
    assert store.subscribers.add(
        [ImportRow(address=ADA.address)], ["weekly"], "somebody", LATER
    ) == ImportResult(unchanged=1)


def test_who_left_is_not_brought_back_by_an_import(store: Store) -> None:
    subscribe(store, [ADA])
    store.subscribers.remove(ADA.address, "weekly", "somebody", NOW)
    result = store.subscribers.add([ADA], ["weekly"], "an old list", LATER)
    reason = "unsubscribed from weekly on 2023-06-12; only the subscriber can undo that"
    assert result == ImportResult(refused=(RejectedRow(2, "Ada@example.org", reason),))
    assert subscription_states(store, ADA.address) == {"weekly": SubscriptionState.LEFT}


def test_who_left_one_newsletter_may_be_added_to_another(store: Store) -> None:
    subscribe(store, [ADA], "weekly")
    store.subscribers.remove(ADA.address, "weekly", "somebody", NOW)
    assert store.subscribers.add([ADA], ["daily"], "somebody", LATER) == ImportResult(updated=1)
    assert subscription_states(store, ADA.address) == {
        "weekly": SubscriptionState.LEFT,
        "daily": SubscriptionState.ACTIVE,
    }


def test_whose_mail_came_back_is_not_brought_back_by_an_import(store: Store) -> None:
    edition_id = create_sending_edition(store, 1)
    record_results(
        store,
        edition_id,
        start_sending(store, edition_id),
        DeliveryState.FAILED,
        reply="550 5.1.1 unknown",
        suppress=True,
    )
    result = store.subscribers.add(make_import_rows(1), ["weekly"], "an old list", LATER)
    assert "because mail bounced" in result.refused[0].reason


def test_an_address_that_breaks_the_grammar_is_refused_even_here(store: Store) -> None:
    result = store.subscribers.add([ImportRow(address="a@b@c", line=7), ADA], ["weekly"], "somebody", NOW)
    assert result.added == 1
    assert [(row.line, row.value) for row in result.refused] == [(7, "a@b@c")]


def test_a_dry_run_counts_and_writes_nothing(store: Store) -> None:
    assert store.subscribers.add(
        make_import_rows(3), ["weekly"], "somebody", NOW, dry_run=True
    ) == ImportResult(added=3)
    assert list(store.subscribers.iter_subscribers()) == []


def test_people_keep_the_order_of_their_list(store: Store) -> None:
    subscribe(store, make_import_rows(CHUNK_SIZE + 5))
    names = [subscriber.name for subscriber in store.subscribers.iter_subscribers()]
    assert names == [f"Person {number}" for number in range(CHUNK_SIZE + 5)]


def test_people_are_listed_by_newsletter_with_that_subscription_alone(store: Store) -> None:
    subscribe(store, ["both@example.org"], "weekly", "daily")
    subscribe(store, ["one@example.org"], "weekly")
    daily_subscribers = list(store.subscribers.iter_subscribers("daily"))
    assert [
        (subscriber.address, [subscription.newsletter for subscription in subscriber.subscriptions])
        for subscriber in daily_subscribers
    ] == [("both@example.org", ["daily"])]
    assert [len(subscriber.subscriptions) for subscriber in store.subscribers.iter_subscribers()] == [2, 1]


def test_leaving_ends_one_newsletter_or_all(store: Store) -> None:
    subscribe(store, [ADA], "weekly", "daily", "monthly")
    assert store.subscribers.remove("ADA@example.org", "daily", "somebody", LATER) == 1
    assert store.subscribers.remove(ADA.address, None, "somebody", LATER) == 2
    assert store.subscribers.remove(ADA.address, None, "somebody", LATER) == 0
    assert set(subscription_states(store, ADA.address).values()) == {SubscriptionState.LEFT}


def test_a_link_in_a_mail_ends_its_subscription_once(store: Store) -> None:
    subscribe(store, [ADA])
    subscriber = store.subscribers.find(ADA.address)
    assert subscriber
    subscription = subscriber.subscriptions[0].id
    assert store.subscribers.unsubscribe(subscription, LATER)
    assert not store.subscribers.unsubscribe(subscription, LATER)
    assert not store.subscribers.unsubscribe(subscription + 1, LATER)
    assert [
        (history_event.kind, history_event.origin)
        for history_event in store.subscribers.list_history(ADA.address)
    ] == [
        ("added", "the tests"),
        ("left", "subscriber"),
    ]


def test_counts_are_by_newsletter_and_state(store: Store) -> None:
    subscribe(store, make_import_rows(3), "weekly", "daily")
    store.subscribers.remove("person1@example.org", "daily", "somebody", NOW)
    assert store.subscribers.counts() == {
        ("weekly", SubscriptionState.ACTIVE): 3,
        ("daily", SubscriptionState.ACTIVE): 2,
        ("daily", SubscriptionState.LEFT): 1,
    }


def test_a_history_tells_consents_and_deliveries_in_order(store: Store) -> None:
    edition_id = create_sending_edition(store, 1)
    record_results(
        store, edition_id, start_sending(store, edition_id), DeliveryState.SENT, reply="250 2.0.0 Ok"
    )
    store.subscribers.remove("person0@example.org", None, "somebody", LATER)
    assert [
        (history_event.kind, history_event.edition, history_event.reply)
        for history_event in store.subscribers.list_history("person0@example.org")
    ] == [
        ("added", "", ""),
        ("sent", "weekly/2023-06-12T0800", "250 2.0.0 Ok"),
        ("left", "", ""),
    ]
    assert store.subscribers.list_history("nobody@example.org") == ()


def test_nobody_is_found_by_what_is_no_address(store: Store) -> None:
    assert store.subscribers.find("no address") is None
    assert store.subscribers.remove("' OR 1=1 --", None, "somebody", NOW) == 0


@given(st.lists(st.sampled_from([f"p{n}@example.org" for n in range(5)])))
def test_no_portion_of_an_import_holds_an_address_twice(addresses: list[str]) -> None:
    chunks = list(split_into_chunks(ImportRow(address=address) for address in addresses))
    assert [row.address for chunk in chunks for row in chunk] == addresses
    assert all(len({row.address for row in chunk}) == len(chunk) for chunk in chunks)


def test_the_holder_of_a_subscription_is_known_until_they_are_erased(store: Store) -> None:
    subscribe(store, [ADA])
    store.subscribers.add([ADA], ["daily"], "somebody", NOW)
    subscriber = store.subscribers.find(ADA.address)
    assert subscriber is not None
    for subscription in subscriber.subscriptions:
        assert store.subscribers.find_by_subscription(subscription.id) == subscriber
    assert store.subscribers.find_by_subscription(subscriber.subscriptions[-1].id + 1) is None
    store.subscribers.erase(ADA.address, "somebody", LATER)
    assert store.subscribers.find_by_subscription(subscriber.subscriptions[0].id) is None
