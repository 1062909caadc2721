"""One look at all the books, by the driver alone or through the store: both say the same."""

from pathlib import Path

import pytest

from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import EditionState
from ketapress.model.subscriber import Applicant, SubscriptionState
from ketapress.store.db.codes import delivery_code
from ketapress.store.overview import Look, quick_look
from ketapress.store.public_editions import quick_public
from ketapress.store.store import Store, open_store
from support.factories import NOW
from support.store_fixture import begun, crowd, sending_edition, settle, stored_edition, subscribe


@pytest.fixture
def url(database: str, request: pytest.FixtureRequest) -> str:
    """The database that `store` is open on."""
    return "sqlite:///ketapress.db" if database == "sqlite" else str(request.getfixturevalue("migrated_url"))


def look(store: Store, url: str, folder: Path) -> Look:
    """A look by the driver alone, after a look whether the store shows the same."""
    quick = quick_look(url, folder)
    assert quick is not None
    assert quick == store.look()
    return quick


def test_an_empty_store_shows_nothing(store: Store, url: str, tmp_path: Path) -> None:
    seen = look(store, url, tmp_path)
    assert (seen.editions, seen.people, seen.balance.imbalances) == ((), {}, ())
    assert not any(seen.balance.counts.values())


@pytest.mark.parametrize("end", DeliveryState)
def test_every_delivery_is_counted_where_it_stands(
    store: Store, url: str, tmp_path: Path, end: DeliveryState
) -> None:
    edition = sending_edition(store, 5)
    settle(store, edition, begun(store, edition, 3)[:1], DeliveryState.SENT)
    expected = {DeliveryState.SENT: 1, DeliveryState.SENDING: 2}
    if end is not DeliveryState.QUEUED:
        with store._transactions.write() as connection:
            set_state = f"UPDATE deliveries SET state = {delivery_code(end)}, next_at = NULL"
            connection.exec_driver_sql(f"{set_state} WHERE state = {delivery_code(DeliveryState.QUEUED)}")
    expected[end] = expected.get(end, 0) + 2
    counts = look(store, url, tmp_path).balance.counts
    assert {state: count for state, count in counts.items() if count} == expected


def test_starts_of_sending_are_counted(store: Store, url: str, tmp_path: Path) -> None:
    assert look(store, url, tmp_path).generation == 0
    store.raise_generation()
    store.raise_generation()
    assert look(store, url, tmp_path).generation == 2


def test_messages_that_wait_for_a_persons_word_are_told_by_their_edition(
    store: Store, url: str, tmp_path: Path
) -> None:
    edition = sending_edition(store, 3)
    settle(store, edition, begun(store, edition, 2), DeliveryState.IN_DOUBT)
    assert look(store, url, tmp_path).doubtful == {"weekly/2023-06-12T0800": 2}
    store.resolve(edition, ["person0@example.org"], sent=False, evidence="", now=NOW)
    assert look(store, url, tmp_path).doubtful == {"weekly/2023-06-12T0800": 1}
    store.editions.cancel(edition, NOW, "a person cancelled it")
    assert look(store, url, tmp_path).doubtful == {}


def test_people_are_counted_by_newsletter_and_consent(store: Store, url: str, tmp_path: Path) -> None:
    assert look(store, url, tmp_path).people == {}
    subscribe(store, crowd(5), "weekly")
    subscribe(store, crowd(3), "daily", "zines")
    store.subscribers.remove("person1@example.org", "weekly", "test", NOW)
    store.subscribers.remove("person2@example.org", "zines", "test", NOW)
    assert look(store, url, tmp_path).people == {
        ("daily", SubscriptionState.ACTIVE): 3,
        ("weekly", SubscriptionState.ACTIVE): 4,
        ("weekly", SubscriptionState.LEFT): 1,
        ("zines", SubscriptionState.ACTIVE): 2,
        ("zines", SubscriptionState.LEFT): 1,
    }


def test_nobody_active_is_not_there(store: Store, url: str, tmp_path: Path) -> None:
    store.subscribers.add([Applicant("ann@example.net")], ["weekly"], "test", NOW)
    store.subscribers.remove("ann@example.net", None, "test", NOW)
    assert look(store, url, tmp_path).people == {("weekly", SubscriptionState.LEFT): 1}


def test_editions_are_told_newest_first_with_why_they_wait(store: Store, url: str, tmp_path: Path) -> None:
    older, newer = stored_edition(store, day=12), stored_edition(store, day=19, posts=["b"])
    store.editions.move(older, [EditionState.READY], EditionState.HELD, why="a person held it", now=NOW)
    told = look(store, url, tmp_path).editions
    assert [(each.id, each.state, each.why) for each in told] == [
        (newer, EditionState.READY, ""),
        (older, EditionState.HELD, "a person held it"),
    ]
    whole = store.editions.all()
    assert [(each.slot, each.decision) for each in told] == [(each.slot, each.decision) for each in whole]


@pytest.mark.usefixtures("losses")
def test_a_lost_delivery_is_seen(store: Store, url: str, tmp_path: Path) -> None:
    sending_edition(store, 3)
    with store._transactions.write() as connection:
        connection.exec_driver_sql(
            "DELETE FROM deliveries WHERE subscription_id IN (SELECT max(id) FROM subscriptions)"
        )
    [imbalance] = look(store, url, tmp_path).balance.imbalances
    assert (imbalance.frozen, imbalance.counted) == (3, 2)


def test_the_public_editions_are_the_same_without_the_store(store: Store, url: str, tmp_path: Path) -> None:
    sending_edition(store, 3)
    stored_edition(store, day=19, posts=["b"])
    stored_edition(store, day=5, posts=["c"], state=EditionState.HELD)
    public = quick_public(url, tmp_path)
    assert public == store.editions.public()
    assert public is not None
    assert [each._replace(web="") for each in public] == [
        each for each in store.editions.all() if each.state is not EditionState.HELD
    ]


def test_a_database_of_another_schema_or_none_is_not_looked_at(tmp_path: Path) -> None:
    url = "sqlite:///ketapress.db"
    assert quick_look(url, tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    with open_store(url, tmp_path) as store, store._transactions.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert quick_look(url, tmp_path) is None
    (tmp_path / "ketapress.db").write_bytes(b"no database")
    assert quick_look(url, tmp_path) is None


@pytest.mark.parametrize("url", ["postgresql://ada@/k?host=/nonexistent", "mysql://u@h/d", "", "sqlite://"])
def test_what_cannot_be_reached_is_left_to_the_store_to_tell(url: str, tmp_path: Path) -> None:
    assert quick_look(url, tmp_path) is None
