"""PostgreSQL coordinates many processes: leases by the database's clock show which are alive."""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import URL

from ketapress.model.delivery import DeliveryResult, DeliveryState, LeaseLostError
from ketapress.model.errors import StoreError
from ketapress.store.db.engine import IDLE_TIMEOUT_MS
from ketapress.store.deliveries import LEASE_MICROSECONDS, Deliveries
from ketapress.store.statements.counts import count_deliveries
from ketapress.store.statements.delivery_batch import claimable, locked_state
from ketapress.store.store import Store, open_store
from support.factories import NOW
from support.store_fixture import (
    claim_ids,
    create_building_edition,
    create_sending_edition,
    expire_leases,
    make_import_rows,
    nonzero_counts,
    start_sending,
    subscribe,
)


@pytest.fixture
def database() -> str:
    return "postgresql"


def leases(store: Store) -> list[int]:
    with store._transactions.read() as connection:
        return list(connection.exec_driver_sql("SELECT lease_until FROM workers ORDER BY id").scalars())


def test_the_living_are_not_taken_over(open_another: Callable[[], Store], store: Store) -> None:
    edition_id = create_sending_edition(store, 3)
    start_sending(store, edition_id, 1)
    assert open_another().deliveries.recover("resend", NOW) == (0, 0)
    assert nonzero_counts(store, edition_id) == {DeliveryState.QUEUED: 2, DeliveryState.SENDING: 1}


def test_every_claim_and_every_commit_renews_the_lease(store: Store) -> None:
    edition_id = create_sending_edition(store, 3)
    for action in (
        lambda: claim_ids(store, edition_id, 1),
        lambda: store.deliveries.commit(edition_id, results=[], intents=[], now=NOW),
        store.deliveries.renew_lease,
    ):
        expire_leases(store)
        action()
        assert min(leases(store)) > 0


def test_an_edition_in_the_making_is_left_to_its_maker(
    open_another: Callable[[], Store], store: Store
) -> None:
    edition_id = create_building_edition(store)
    assert open_another().editions.claim_interrupted() == ()
    expire_leases(store)
    assert [
        interrupted_edition.id for interrupted_edition in open_another().editions.claim_interrupted()
    ] == [edition_id]
    assert open_another().editions.claim_interrupted() == ()


def test_a_claim_passes_over_what_another_is_claiming(
    open_another: Callable[[], Store], store: Store
) -> None:
    edition_id = create_sending_edition(store, 4)
    with store._transactions.write() as connection:
        other_ids = [recipient.subscription_id for recipient in claimable(connection, edition_id, 2, NOW)[0]]
        own_ids = claim_ids(open_another(), edition_id)
    assert len(other_ids) == len(own_ids) == 2
    assert not set(other_ids) & set(own_ids)


def test_of_four_senders_one_sleeps_past_its_lease_and_wakes(
    open_another: Callable[[], Store], store: Store
) -> None:
    """Only the messages in SENDING when the process stopped are sent twice, and they were in doubt before."""
    edition_id = create_sending_edition(store, 20)
    permitted_ids = sending_ids = start_sending(store, edition_id, 2)
    sleeper_ids = claim_ids(store, edition_id, 3)
    expire_leases(store)
    other_stores = [open_another() for _ in range(3)]
    assert [sender.deliveries.recover("resend", NOW) for sender in other_stores] == [(3, 2), (0, 0), (0, 0)]
    assert nonzero_counts(store, edition_id) == {DeliveryState.QUEUED: 18, DeliveryState.IN_DOUBT: 2}

    while any(claims := [claim_ids(sender, edition_id, 4) for sender in other_stores]):
        for sender, intents in zip(other_stores, claims, strict=True):
            allowed_ids = sender.deliveries.commit(edition_id, results=[], intents=intents, now=NOW)
            permitted_ids = [*permitted_ids, *allowed_ids]
            results = [
                DeliveryResult(subscription_id=subscription_id, state=DeliveryState.SENT)
                for subscription_id in allowed_ids
            ]
            sender.deliveries.commit(edition_id, results=results, intents=[], now=NOW)

    results = [
        DeliveryResult(subscription_id=subscription_id, state=DeliveryState.SENT)
        for subscription_id in sending_ids
    ]
    with pytest.raises(LeaseLostError):
        store.deliveries.commit(edition_id, results=results, intents=sleeper_ids, now=NOW)
    with pytest.raises(LeaseLostError):
        store.deliveries.claim(edition_id, 1, "worker", NOW)
    store.deliveries.recover("resend", NOW)
    assert claim_ids(store, edition_id) == []
    assert nonzero_counts(store, edition_id) == {DeliveryState.SENT: 20}
    repeated_ids = {subscription_id for subscription_id, count in Counter(permitted_ids).items() if count > 1}
    assert repeated_ids == set(sending_ids)


