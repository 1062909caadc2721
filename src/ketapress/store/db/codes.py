"""How values are written in the database, and which schema that is: what can be known without loading SQLAlchemy.

Pure. Instants are microseconds since 1970, and a delivery's state is a small number, in the one table where bytes count.
"""

from datetime import UTC, datetime, timedelta

from ketapress.model.delivery import DeliveryState

REVISIONS = ("0001", "0002")
"""Every schema there has been, oldest first. A database at the last one is opened without loading Alembic."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DELIVERY_CODES = {
    DeliveryState.QUEUED: 0,
    DeliveryState.CLAIMED: 1,
    DeliveryState.SENDING: 2,
    DeliveryState.SENT: 3,
    DeliveryState.DEFERRED: 4,
    DeliveryState.IN_DOUBT: 5,
    DeliveryState.FAILED: 6,
    DeliveryState.EXPIRED: 7,
    DeliveryState.SUPPRESSED: 8,
    DeliveryState.CANCELLED: 9,
}
_DELIVERY_STATES = {code: state for state, code in _DELIVERY_CODES.items()}


def to_microseconds(moment: datetime) -> int:
    """An instant as it is stored: since 1970, which sorts the same in every database."""
    return (moment - EPOCH) // _MICROSECOND


def from_microseconds(value: int) -> datetime:
    """The instant that is stored so, in UTC."""
    return EPOCH + timedelta(microseconds=value)


def delivery_code(state: DeliveryState) -> int:
    """The number that a delivery's state is stored as."""
    return _DELIVERY_CODES[state]


def delivery_state(code: int) -> DeliveryState:
    """The delivery's state that is stored as this number."""
    return _DELIVERY_STATES[code]
