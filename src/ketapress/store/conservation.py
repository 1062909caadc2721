"""The conservation law: nobody who was frozen into an edition is lost, and nobody appears who was not.

Part of the edge: works on a connection, inside a transaction that somebody else opened. It looks, and changes nothing.
"""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, select

from ketapress.model.delivery import FINAL_STATES, DeliveryState
from ketapress.model.edition import EditionState
from ketapress.store.counts import counted
from ketapress.store.tables import deliveries, editions

_d, _e = deliveries.c, editions.c
_AT_REST = FINAL_STATES | {DeliveryState.IN_DOUBT}


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


def balance(connection: Connection, *, thorough: bool) -> Balance:
    """All that the ledger holds, added up in one pass: a million deliveries take a third of a second each time.

    Frozen is what stands in the ledger, at every moment; and when an edition is done, every delivery is in a final
    state or in doubt. What is remembered of editions that are done is believed, unless `thorough` reads all rows.
    """
    rows = connection.execute(
        select(_e.id, _e.newsletter, _e.slot_key, _e.state, _e.frozen, _e.counts)
        .where(_e.state.is_not(None))
        .order_by(_e.slot_at, _e.id)
    ).all()
    standing = {row.id: row.counts for row in rows if row.counts is not None and not thorough}
    if looked_at := [row.id for row in rows if row.id not in standing]:
        standing |= counted(connection, _d.edition_id.in_(looked_at))
    found = []
    for row in rows:
        total, unsettled = _summed(standing.get(row.id, {}))
        waiting = unsettled if row.state is EditionState.DONE else 0
        if waiting or total != row.frozen:
            found.append(Imbalance(f"{row.newsletter}/{row.slot_key}", row.frozen, total, waiting))
    whole = Counter[str]()
    for each in standing.values():
        whole.update(each)
    return Balance({state: whole[state.value] for state in DeliveryState}, tuple(found))


def _summed(counts: Mapping[str, int]) -> tuple[int, int]:
    return sum(counts.values()), sum(count for state, count in counts.items() if state not in _AT_REST)
