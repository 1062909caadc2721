"""The conservation law: nobody who was frozen into an edition is lost, and nobody appears who was not.

Part of the edge: works on the driver's own cursor, inside a transaction that somebody else opened. It looks, and
changes nothing.
"""

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
    """An edition as it is written."""

    id: int
    newsletter: str
    slot_key: str
    state: str
    frozen: int
    counts: Any


class InvariantViolation(NamedTuple):
    """An edition whose deliveries do not add up: `counted` are there, and `waiting` of them though it is done."""

    edition: str
    frozen_count: int
    delivery_count: int
    waiting_count: int = 0


class DeliveryTotals(NamedTuple):
    """How many deliveries of all editions stand in each state, and the editions that break the law, oldest first."""

    counts: Mapping[DeliveryState, int]
    violations: tuple[InvariantViolation, ...]


def check_invariants(cursor: Any, dialect: str, *, thorough: bool) -> DeliveryTotals:
    """All that the ledger holds, added up: a million deliveries take a fifth of a second each time.

    Frozen is what stands in the ledger, at every moment; and when an edition is done, every delivery is in a final
    state or in doubt. What is remembered of editions that are done is believed, unless `thorough` reads all rows.
    """
    rows = [_EditionRow(*row) for row in cursor.execute(_EDITIONS).fetchall()]
    counts_by_edition: dict[int, Mapping[str, int]] = {}
    for row in rows:
        saved_counts = (
            json.loads(row.counts) if isinstance(row.counts, str) else row.counts
        )  # as the driver has it
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
    total, unsettled_count = _total_and_unsettled(counts)
    waiting_count = unsettled_count if row.state == EditionState.DONE else 0
    if waiting_count or total != row.frozen:
        return InvariantViolation(f"{row.newsletter}/{row.slot_key}", row.frozen, total, waiting_count)
    return None


def _total_and_unsettled(counts: Mapping[str, int]) -> tuple[int, int]:
    return sum(counts.values()), sum(count for state, count in counts.items() if state not in _SETTLED_STATES)
