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
from ketapress.store.statements.counts_sql import counted

_AT_REST = FINAL_STATES | {DeliveryState.IN_DOUBT}
_EDITIONS = """
    SELECT id, newsletter, slot_key, state, frozen, counts FROM editions WHERE state IS NOT NULL ORDER BY slot_at, id
"""


class _Row(NamedTuple):
    """An edition as it is written."""

    id: int
    newsletter: str
    slot_key: str
    state: str
    frozen: int
    counts: Any


class Imbalance(NamedTuple):
    """An edition whose deliveries do not add up: `counted` are there, and `waiting` of them though it is done."""

    edition: str
    frozen: int
    counted: int
    waiting: int = 0


class Balance(NamedTuple):
    """How many deliveries of all editions stand in each state, and the editions that break the law, oldest first."""

    counts: Mapping[DeliveryState, int]
    imbalances: tuple[Imbalance, ...]


def balance(cursor: Any, dialect: str, *, thorough: bool) -> Balance:
    """All that the ledger holds, added up: a million deliveries take a fifth of a second each time.

    Frozen is what stands in the ledger, at every moment; and when an edition is done, every delivery is in a final
    state or in doubt. What is remembered of editions that are done is believed, unless `thorough` reads all rows.
    """
    rows = [_Row(*row) for row in cursor.execute(_EDITIONS).fetchall()]
    standing: dict[int, Mapping[str, int]] = {}
    for row in rows:
        kept = json.loads(row.counts) if isinstance(row.counts, str) else row.counts  # as the driver has it
        if kept is not None and not thorough:
            standing[row.id] = kept
    standing |= counted(cursor, dialect, [row.id for row in rows if row.id not in standing])
    whole = Counter[str]()
    for each in standing.values():
        whole.update(each)
    wrong = filter(None, (_imbalance(row, standing.get(row.id, {})) for row in rows))
    return Balance({state: whole[state.value] for state in DeliveryState}, tuple(wrong))


def _imbalance(row: _Row, counts: Mapping[str, int]) -> Imbalance | None:
    total, unsettled = _summed(counts)
    waiting = unsettled if row.state == EditionState.DONE else 0
    if waiting or total != row.frozen:
        return Imbalance(f"{row.newsletter}/{row.slot_key}", row.frozen, total, waiting)
    return None


def _summed(counts: Mapping[str, int]) -> tuple[int, int]:
    return sum(counts.values()), sum(count for state, count in counts.items() if state not in _AT_REST)
