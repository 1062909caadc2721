"""Whether the ledger adds up: each edition that breaks the conservation law becomes a problem for a person."""

from collections.abc import Iterable

from ketapress.model.errors import Problem
from ketapress.store.statements.invariants import InvariantViolation


def invariant_problems(violations: Iterable[InvariantViolation]) -> tuple[Problem, ...]:
    """None, unless rows were lost or changed by other hands."""
    return tuple(_problem(violation) for violation in violations)


def _problem(violation: InvariantViolation) -> Problem:
    difference = (
        f"it is done, but {violation.waiting_count:,} of its deliveries still wait"
        if violation.waiting_count
        else f"{violation.frozen_count:,} deliveries were written when it was frozen, and there are {violation.delivery_count:,}"
    )
    return Problem(
        code="ledger.unbalanced",
        message=f"{violation.edition}: {difference}.",
        cure="Send nothing, keep a copy of the database, and look at who worked in it, or at its disk; "
        "`ketapress outbox show` tells who is known to have got it.",
    )
