"""The check of all editions for lost and surplus deliveries."""

import pytest

from ketapress.check.invariants import invariant_problems
from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import EditionState
from ketapress.store.store import Store
from support.factories import NOW
from support.store_fixture import (
    create_edition,
    create_sending_edition,
    make_import_rows,
    record_results,
    start_sending,
    subscribe,
)


def create_done_edition(store: Store, subscriber_count: int) -> int:
    edition_id = create_sending_edition(store, subscriber_count)
    record_results(store, edition_id, start_sending(store, edition_id), DeliveryState.SENT)
    store.editions.transition(edition_id, [EditionState.SENDING], EditionState.DONE, now=NOW)
    return edition_id


def delete_deliveries(store: Store, condition: str = "1 = 1") -> None:
    with store._transactions.write() as connection:
        connection.exec_driver_sql(f"DELETE FROM deliveries WHERE {condition}")


def test_a_ledger_that_adds_up_is_no_problem(store: Store) -> None:
    assert store.find_invariant_violations(thorough=True) == ()
    create_done_edition(store, 3)
    subscribe(store, make_import_rows(5))
    store.deliveries.freeze(create_edition(store, day=19, posts=["b"]), "weekly", NOW)
    assert store.find_invariant_violations() == store.find_invariant_violations(thorough=True) == ()
    assert invariant_problems(store.find_invariant_violations()) == ()


@pytest.mark.usefixtures("allow_losses")
def test_a_lost_delivery_is_told_with_its_edition(store: Store) -> None:
    edition_id = create_sending_edition(store, 3)
    delete_deliveries(store, f"subscription_id = {start_sending(store, edition_id)[1]}")
    [problem] = invariant_problems(store.find_invariant_violations())
    assert problem.needs_person
    assert problem.message == ("weekly/2023-06-12T0800 was frozen with 3 deliveries, but the database has 2.")


@pytest.mark.usefixtures("allow_losses")
@pytest.mark.parametrize("thorough", [False, True])
def test_what_is_remembered_of_an_edition_that_is_done_is_believed_unless_all_is_read(
    store: Store, thorough: bool
) -> None:
    create_done_edition(store, 2)
    delete_deliveries(store)
    assert [
        (violation.frozen_count, violation.delivery_count)
        for violation in store.find_invariant_violations(thorough=thorough)
    ] == [(2, 0)] * thorough


@pytest.mark.usefixtures("allow_losses")
@pytest.mark.parametrize("in_doubt_count", [0, 1])
def test_an_edition_that_is_done_has_nobody_waiting(store: Store, in_doubt_count: int) -> None:
    edition_id = create_sending_edition(store, 3)
    if in_doubt_count:
        record_results(
            store, edition_id, start_sending(store, edition_id, in_doubt_count), DeliveryState.IN_DOUBT
        )
    store.editions.transition(edition_id, [EditionState.SENDING], EditionState.DONE, now=NOW)
    [problem] = invariant_problems(store.find_invariant_violations())
    assert f"is done, but {3 - in_doubt_count} of its deliveries are waiting" in problem.message
