"""The conservation law, looked at for all editions at once."""

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


def done_edition(store: Store, people: int) -> int:
    edition = create_sending_edition(store, people)
    record_results(store, edition, start_sending(store, edition), DeliveryState.SENT)
    store.editions.transition(edition, [EditionState.SENDING], EditionState.DONE, now=NOW)
    return edition


def lose(store: Store, where: str = "1 = 1") -> None:
    with store._transactions.write() as connection:
        connection.exec_driver_sql(f"DELETE FROM deliveries WHERE {where}")


def test_a_ledger_that_adds_up_is_no_problem(store: Store) -> None:
    assert store.find_invariant_violations(thorough=True) == ()
    done_edition(store, 3)
    subscribe(store, make_import_rows(5))
    store.deliveries.freeze(create_edition(store, day=19, posts=["b"]), "weekly", NOW)
    assert store.find_invariant_violations() == store.find_invariant_violations(thorough=True) == ()
    assert invariant_problems(store.find_invariant_violations()) == ()


@pytest.mark.usefixtures("losses")
def test_a_lost_delivery_is_told_with_its_edition(store: Store) -> None:
    edition = create_sending_edition(store, 3)
    lose(store, f"subscription_id = {start_sending(store, edition)[1]}")
    [problem] = invariant_problems(store.find_invariant_violations())
    assert problem.needs_person
    assert problem.message == ("weekly/2023-06-12T0800 was frozen with 3 deliveries, but the database has 2.")


@pytest.mark.usefixtures("losses")
@pytest.mark.parametrize("thorough", [False, True])
def test_what_is_remembered_of_an_edition_that_is_done_is_believed_unless_all_is_read(
    store: Store, thorough: bool
) -> None:
    done_edition(store, 2)
    lose(store)
    assert [
        (each.frozen_count, each.delivery_count)
        for each in store.find_invariant_violations(thorough=thorough)
    ] == [(2, 0)] * thorough


@pytest.mark.usefixtures("losses")
@pytest.mark.parametrize("handed_out", [0, 1])
def test_an_edition_that_is_done_has_nobody_waiting(store: Store, handed_out: int) -> None:
    edition = create_sending_edition(store, 3)
    if handed_out:
        record_results(store, edition, start_sending(store, edition, handed_out), DeliveryState.IN_DOUBT)
    store.editions.transition(edition, [EditionState.SENDING], EditionState.DONE, now=NOW)
    [problem] = invariant_problems(store.find_invariant_violations())
    assert f"is done, but {3 - handed_out} of its deliveries are waiting" in problem.message
