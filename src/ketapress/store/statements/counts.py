"""Count deliveries by state, and save the counts of editions that are done.

Without saved counts, an overview would read every delivery there ever was.
"""

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, null, or_, select, update

from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import EditionState
from ketapress.store.db.schema import deliveries, editions
from ketapress.store.statements.counts_sql import count_by_edition

_delivery, _edition = deliveries.c, editions.c


def count_deliveries(connection: Connection, edition_id: int | None) -> dict[DeliveryState, int]:
    """Return the deliveries of one edition, or of all, by state, zeros included."""
    condition = _edition.frozen > 0 if edition_id is None else _edition.id == edition_id
    totals = Counter[str]()
    for saved_counts in connection.scalars(
        select(_edition.counts).where(condition, _edition.counts.is_not(None))
    ):
        totals.update(saved_counts)
    edition_ids = connection.scalars(select(_edition.id).where(condition, _edition.counts.is_(None))).all()
    for counts in count_by_edition(
        get_driver_cursor(connection), connection.dialect.name, edition_ids
    ).values():
        totals.update(counts)
    return {state: totals[state.value] for state in DeliveryState}


def count_messages_since(connection: Connection, moment: datetime) -> int:
    """Count the messages of all editions that were sent since a moment, or are claimed and about to be sent."""
    is_recent = or_(_edition.state == EditionState.SENDING, _edition.changed_at >= moment)
    in_editions = _delivery.edition_id.in_(select(_edition.id).where(_edition.frozen > 0, is_recent))
    is_started = or_(_delivery.dated >= moment, _delivery.state == DeliveryState.CLAIMED)
    count: int = connection.execute(
        select(func.count()).select_from(deliveries).where(in_editions, is_started)
    ).scalar_one()
    return count


def count_rows(connection: Connection, edition_id: int) -> int:
    """Count the rows of the edition's deliveries, whatever its saved counts are."""
    return sum(_count_edition(connection, edition_id).values())


def save_counts(connection: Connection, edition_id: int) -> None:
    """Save the counts of an edition that is done: they hardly change any more."""
    counts = _count_edition(connection, edition_id)
    connection.execute(update(editions).where(_edition.id == edition_id).values(counts=counts))


def clear_saved_counts(connection: Connection, edition_id: int) -> None:
    """Remove the saved counts, so that rows are counted again: after a late reply or an erasure."""
    connection.execute(update(editions).where(_edition.id == edition_id).values(counts=null()))


def _count_edition(connection: Connection, edition_id: int) -> dict[str, int]:
    zeros = {state.value: 0 for state in DeliveryState}
    return count_by_edition(get_driver_cursor(connection), connection.dialect.name, [edition_id]).get(
        edition_id, zeros
    )


def get_driver_cursor(connection: Connection) -> Any:
    """Return a cursor of the driver in the connection's transaction."""
    return connection.connection.cursor()
