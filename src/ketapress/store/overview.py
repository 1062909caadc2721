"""Edge: one look at all the books, for whoever wants to know how things stand.

In: `database.url`, the folder. Out: editions, people and deliveries as of one moment. It goes to the database by the
driver alone, and changes nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import Decision, EditionState, Slot, StoredEdition
from ketapress.model.subscriber import SubscriptionState
from ketapress.store.db.codes import delivery_code, moment_of
from ketapress.store.db.read_only import by_driver
from ketapress.store.statements.counts_sql import people_counted
from ketapress.store.statements.invariants import Balance, balance

_EDITIONS = """
    SELECT id, newsletter, slot_key, slot_at, decision, state, why FROM editions
    WHERE state IS NOT NULL ORDER BY slot_at DESC, newsletter, id
"""
_DOUBTFUL = """
    SELECT newsletter, slot_key, count(*) FROM editions JOIN deliveries ON edition_id = id
    WHERE editions.state IN ('ready', 'held', 'sending') AND deliveries.state = {in_doubt}
    AND next_at IS NULL GROUP BY newsletter, slot_key, slot_at ORDER BY slot_at, newsletter
"""
_GENERATION = "SELECT value FROM properties WHERE name = 'generation'"


class Look(NamedTuple):
    """How all of it stood at one moment.

    `editions` were composed, and the newest is the first; no more is told of each than its slot, its state and why it
    is in it. `people` are subscriptions by newsletter and state. `generation` is how often sending was started.
    `doubtful` are the messages, by their edition, of which a person has to say whether they arrived.
    """

    editions: tuple[StoredEdition, ...]
    people: Mapping[tuple[str, SubscriptionState], int]
    balance: Balance
    generation: int
    doubtful: Mapping[str, int]


def quick_look(url: str, root: Path) -> Look | None:
    """A look without opening the store; None where it has to be opened (`by_driver`)."""
    return by_driver(url, root, looked)


def looked(cursor: Any, dialect: str) -> Look:
    """What the driver's cursor shows, in a transaction that somebody else opened."""
    editions = cursor.execute(_EDITIONS).fetchall()
    books = balance(cursor, dialect, thorough=False)
    doubtful = _doubtful(cursor) if books.counts[DeliveryState.IN_DOUBT] else {}
    generation = cursor.execute(_GENERATION).fetchone()
    return Look(
        editions=tuple(_edition(*row) for row in editions),
        people=people_counted(cursor, dialect),
        balance=books,
        generation=int(generation[0]) if generation else 0,
        doubtful=doubtful,
    )


def _doubtful(cursor: Any) -> Mapping[str, int]:
    rows = cursor.execute(_DOUBTFUL.format(in_doubt=delivery_code(DeliveryState.IN_DOUBT))).fetchall()
    return {f"{newsletter}/{key}": count for newsletter, key, count in rows}


def _edition(
    number: int, newsletter: str, key: str, at: int, decision: str, state: str, why: str | None
) -> StoredEdition:
    slot = Slot(newsletter, key, moment_of(at))
    return StoredEdition(number, slot, Decision(decision), EditionState(state), why=why or "")
