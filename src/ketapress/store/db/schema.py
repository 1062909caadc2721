"""What is stored: tables, and the three types that stand between Python's values and the database's.

Instants are microseconds since 1970 as integers: they sort, index and compare the same in every database (`codes`). A
delivery is a narrow row, because there are as many as subscribers times editions; an edition's letter is stored once.
"""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    literal,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeDecorator

from ketapress.model.delivery import DeliveryState
from ketapress.model.edition import Decision, EditionState
from ketapress.model.subscriber import ConsentEvent, SubscriptionState
from ketapress.store.db.codes import delivery_code, delivery_state, from_microseconds, to_microseconds

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


class Instant(TypeDecorator[datetime]):
    """An aware datetime, in UTC when it comes back. A naive one is a programming error."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else from_microseconds(value)


def instant_literal(moment: datetime) -> ColumnElement[datetime]:
    """A moment inside an expression, where no column tells how it is stored."""
    return literal(moment, Instant)


class EnumText(TypeDecorator[StrEnum]):
    """A member of an enumeration, stored as its text so that a person with a SQL prompt can read it."""

    impl = Text
    cache_ok = True

    def __init__(self, enum_class: type[StrEnum]) -> None:
        super().__init__()
        self.enum_class = enum_class

    def process_bind_param(self, value: StrEnum | None, _dialect: Dialect) -> str | None:
        return None if value is None else value.value

    def process_result_value(self, value: str | None, _dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.enum_class(value)


class DeliveryCode(TypeDecorator[DeliveryState]):
    """A delivery's state as a small number, for the one table where bytes count."""

    impl = SmallInteger
    cache_ok = True

    def process_bind_param(self, value: DeliveryState | None, _dialect: Dialect) -> int | None:
        return None if value is None else delivery_code(value)

    def process_result_value(self, value: int | None, _dialect: Dialect) -> DeliveryState | None:
        return None if value is None else delivery_state(value)


class DatabaseClock(ColumnElement[int]):
    """The database's own clock in microseconds since 1970: the one clock that all its clients share, for leases."""

    inherit_cache = True
    type = BigInteger()


@compiles(DatabaseClock, "sqlite")
def _sqlite_clock(_element: DatabaseClock, _compiler: SQLCompiler, **_: object) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"


@compiles(DatabaseClock, "postgresql")
def _postgresql_clock(_element: DatabaseClock, _compiler: SQLCompiler, **_: object) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"


# SQLite numbers rows by itself only where the key is spelled INTEGER.
IdInteger = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()

subscribers = Table(
    "subscribers",
    metadata,
    Column("id", IdInteger, primary_key=True),
    Column("address", Text, nullable=False),
    Column("address_key", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("lang", Text),
    Column("created_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

subscriptions = Table(
    "subscriptions",
    metadata,
    # Links in mail are made from this number: one that is gone is never given to anybody else.
    Column("id", IdInteger, primary_key=True),
    Column("subscriber_id", IdInteger, ForeignKey("subscribers.id"), nullable=False),
    Column("newsletter", Text, nullable=False),
    Column("state", EnumText(SubscriptionState), nullable=False),
    Column("since", Instant, nullable=False),
    UniqueConstraint("subscriber_id", "newsletter"),
    Index("subscriptions_by_state", "newsletter", "state", "id"),
    sqlite_autoincrement=True,
)

consents = Table(
    "consents",
    metadata,
    Column("id", IdInteger, primary_key=True),
    Column("subscriber_id", IdInteger, ForeignKey("subscribers.id")),
    Column("erased", Text),  # a keyed hash of the address, once the subscriber is erased
    Column("newsletter", Text, nullable=False),
    Column("event", EnumText(ConsentEvent), nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", Text, nullable=False),
    Index("consents_by_subscriber", "subscriber_id"),
    Index("consents_by_erased", "erased"),
    sqlite_autoincrement=True,
)

editions = Table(
    "editions",
    metadata,
    Column("id", IdInteger, primary_key=True),
    Column("newsletter", Text, nullable=False),
    Column("slot_key", Text, nullable=False),
    Column("slot_at", Instant, nullable=False),
    Column("decision", EnumText(Decision), nullable=False),
    Column("decided_at", Instant, nullable=False),
    # The rest is there only for a composed slot.
    Column("state", EnumText(EditionState)),
    Column("changed_at", Instant),
    Column("lease_until", BigInteger),  # by the database's clock: until then its maker is believed alive
    Column("window_after", Instant),
    Column("window_until", Instant),
    Column("send_by", Instant),
    Column("subject", Text),
    Column("post_ids", JSON),
    Column("sizes", JSON),
    Column("why", Text),
    Column("frozen", BigInteger, nullable=False),  # how many deliveries were written
    Column("frozen_to", BigInteger),  # the highest subscription that the freeze has passed
    Column("freeze_to", BigInteger),  # the highest subscription when the freeze began
    Column("left_out", JSON),  # how many up to there got no delivery, by the state of their consent
    Column("counts", JSON),  # how its deliveries ended, once it is done
    Column("letter", LargeBinary),
    Column("web", Text),
    UniqueConstraint("newsletter", "slot_key"),
    sqlite_autoincrement=True,
)

edition_posts = Table(
    "edition_posts",
    metadata,
    Column("newsletter", Text, nullable=False),
    Column("post_id", Text, nullable=False),
    Column("edition_id", IdInteger, ForeignKey("editions.id"), nullable=False),
    PrimaryKeyConstraint("newsletter", "post_id"),
    Index("edition_posts_by_edition", "edition_id"),
)

deliveries = Table(
    "deliveries",
    metadata,
    # No foreign keys: editions are never deleted, an erased subscription leaves its rows, and a million checks cost.
    Column("subscription_id", BigInteger, nullable=False),
    Column("next_at", Instant),  # when it may be claimed; empty: not by itself
    Column("dated", Instant),  # the Date header of a message that may have been accepted
    Column("edition_id", Integer, nullable=False),
    Column("worker_id", Integer),  # whose it is while claimed, sending or in doubt
    Column("state", DeliveryCode, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("reply", Text),
    PrimaryKeyConstraint("edition_id", "subscription_id"),
    sqlite_with_rowid=False,
)
# Partial on PostgreSQL, too, as the migration makes them: to say so here would load its dialect in every process.
Index(
    "deliveries_due",
    deliveries.c.edition_id,
    deliveries.c.next_at,
    deliveries.c.subscription_id,
    sqlite_where=deliveries.c.next_at.is_not(None),
)
Index(
    "deliveries_in_hand",
    deliveries.c.worker_id,
    sqlite_where=deliveries.c.worker_id.is_not(None),
)

workers = Table(
    "workers",
    metadata,
    # A fencing token: never reused, and gone once its owner was declared dead.
    Column("id", IdInteger, primary_key=True),
    Column("name", Text, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

# What the store knows of itself: `erasure` is the key of the hashes that stand for erased people.
properties = Table(
    "properties",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)


def upsert(dialect: str, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """An insert that knows what to do about a row that is there: the two databases spell it alike.

    Each is loaded where it is used: all dialects together take longer than opening a store.
    """
    if dialect == "sqlite":
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.insert(table)
