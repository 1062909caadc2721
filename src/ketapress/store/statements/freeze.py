"""Freeze the recipients of an edition: write its deliveries for the active subscriptions, one chunk a transaction.

The edition's row holds the progress: a freeze continues after a crash, and of two at once each chunk is written by one.
Each subscription is counted, by its delivery or by its state in `left_out`.
"""

from collections import Counter
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, exists, func, insert, literal, select, update

from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import EditionState
from ketapress.model.subscriber import SubscriptionState
from ketapress.store.db.schema import DeliveryCode, deliveries, editions, instant_literal, subscriptions
from ketapress.store.statements.transitions import DUE_NOW

_INACTIVE_STATES = tuple(state for state in SubscriptionState if state is not SubscriptionState.ACTIVE)
_delivery, _edition, _subscription = deliveries.c, editions.c, subscriptions.c


def has_active_subscriptions(connection: Connection, newsletter: str) -> bool:
    """Return whether a newsletter has an active subscription."""
    return bool(connection.scalar(select(exists().where(_has_state(newsletter, SubscriptionState.ACTIVE)))))


def start_freeze(connection: Connection, edition_id: int, newsletter: str, now: datetime) -> None:
    """Set a READY edition to SENDING, and the last subscription to freeze, unless an earlier freeze has set it.

    Without active subscriptions the edition stays READY, and its skipped subscriptions are counted.
    """
    condition = and_(_edition.id == edition_id, _edition.state == EditionState.READY)
    is_started = _edition.freeze_to.is_not(None)
    if not has_active_subscriptions(connection, newsletter):
        skipped_counts = _count_skipped(connection, newsletter, _subscription.id > 0)
        connection.execute(update(editions).where(condition, ~is_started).values(left_out=skipped_counts))
        condition = and_(condition, is_started)
    highest_id = select(func.max(_subscription.id)).scalar_subquery()
    connection.execute(
        update(editions)
        .where(condition)
        .values(
            state=EditionState.SENDING,
            changed_at=now,
            freeze_to=func.coalesce(_edition.freeze_to, highest_id),
            frozen_to=func.coalesce(_edition.frozen_to, 0),
        )
    )


def freeze_chunk(connection: Connection, edition_id: int, newsletter: str, chunk_size: int) -> bool:
    """Freeze the next `chunk_size` recipients. Return False if none are left or the edition is not SENDING."""
    is_incomplete = and_(
        _edition.id == edition_id,
        _edition.state == EditionState.SENDING,
        _edition.frozen_to < _edition.freeze_to,
    )
    if not connection.scalar(select(exists().where(is_incomplete))):
        return False  # without the lock, which a process that is stopped in its commit may hold for a while
    progress = connection.execute(
        select(_edition.frozen_to, _edition.freeze_to, _edition.left_out)
        .where(is_incomplete)
        .with_for_update()
    ).first()
    if progress is None:
        return False
    in_rest = and_(_subscription.id > progress.frozen_to, _subscription.id <= progress.freeze_to)
    is_active = _has_state(newsletter, SubscriptionState.ACTIVE)
    last_in_chunk = (
        select(_subscription.id)
        .where(is_active, in_rest)
        .order_by(_subscription.id)
        .offset(chunk_size - 1)
        .limit(1)
    )
    last_id = connection.scalar(last_in_chunk) or progress.freeze_to
    in_chunk = and_(_subscription.id > progress.frozen_to, _subscription.id <= last_id)
    skipped_counts = Counter(progress.left_out if progress.frozen_to else {}) + Counter(
        _count_skipped(connection, newsletter, in_chunk)
    )
    written_count = _insert_queued(connection, edition_id, and_(is_active, in_chunk))
    connection.execute(
        update(editions)
        .where(_edition.id == edition_id)
        .values(frozen_to=last_id, frozen=_edition.frozen + written_count, left_out=skipped_counts)
    )
    return True


def _insert_queued(connection: Connection, edition_id: int, condition: ColumnElement[bool]) -> int:
    """Insert a queued delivery for each subscription that matches. Return how many."""
    rows = select(
        literal(edition_id),
        _subscription.id,
        literal(DeliveryState.QUEUED, DeliveryCode),
        literal(0),
        instant_literal(DUE_NOW),
    ).where(condition)
    columns = [
        _delivery.edition_id,
        _delivery.subscription_id,
        _delivery.state,
        _delivery.attempts,
        _delivery.next_at,
    ]
    return connection.execute(insert(deliveries).from_select(columns, rows)).rowcount


def _count_skipped(connection: Connection, newsletter: str, id_range: ColumnElement[bool]) -> dict[str, int]:
    """Count a newsletter's subscriptions that are not active, by state, without zeros.

    One index range a state: grouping all subscriptions would cost more than freezing them.
    """
    counts = {
        state.value: connection.scalar(select(func.count()).where(_has_state(newsletter, state), id_range))
        or 0
        for state in _INACTIVE_STATES
    }
    return {state: count for state, count in counts.items() if count}


def _has_state(newsletter: str, state: SubscriptionState) -> ColumnElement[bool]:
    return and_(_subscription.newsletter == newsletter, _subscription.state == state)
