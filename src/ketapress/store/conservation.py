"""The conservation law: nobody who was frozen into an edition is lost, and nobody appears who was not.

Part of the edge: works on a connection, inside a transaction that somebody else opened. It looks, and changes nothing.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from ketapress.model.delivery import FINAL_STATES, DeliveryState
from ketapress.model.edition import EditionState
from ketapress.store.tables import deliveries, editions

_d, _e = deliveries.c, editions.c
_AT_REST = FINAL_STATES | {DeliveryState.IN_DOUBT}


class Imbalance(NamedTuple):
    """An edition whose deliveries do not add up: `counted` are there, and `waiting` of them though it is done."""

    edition: str
    frozen: int
    counted: int
    waiting: int = 0


def imbalances(connection: Connection, *, thorough: bool) -> tuple[Imbalance, ...]:
    """Every edition that breaks the law, oldest first; none, if all is well.

    Frozen is what stands in the ledger, at every moment; and when an edition is done, every delivery is in a final
    state or in doubt. What is remembered of editions that are done is believed, unless `thorough` reads all rows.
    """
    rows = connection.execute(
        select(_e.id, _e.newsletter, _e.slot_key, _e.state, _e.frozen, _e.counts)
        .where(_e.state.is_not(None))
        .order_by(_e.slot_at, _e.id)
    ).all()
    remembered = {row.id: _summed(row.counts) for row in rows if row.counts is not None and not thorough}
    counted = _counted(connection, [row.id for row in rows if row.id not in remembered])
    found = []
    for row in rows:
        total, unsettled = remembered.get(row.id) or counted.get(row.id) or (0, 0)
        waiting = unsettled if row.state is EditionState.DONE else 0
        if waiting or total != row.frozen:
            found.append(Imbalance(f"{row.newsletter}/{row.slot_key}", row.frozen, total, waiting))
    return tuple(found)


def _summed(counts: Mapping[str, int]) -> tuple[int, int]:
    return sum(counts.values()), sum(count for state, count in counts.items() if state not in _AT_REST)


def _counted(connection: Connection, edition_ids: list[int]) -> dict[int, tuple[int, int]]:
    """By edition: how many rows the ledger has, and how many of them are not at rest.

    Grouped as the key is ordered: by state, too, a million rows would be sorted first.
    """
    if not edition_ids:
        return {}
    unsettled = func.count().filter(_d.state.not_in(_AT_REST))
    counts = select(_d.edition_id, func.count().label("total"), unsettled.label("unsettled"))
    rows = connection.execute(counts.where(_d.edition_id.in_(edition_ids)).group_by(_d.edition_id))
    return {row.edition_id: (row.total, row.unsettled) for row in rows}
