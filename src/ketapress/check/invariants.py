"""Whether the ledger adds up: each edition that breaks the conservation law becomes a problem for a person."""

from collections.abc import Iterable

from ketapress.model.errors import Problem
from ketapress.store.statements.invariants import Imbalance


def conservation_problems(imbalances: Iterable[Imbalance]) -> tuple[Problem, ...]:
    """None, unless rows were lost or changed by other hands."""
    return tuple(_problem(each) for each in imbalances)


def _problem(found: Imbalance) -> Problem:
    said = (
        f"it is done, but {found.waiting:,} of its deliveries still wait"
        if found.waiting
        else f"{found.frozen:,} deliveries were written when it was frozen, and there are {found.counted:,}"
    )
    return Problem(
        code="ledger.unbalanced",
        message=f"{found.edition}: {said}.",
        cure="Send nothing, keep a copy of the database, and look at who worked in it, or at its disk; "
        "`ketapress outbox show` tells who is known to have got it.",
    )
