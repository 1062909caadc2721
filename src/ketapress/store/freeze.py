"""How an edition gets its deliveries: chunk by chunk, from the subscriptions that are active.

Part of the edge: works on a connection, one transaction a step. How far it has come stands in the edition's row, so
that who is killed goes on, and two who freeze at once take turns instead of doubling.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, insert, literal, select, update

from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import EditionState
from ketapress.model.subscriber import SubscriptionState
from ketapress.store.ledger import AT_ONCE
from ketapress.store.tables import DeliveryCode, deliveries, editions, instant, subscriptions

_d, _e = deliveries.c, editions.c


def _active(newsletter: str) -> ColumnElement[bool]:
    return and_(subscriptions.c.newsletter == newsletter, subscriptions.c.state == SubscriptionState.ACTIVE)


def start_freeze(connection: Connection, edition_id: int, newsletter: str, now: datetime) -> None:
    """The edition is sending from here on; what a freeze before it has set stays as it was."""
    highest = connection.scalar(select(func.max(subscriptions.c.id)).where(_active(newsletter)))
    freeze_to = func.coalesce(_e.freeze_to, literal(highest, _e.freeze_to.type))
    connection.execute(
        update(editions)
        .where(_e.id == edition_id, _e.state == EditionState.READY, freeze_to.is_not(None))
        .values(
            state=EditionState.SENDING,
            changed_at=now,
            freeze_to=freeze_to,
            frozen_to=func.coalesce(_e.frozen_to, 0),
        )
    )


def freeze_chunk(connection: Connection, edition_id: int, newsletter: str, chunk: int) -> bool:
    """Freezes the next subscriptions; False when there were none left, or the edition is not sending any more."""
    edition = connection.execute(
        select(_e.state, _e.frozen_to, _e.freeze_to).where(_e.id == edition_id).with_for_update()
    ).one()
    if edition.state is not EditionState.SENDING or edition.frozen_to >= edition.freeze_to:
        return False
    ahead = and_(_active(newsletter), subscriptions.c.id > edition.frozen_to)
    next_ones = select(subscriptions.c.id).where(ahead, subscriptions.c.id <= edition.freeze_to)
    ids = next_ones.order_by(subscriptions.c.id).limit(chunk).subquery()
    last = connection.scalar(select(func.max(ids.c.id))) or edition.freeze_to
    rows = select(
        literal(edition_id),
        subscriptions.c.id,
        literal(DeliveryState.QUEUED, DeliveryCode),
        literal(0),
        instant(AT_ONCE),
    ).where(ahead, subscriptions.c.id <= last)
    columns = [_d.edition_id, _d.subscription_id, _d.state, _d.attempts, _d.next_at]
    written = connection.execute(insert(deliveries).from_select(columns, rows)).rowcount
    connection.execute(
        update(editions).where(_e.id == edition_id).values(frozen_to=last, frozen=_e.frozen + written)
    )
    return True
