"""Read an overview of all editions, subscriptions and deliveries in one snapshot, with the driver alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import Decision, EditionState, Slot, StoredEdition
from ketapress.model.subscriber import SubscriptionState
from ketapress.store.db.codes import delivery_code, from_microseconds
from ketapress.store.db.read_only import read_with_driver
from ketapress.store.statements.counts_sql import count_subscriptions
from ketapress.store.statements.invariants import DeliveryTotals, check_invariants

_EDITIONS = """
    SELECT id, newsletter, slot_key, slot_at, decision, state, why FROM editions
    WHERE state IS NOT NULL ORDER BY slot_at DESC, newsletter, id
"""
_IN_DOUBT = """
    SELECT newsletter, slot_key, count(*) FROM editions JOIN deliveries ON edition_id = id
    WHERE editions.state IN ('ready', 'held', 'sending') AND deliveries.state = {in_doubt}
    AND next_at IS NULL GROUP BY newsletter, slot_key, slot_at ORDER BY slot_at, newsletter
"""
_GENERATION = "SELECT value FROM properties WHERE name = 'generation'"


class StoreOverview(NamedTuple):
    """The state of the store at one moment.

    `editions` are the composed ones, newest first, each with its slot, state and reason only. `subscription_counts`
    are by newsletter and state. `generation` is how often sending was started. `in_doubt_counts` are the messages that
    wait for a person, by edition.
    """

    editions: tuple[StoredEdition, ...]
    subscription_counts: Mapping[tuple[str, SubscriptionState], int]
    deliveries: DeliveryTotals
    generation: int
    in_doubt_counts: Mapping[str, int]


def read_overview(url: str, root: Path) -> StoreOverview | None:
    """Return the overview without opening the store; None if the store has to be opened (see `read_with_driver`)."""
    return read_with_driver(url, root, select_overview)


def select_overview(cursor: Any, dialect: str) -> StoreOverview:
    """Return the overview in the transaction of a driver's cursor."""
    edition_rows = cursor.execute(_EDITIONS).fetchall()
    deliveries = check_invariants(cursor, dialect, thorough=False)
    in_doubt_counts = _count_in_doubt(cursor) if deliveries.counts[DeliveryState.IN_DOUBT] else {}
    generation_row = cursor.execute(_GENERATION).fetchone()
    return StoreOverview(
        editions=tuple(_to_edition(*row) for row in edition_rows),
        subscription_counts=count_subscriptions(cursor, dialect),
        deliveries=deliveries,
        generation=int(generation_row[0]) if generation_row else 0,
        in_doubt_counts=in_doubt_counts,
    )


def _count_in_doubt(cursor: Any) -> Mapping[str, int]:
    rows = cursor.execute(_IN_DOUBT.format(in_doubt=delivery_code(DeliveryState.IN_DOUBT))).fetchall()
    return {f"{newsletter}/{key}": count for newsletter, key, count in rows}


def _to_edition(
    edition_id: int, newsletter: str, key: str, slot_at: int, decision: str, state: str, reason: str | None
) -> StoredEdition:
    slot = Slot(newsletter, key, from_microseconds(slot_at))
    return StoredEdition(edition_id, slot, Decision(decision), EditionState(state), reason=reason or "")
