"""Encodings of stored values, and the schema revisions. Does not load SQLAlchemy.

Instants are microseconds since 1970. A delivery's state is a small number, because its table is by far the largest.
"""

from datetime import UTC, datetime, timedelta

from ketapress.model.delivery import DeliveryState

REVISIONS = ("0001", "0002", "0003", "0004", "0005")
"""All schema revisions, oldest first. A database at the last one is opened without loading Alembic."""

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
    """Return an aware datetime as microseconds since 1970, which sort alike in every database."""
    return (moment - EPOCH) // _MICROSECOND


def from_microseconds(value: int) -> datetime:
    """Return the instant of stored microseconds, in UTC."""
    return EPOCH + timedelta(microseconds=value)


def delivery_code(state: DeliveryState) -> int:
    """Return the number that stands for a delivery state in the database."""
    return _DELIVERY_CODES[state]


def delivery_state(code: int) -> DeliveryState:
    """Return the delivery state of a stored number."""
    return _DELIVERY_STATES[code]
