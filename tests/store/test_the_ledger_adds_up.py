"""The conservation law, looked at for all editions at once."""

import pytest

from ketapress.check.invariants import conservation_problems
from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import EditionState
from ketapress.store.store import Store
from support.factories import NOW
from support.store_fixture import begun, crowd, sending_edition, settle, stored_edition, subscribe


def done_edition(store: Store, people: int) -> int:
    edition = sending_edition(store, people)
    settle(store, edition, begun(store, edition), DeliveryState.SENT)
    store.editions.move(edition, [EditionState.SENDING], EditionState.DONE, now=NOW)
    return edition


def lose(store: Store, where: str = "1 = 1") -> None:
    with store._transactions.write() as connection:
        connection.exec_driver_sql(f"DELETE FROM deliveries WHERE {where}")


def test_a_ledger_that_adds_up_is_no_problem(store: Store) -> None:
    assert store.imbalances(thorough=True) == ()
    done_edition(store, 3)
    subscribe(store, crowd(5))
    store.deliveries.freeze(stored_edition(store, day=19, posts=["b"]), "weekly", NOW)
    assert store.imbalances() == store.imbalances(thorough=True) == ()
    assert conservation_problems(store.imbalances()) == ()


@pytest.mark.usefixtures("losses")
def test_a_lost_delivery_is_told_with_its_edition(store: Store) -> None:
    edition = sending_edition(store, 3)
    lose(store, f"subscription_id = {begun(store, edition)[1]}")
    [problem] = conservation_problems(store.imbalances())
    assert problem.needs_person
    assert problem.message == (
        "weekly/2023-06-12T0800: 3 deliveries were written when it was frozen, and there are 2."
    )


@pytest.mark.usefixtures("losses")
@pytest.mark.parametrize("thorough", [False, True])
def test_what_is_remembered_of_an_edition_that_is_done_is_believed_unless_all_is_read(
    store: Store, thorough: bool
) -> None:
    done_edition(store, 2)
    lose(store)
    assert [(each.frozen, each.counted) for each in store.imbalances(thorough=thorough)] == [
        (2, 0)
    ] * thorough


@pytest.mark.usefixtures("losses")
@pytest.mark.parametrize("handed_out", [0, 1])
def test_an_edition_that_is_done_has_nobody_waiting(store: Store, handed_out: int) -> None:
    edition = sending_edition(store, 3)
    if handed_out:
        settle(store, edition, begun(store, edition, handed_out), DeliveryState.IN_DOUBT)
    store.editions.move(edition, [EditionState.SENDING], EditionState.DONE, now=NOW)
    [problem] = conservation_problems(store.imbalances())
    assert f"it is done, but {3 - handed_out} of its deliveries still wait" in problem.message
