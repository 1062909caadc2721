"""Count subscriptions and deliveries by state on a driver's cursor, without SQLAlchemy.

Everything is counted from the rows: a counter beside them could disagree with them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ketapress.model.delivery import DeliveryState
from ketapress.model.subscriber import SubscriptionState
from ketapress.store.db.codes import delivery_code, delivery_state

_QUEUED, _SENT = delivery_code(DeliveryState.QUEUED), delivery_code(DeliveryState.SENT)

_BY_STATE = """
    SELECT edition_id, state, count(*) FROM deliveries WHERE edition_id IN ({ids}) GROUP BY edition_id, state
"""
# SQLite sorts a million rows to group them by state, which takes three times as long as one scan with filters.
_MAIN_STATES = """
    SELECT edition_id, count(*), count(*) FILTER (WHERE state = {queued}), count(*) FILTER (WHERE state = {sent})
    FROM deliveries WHERE edition_id IN ({ids}) GROUP BY edition_id
"""
_OTHER_STATES = """
    SELECT edition_id, state, count(*) FROM deliveries WHERE edition_id IN ({ids})
    AND state NOT IN ({queued}, {sent}) GROUP BY edition_id, state
"""
# The plus sign disables the primary key, which would scan the whole edition, for the index on worker_id.
_HELD_STATES = """
    SELECT edition_id, state, count(*) FROM deliveries WHERE +edition_id IN ({ids}) AND worker_id IS NOT NULL
    AND state NOT IN ({queued}, {sent}) GROUP BY edition_id, state
"""
_SUBSCRIPTIONS = "SELECT newsletter, state, count(*) FROM subscriptions {where} GROUP BY newsletter, state"


def count_by_edition(cursor: Any, dialect: str, edition_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Return the deliveries by edition and state, zeros included. Editions without deliveries are missing."""
    if not edition_ids:
        return {}
    ids = ", ".join(map(str, edition_ids))
    rows = (
        _count_deliveries_sqlite(cursor, ids)
        if dialect == "sqlite"
        else cursor.execute(_BY_STATE.format(ids=ids))
    )
    counts_by_edition: dict[int, dict[str, int]] = {}
    for edition_id, code, count in rows:
        zeros = {state.value: 0 for state in DeliveryState}
        counts_by_edition.setdefault(edition_id, zeros)[delivery_state(code).value] = count
    return counts_by_edition


def count_subscriptions(cursor: Any, dialect: str) -> Mapping[tuple[str, SubscriptionState], int]:
    """Return the subscriptions by newsletter and state, without zeros."""
    rows = (
        _count_subscriptions_sqlite(cursor)
        if dialect == "sqlite"
        else cursor.execute(_SUBSCRIPTIONS.format(where=""))
    )
    return {(newsletter, SubscriptionState(state)): count for newsletter, state, count in rows}


def _count_deliveries_sqlite(cursor: Any, ids: str) -> Iterator[tuple[int, int, int]]:
    """Yield edition, state code and count on SQLite: first of the two states that nearly all deliveries are in.

    Deliveries that a worker holds are counted by their index. Only if others remain, a second scan counts them.
    """
    sql_values = {"ids": ids, "queued": _QUEUED, "sent": _SENT}
    remainder = 0
    for edition_id, total, queued_count, sent_count in cursor.execute(
        _MAIN_STATES.format_map(sql_values)
    ).fetchall():
        yield edition_id, _QUEUED, queued_count
        yield edition_id, _SENT, sent_count
        remainder += total - queued_count - sent_count
    if remainder:
        other_rows = cursor.execute(_HELD_STATES.format_map(sql_values)).fetchall()
        if _sum_counts(other_rows) < remainder:
            other_rows = cursor.execute(_OTHER_STATES.format_map(sql_values)).fetchall()
        yield from other_rows


def _count_subscriptions_sqlite(cursor: Any) -> list[tuple[str, str, int]]:
    """Return newsletter, state and count on SQLite, the largest group as the total minus the others.

    SQLite counts a whole table twenty times as fast as a part of it. The active subscriptions to the newsletter of
    the newest row are taken for the largest group.
    """
    newest_row = cursor.execute("SELECT newsletter FROM subscriptions ORDER BY id DESC LIMIT 1").fetchone()
    if newest_row is None:
        return []
    main_group = (newest_row[0], SubscriptionState.ACTIVE.value)
    ranges = (
        ("newsletter < ?", main_group[:1]),
        ("newsletter > ?", main_group[:1]),
        ("newsletter = ? AND state < ?", main_group),
        ("newsletter = ? AND state > ?", main_group),
    )
    rows = [
        row
        for condition, values in ranges
        for row in cursor.execute(_SUBSCRIPTIONS.format(where=f"WHERE {condition}"), values)
    ]
    remainder = cursor.execute("SELECT count(*) FROM subscriptions").fetchone()[0] - _sum_counts(rows)
    return [*rows, (*main_group, remainder)] if remainder else rows


def _sum_counts(rows: Iterable[tuple[Any, Any, int]]) -> int:
    return sum(count for _, _, count in rows)
