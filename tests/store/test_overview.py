"""The overview is the same through the driver alone and through the store."""

from pathlib import Path

import pytest

from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import EditionState
from ketapress.model.subscriber import ImportRow, SubscriptionState
from ketapress.store.db.codes import delivery_code
from ketapress.store.overview import StoreOverview, read_overview
from ketapress.store.public_editions import read_public_editions
from ketapress.store.store import Store, open_store
from support.factories import NOW
from support.store_fixture import (
    create_edition,
    create_sending_edition,
    make_import_rows,
    record_results,
    start_sending,
    subscribe,
)


@pytest.fixture
def url(database: str, request: pytest.FixtureRequest) -> str:
    """The URL of the database of `store`."""
    return "sqlite:///ketapress.db" if database == "sqlite" else str(request.getfixturevalue("migrated_url"))


def read_both_ways(store: Store, url: str, folder: Path) -> StoreOverview:
    """Return the overview through the driver, after checking that the store returns the same."""
    overview = read_overview(url, folder)
    assert overview is not None
    assert overview == store.read_overview()
    return overview


def test_an_empty_store_shows_nothing(store: Store, url: str, tmp_path: Path) -> None:
    overview = read_both_ways(store, url, tmp_path)
    assert (overview.editions, overview.subscription_counts, overview.deliveries.violations) == ((), {}, ())
    assert not any(overview.deliveries.counts.values())


@pytest.mark.parametrize("end", DeliveryState)
def test_every_delivery_is_counted_where_it_stands(
    store: Store, url: str, tmp_path: Path, end: DeliveryState
) -> None:
    edition_id = create_sending_edition(store, 5)
    record_results(store, edition_id, start_sending(store, edition_id, 3)[:1], DeliveryState.SENT)
    expected = {DeliveryState.SENT: 1, DeliveryState.SENDING: 2}
    if end is not DeliveryState.QUEUED:
        with store._transactions.write() as connection:
            set_state = f"UPDATE deliveries SET state = {delivery_code(end)}, next_at = NULL"
            connection.exec_driver_sql(f"{set_state} WHERE state = {delivery_code(DeliveryState.QUEUED)}")
    expected[end] = expected.get(end, 0) + 2
    counts = read_both_ways(store, url, tmp_path).deliveries.counts
    assert {state: count for state, count in counts.items() if count} == expected


def test_starts_of_sending_are_counted(store: Store, url: str, tmp_path: Path) -> None:
    assert read_both_ways(store, url, tmp_path).generation == 0
    store.raise_generation()
    store.raise_generation()
    assert read_both_ways(store, url, tmp_path).generation == 2


def test_messages_that_wait_for_a_persons_word_are_told_by_their_edition(
    store: Store, url: str, tmp_path: Path
) -> None:
    edition_id = create_sending_edition(store, 3)
    record_results(store, edition_id, start_sending(store, edition_id, 2), DeliveryState.IN_DOUBT)
    assert read_both_ways(store, url, tmp_path).in_doubt_counts == {"weekly/2023-06-12T0800": 2}
    store.resolve(edition_id, ["person0@example.org"], is_sent=False, evidence="", now=NOW)
    assert read_both_ways(store, url, tmp_path).in_doubt_counts == {"weekly/2023-06-12T0800": 1}
    store.editions.cancel(edition_id, NOW, "a person cancelled it")
    assert read_both_ways(store, url, tmp_path).in_doubt_counts == {}


def test_people_are_counted_by_newsletter_and_consent(store: Store, url: str, tmp_path: Path) -> None:
    assert read_both_ways(store, url, tmp_path).subscription_counts == {}
    subscribe(store, make_import_rows(5), "weekly")
    subscribe(store, make_import_rows(3), "daily", "zines")
    store.subscribers.remove("person1@example.org", "weekly", "test", NOW)
    store.subscribers.remove("person2@example.org", "zines", "test", NOW)
    assert read_both_ways(store, url, tmp_path).subscription_counts == {
        ("daily", SubscriptionState.ACTIVE): 3,
        ("weekly", SubscriptionState.ACTIVE): 4,
        ("weekly", SubscriptionState.LEFT): 1,
        ("zines", SubscriptionState.ACTIVE): 2,
        ("zines", SubscriptionState.LEFT): 1,
    }


def test_nobody_active_is_not_there(store: Store, url: str, tmp_path: Path) -> None:
    store.subscribers.add([ImportRow("ann@example.net")], ["weekly"], "test", NOW)
    store.subscribers.remove("ann@example.net", None, "test", NOW)
    assert read_both_ways(store, url, tmp_path).subscription_counts == {("weekly", SubscriptionState.LEFT): 1}


def test_editions_are_told_newest_first_with_why_they_wait(store: Store, url: str, tmp_path: Path) -> None:
    older_id, newer_id = create_edition(store, day=12), create_edition(store, day=19, posts=["b"])
    store.editions.transition(
        older_id, [EditionState.READY], EditionState.HELD, reason="a person held it", now=NOW
    )
    editions = read_both_ways(store, url, tmp_path).editions
    assert [(edition.id, edition.state, edition.reason) for edition in editions] == [
        (newer_id, EditionState.READY, ""),
        (older_id, EditionState.HELD, "a person held it"),
    ]
    stored_editions = store.editions.list_all()
    assert [(edition.slot, edition.decision) for edition in editions] == [
        (edition.slot, edition.decision) for edition in stored_editions
    ]


@pytest.mark.usefixtures("allow_losses")
def test_a_lost_delivery_is_seen(store: Store, url: str, tmp_path: Path) -> None:
    create_sending_edition(store, 3)
    with store._transactions.write() as connection:
        connection.exec_driver_sql(
            "DELETE FROM deliveries WHERE subscription_id IN (SELECT max(id) FROM subscriptions)"
        )
    [violation] = read_both_ways(store, url, tmp_path).deliveries.violations
    assert (violation.frozen_count, violation.delivery_count) == (3, 2)


def test_the_public_editions_are_the_same_without_the_store(store: Store, url: str, tmp_path: Path) -> None:
    create_sending_edition(store, 3)
    create_edition(store, day=19, posts=["b"])
    create_edition(store, day=5, posts=["c"], state=EditionState.HELD)
    public_editions = read_public_editions(url, tmp_path)
    assert public_editions == store.editions.list_public()
    assert public_editions is not None
    assert [edition._replace(web_html="") for edition in public_editions] == [
        edition for edition in store.editions.list_all() if edition.state is not EditionState.HELD
    ]


def test_a_database_of_another_schema_or_none_is_not_looked_at(tmp_path: Path) -> None:
    url = "sqlite:///ketapress.db"
    assert read_overview(url, tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    with open_store(url, tmp_path) as store, store._transactions.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert read_overview(url, tmp_path) is None
    (tmp_path / "ketapress.db").write_bytes(b"no database")
    assert read_overview(url, tmp_path) is None


@pytest.mark.parametrize("url", ["postgresql://ada@/k?host=/nonexistent", "mysql://u@h/d", "", "sqlite://"])
def test_what_cannot_be_reached_is_left_to_the_store_to_tell(url: str, tmp_path: Path) -> None:
    assert read_overview(url, tmp_path) is None