def test_who_slept_through_its_lease_in_a_commit_lets_nothing_out(store: Store) -> None:
    """The lease was valid when the commit began, but another process may have recovered the deliveries since."""
    edition_id = create_sending_edition(store, 3)
    seconds = iter([0.0, LEASE_MICROSECONDS / 1e6 + 1, 100.0, 101.0])
    sleeper = Deliveries(store._transactions, clock=lambda: next(seconds))
    [first_recipient, second_recipient] = sleeper.claim(edition_id, 2, "worker", NOW)
    with pytest.raises(LeaseLostError):
        sleeper.commit(edition_id, results=[], intents=[first_recipient.subscription_id], now=NOW)
    assert sleeper.commit(edition_id, results=[], intents=[second_recipient.subscription_id], now=NOW)
    assert sleeper.recover("hold", NOW) == (0, 2)
    assert nonzero_counts(store, edition_id) == {DeliveryState.QUEUED: 1, DeliveryState.IN_DOUBT: 2}


def test_who_was_stopped_inside_a_transaction_keeps_nobody_waiting(
    open_another: Callable[[], Store], store: Store
) -> None:
    edition_id = create_sending_edition(store, 3)
    start_sending(store, edition_id, 1)
    expire_leases(store)
    with store._transactions.write() as connection:
        locked_state(connection, edition_id)
        connection.exec_driver_sql("SELECT id FROM workers FOR UPDATE")
        other_deliveries = open_another().deliveries
        assert other_deliveries.freeze(edition_id, "weekly", NOW) == 3
        assert other_deliveries.recover("resend", NOW) == (0, 0)
        assert len(other_deliveries.claim(edition_id, 3, "worker", NOW)) == 2
    assert other_deliveries.recover("resend", NOW) == (2, 1)


def test_a_transaction_that_says_nothing_ends_before_a_lease_does(store: Store) -> None:
    with store._transactions.read() as connection:
        assert connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == "30s"
    assert IDLE_TIMEOUT_MS * 1000 < LEASE_MICROSECONDS


@pytest.mark.parametrize(("durability", "expected"), [("power", "on"), ("process", "off")])
def test_a_commit_is_as_durable_as_was_asked(migrated_url: str, durability: str, expected: str) -> None:
    with open_store(migrated_url, Path(), durability=durability) as store:
        for _ in range(2):
            with store._transactions.read() as connection:
                assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == expected


def test_a_connection_that_was_cut_is_opened_anew(store: Store) -> None:
    subscribe(store, make_import_rows(1))
    with pytest.raises(StoreError, match="its server does not respond, or closed the connection"):  # noqa: SIM117 - two context managers
        with store._transactions.write() as connection:
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
    assert store.subscribers.find("person0@example.org")


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(
        StoreError, match=r"postgresql\+psycopg://ada:\*\*\*@/k.*its server does not respond"
    ) as error:
        open_store(f"postgresql://ada:sesame@/k?host={tmp_path}", tmp_path)
    assert "sesame" not in str(error.value)


def test_a_missing_driver_is_said_with_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r'pip install "ketapress\[postgres\]"'):
        open_store("postgresql://ada@localhost/k", tmp_path)


def test_a_database_that_is_not_there_is_named(server: URL, tmp_path: Path) -> None:
    url = server.set(database="nowhere").render_as_string(hide_password=False)
    with pytest.raises(StoreError, match=r'"nowhere" does not exist'):
        open_store(url, tmp_path)


def test_only_what_can_be_done_again_is_not_waited_for(migrated_url: str, tmp_path: Path) -> None:
    def read_setting(*, async_commit: bool) -> str:
        with store._transactions.write(async_commit=async_commit) as connection:
            return str(connection.exec_driver_sql("SHOW synchronous_commit").scalar_one())

    with open_store(migrated_url, tmp_path, durability="power") as store:
        assert [read_setting(async_commit=async_commit) for async_commit in (False, True, False)] == [
            "on",
            "off",
            "on",
        ]


def test_what_is_read_together_is_of_one_moment(open_another: Callable[[], Store], store: Store) -> None:
    edition_id = create_sending_edition(store, 3)
    with store._transactions.read() as connection:
        counts_before = count_deliveries(connection, edition_id)
        start_sending(open_another(), edition_id, 2)
        assert count_deliveries(connection, edition_id) == counts_before
