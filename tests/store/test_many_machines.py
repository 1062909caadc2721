"""PostgreSQL coordinates many processes: who is alive is told by leases, by the database's clock."""

import sys
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


def test_the_living_are_not_taken_over(opened: Callable[[], Store], store: Store) -> None:
    edition = create_sending_edition(store, 3)
    start_sending(store, edition, 1)
    assert opened().deliveries.recover("resend", NOW) == (0, 0)
    assert nonzero_counts(store, edition) == {DeliveryState.QUEUED: 2, DeliveryState.SENDING: 1}


def test_every_claim_and_every_commit_renews_the_lease(store: Store) -> None:
    edition = create_sending_edition(store, 3)
    for act in (
        lambda: claim_ids(store, edition, 1),
        lambda: store.deliveries.commit(edition, results=[], intents=[], now=NOW),
        store.deliveries.renew_lease,
    ):
        expire_leases(store)
        act()
        assert min(leases(store)) > 0


def test_an_edition_in_the_making_is_left_to_its_maker(opened: Callable[[], Store], store: Store) -> None:
    edition = create_building_edition(store)
    assert opened().editions.claim_interrupted() == ()
    expire_leases(store)
    assert [each.id for each in opened().editions.claim_interrupted()] == [edition]
    assert opened().editions.claim_interrupted() == ()


def test_a_claim_passes_over_what_another_is_claiming(opened: Callable[[], Store], store: Store) -> None:
    edition = create_sending_edition(store, 4)
    with store._transactions.write() as connection:
        theirs = [each.subscription_id for each in claimable(connection, edition, 2, NOW)[0]]
        mine = claim_ids(opened(), edition)
    assert len(theirs) == len(mine) == 2
    assert not set(theirs) & set(mine)


def test_of_four_senders_one_sleeps_past_its_lease_and_wakes(
    opened: Callable[[], Store], store: Store
) -> None:
    """Nobody is sent to twice but who was at the dot when it fell asleep, and the ledger names them."""
    edition = create_sending_edition(store, 20)
    let_out = at_the_dot = start_sending(store, edition, 2)
    asleep = claim_ids(store, edition, 3)
    expire_leases(store)
    others = [opened() for _ in range(3)]
    assert [each.deliveries.recover("resend", NOW) for each in others] == [(3, 2), (0, 0), (0, 0)]
    assert nonzero_counts(store, edition) == {DeliveryState.QUEUED: 18, DeliveryState.IN_DOUBT: 2}

    while any(claims := [claim_ids(each, edition, 4) for each in others]):
        for sender, intents in zip(others, claims, strict=True):
            allowed = sender.deliveries.commit(edition, results=[], intents=intents, now=NOW)
            let_out = [*let_out, *allowed]
            sent = [DeliveryResult(subscription_id=each, state=DeliveryState.SENT) for each in allowed]
            sender.deliveries.commit(edition, results=sent, intents=[], now=NOW)

    sent = [DeliveryResult(subscription_id=each, state=DeliveryState.SENT) for each in at_the_dot]
    with pytest.raises(LeaseLostError):
        store.deliveries.commit(edition, results=sent, intents=asleep, now=NOW)
    with pytest.raises(LeaseLostError):
        store.deliveries.claim(edition, 1, "worker", NOW)
    store.deliveries.recover("resend", NOW)
    assert claim_ids(store, edition) == []
    assert nonzero_counts(store, edition) == {DeliveryState.SENT: 20}
    assert {each for each in let_out if let_out.count(each) > 1} == set(at_the_dot)


def test_who_slept_through_its_lease_in_a_commit_lets_nothing_out(store: Store) -> None:
    """Its lease was good when the commit began, and nobody has taken over yet: they may have by now."""
    edition = create_sending_edition(store, 3)
    seconds = iter([0.0, LEASE_MICROSECONDS / 1e6 + 1, 100.0, 101.0])
    slow = Deliveries(store._transactions, clock=lambda: next(seconds))
    [first, second] = slow.claim(edition, 2, "worker", NOW)
    with pytest.raises(LeaseLostError):
        slow.commit(edition, results=[], intents=[first.subscription_id], now=NOW)
    assert slow.commit(edition, results=[], intents=[second.subscription_id], now=NOW)
    assert slow.recover("hold", NOW) == (0, 2)
    assert nonzero_counts(store, edition) == {DeliveryState.QUEUED: 1, DeliveryState.IN_DOUBT: 2}


def test_who_was_stopped_inside_a_transaction_keeps_nobody_waiting(
    opened: Callable[[], Store], store: Store
) -> None:
    edition = create_sending_edition(store, 3)
    start_sending(store, edition, 1)
    expire_leases(store)
    with store._transactions.write() as connection:
        locked_state(connection, edition)
        connection.exec_driver_sql("SELECT id FROM workers FOR UPDATE")
        other = opened().deliveries
        assert other.freeze(edition, "weekly", NOW) == 3
        assert other.recover("resend", NOW) == (0, 0)
        assert len(other.claim(edition, 3, "worker", NOW)) == 2
    assert other.recover("resend", NOW) == (2, 1)


def test_a_transaction_that_says_nothing_ends_before_a_lease_does(store: Store) -> None:
    with store._transactions.read() as connection:
        assert connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar() == "30s"
    assert IDLE_TIMEOUT_MS * 1000 < LEASE_MICROSECONDS


@pytest.mark.parametrize(("durability", "said"), [("power", "on"), ("process", "off")])
def test_a_commit_is_as_durable_as_was_asked(migrated_url: str, durability: str, said: str) -> None:
    with open_store(migrated_url, Path(), durability=durability) as store:
        for _ in range(2):
            with store._transactions.read() as connection:
                assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == said


def test_a_connection_that_was_cut_is_opened_anew(store: Store) -> None:
    subscribe(store, make_import_rows(1))
    with pytest.raises(StoreError, match="its server does not answer, or broke off"):  # noqa: SIM117 - two borders
        with store._transactions.write() as connection:
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
    assert store.subscribers.find("person0@example.org")


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(
        StoreError, match=r"postgresql\+psycopg://ada:\*\*\*@/k.*its server does not answer"
    ) as refused:
        open_store(f"postgresql://ada:sesame@/k?host={tmp_path}", tmp_path)
    assert "sesame" not in str(refused.value)


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
    def synchronous(*, soon: bool) -> str:
        with store._transactions.write(async_commit=soon) as connection:
            return str(connection.exec_driver_sql("SHOW synchronous_commit").scalar_one())

    with open_store(migrated_url, tmp_path, durability="power") as store:
        assert [synchronous(soon=soon) for soon in (False, True, False)] == ["on", "off", "on"]


def test_what_is_read_together_is_of_one_moment(opened: Callable[[], Store], store: Store) -> None:
    edition = create_sending_edition(store, 3)
    with store._transactions.read() as connection:
        before = count_deliveries(connection, edition)
        start_sending(opened(), edition, 2)
        assert count_deliveries(connection, edition) == before
