"""Report editions whose deliveries do not add up."""

from collections.abc import Iterable

from ketapress.model.errors import Problem
from ketapress.store.statements.invariants import InvariantViolation


def invariant_problems(violations: Iterable[InvariantViolation]) -> tuple[Problem, ...]:
    """Return a problem for each violation; there is one only where rows were lost, or changed from outside."""
    problems = []
    for violation in violations:
        if violation.waiting_count:
            message = (
                f"{violation.edition} is done, but {violation.waiting_count:,} of its deliveries are waiting."
            )
        else:
            message = (
                f"{violation.edition} was frozen with {violation.frozen_count:,} deliveries, "
                f"but the database has {violation.delivery_count:,}."
            )
        problems.append(
            Problem(
                code="ledger.unbalanced",
                message=message,
                cure="Send nothing, keep a copy of the database, and find out what changed it: another program, or "
                f"its disk. `ketapress outbox show {violation.edition} --deliveries` lists who received the edition.",
            )
        )
    return tuple(problems)
