"""How many deliveries stand in each state: counted in the ledger, and remembered of editions that are done.

Part of the edge: works on a connection, inside a transaction that somebody else opened. Without the memory, a look at
everything would read every delivery there ever was.
"""

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, null, or_, select, update

from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import EditionState
from ketapress.store.db.schema import deliveries, editions
from ketapress.store.statements.counts_sql import counted

_d, _e = deliveries.c, editions.c


def delivery_counts(connection: Connection, edition_id: int | None) -> dict[DeliveryState, int]:
    """The counts of one edition, or of all, zeros included."""
    mine = _e.frozen > 0 if edition_id is None else _e.id == edition_id
    total = Counter[str]()
    for kept in connection.scalars(select(_e.counts).where(mine, _e.counts.is_not(None))):
        total.update(kept)
    live = connection.scalars(select(_e.id).where(mine, _e.counts.is_(None))).all()
    for counts in counted(driver_cursor(connection), connection.dialect.name, live).values():
        total.update(counts)
    return {state: total[state.value] for state in DeliveryState}


def begun_since(connection: Connection, moment: datetime) -> int:
    """How many messages went to their dot since then, or are claimed and about to: of all editions."""
    lately = or_(_e.state == EditionState.SENDING, _e.changed_at >= moment)
    mine = _d.edition_id.in_(select(_e.id).where(_e.frozen > 0, lately))
    begun = or_(_d.dated >= moment, _d.state == DeliveryState.CLAIMED)
    found: int = connection.execute(
        select(func.count()).select_from(deliveries).where(mine, begun)
    ).scalar_one()
    return found


def really_counted(connection: Connection, edition_id: int) -> int:
    """How many deliveries of the edition there are, whatever is remembered."""
    return sum(_of_one(connection, edition_id).values())


def remember_counts(connection: Connection, edition_id: int) -> None:
    """The edition is done: its counts will hardly change any more."""
    counts = _of_one(connection, edition_id)
    connection.execute(update(editions).where(_e.id == edition_id).values(counts=counts))


def recount(connection: Connection, edition_id: int) -> None:
    """Something did change after all, a late answer or an erasure: from here on they are counted again."""
    connection.execute(update(editions).where(_e.id == edition_id).values(counts=null()))


def _of_one(connection: Connection, edition_id: int) -> dict[str, int]:
    nothing = {state.value: 0 for state in DeliveryState}
    return counted(driver_cursor(connection), connection.dialect.name, [edition_id]).get(edition_id, nothing)


def driver_cursor(connection: Connection) -> Any:
    """The driver's own, in the transaction of this connection."""
    return connection.connection.cursor()
