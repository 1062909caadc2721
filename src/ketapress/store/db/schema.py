"""The tables, and the types that convert between Python's values and the database's.

Instants are integers, microseconds since 1970: they sort, index and compare alike in every database (see `codes`). A
row of `deliveries` is narrow, because there are as many as subscribers times editions. The message template of an
edition is stored once, in its row.
"""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
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
    """An aware datetime, in UTC when it is read. A naive one is a programming error."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> int | None:
        return None if value is None else to_microseconds(value)

    def process_result_value(self, value: int | None, _dialect: Dialect) -> datetime | None:
        return None if value is None else from_microseconds(value)


def instant_literal(moment: datetime) -> ColumnElement[datetime]:
    """Return a moment as an SQL literal, for expressions in which no column gives the type."""
    return literal(moment, Instant)


class EnumText(TypeDecorator[StrEnum]):
    """A member of an enumeration, stored as its text: readable at an SQL prompt."""

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
    """A delivery state, stored as a small number: `deliveries` is the largest table."""

    impl = SmallInteger
    cache_ok = True

    def process_bind_param(self, value: DeliveryState | None, _dialect: Dialect) -> int | None:
        return None if value is None else delivery_code(value)

    def process_result_value(self, value: int | None, _dialect: Dialect) -> DeliveryState | None:
        return None if value is None else delivery_state(value)


class DatabaseClock(ColumnElement[int]):
    """The database's clock in microseconds since 1970: all clients share it, so leases use it."""

    inherit_cache = True
    type = BigInteger()


@compiles(DatabaseClock, "sqlite")
def _sqlite_clock(_element: DatabaseClock, _compiler: SQLCompiler, **_: object) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"


@compiles(DatabaseClock, "postgresql")
def _postgresql_clock(_element: DatabaseClock, _compiler: SQLCompiler, **_: object) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"


# SQLite assigns row numbers only to a key of type INTEGER.
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
    # Links in messages contain this number: it is never reused.
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
    Column("erased", Text),  # a keyed hash of the address, after erasure
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
    # The other columns are set only for a composed slot.
    Column("state", EnumText(EditionState)),
    Column("changed_at", Instant),
    Column("lease_until", BigInteger),  # by the database's clock: until then its composer is considered alive
    Column("window_after", Instant),
    Column("window_until", Instant),
    Column("send_by", Instant),
    Column("subject", Text),
    Column("post_ids", JSON),
    Column("sizes", JSON),
    Column("why", Text),
    Column("frozen", BigInteger, nullable=False),  # how many deliveries were written
    Column("frozen_to", BigInteger),  # the highest subscription that the freeze has processed
    Column("freeze_to", BigInteger),  # the highest subscription when the freeze began
    Column("left_out", JSON),  # how many up to frozen_to got no delivery, by subscription state
    Column("counts", JSON),  # its deliveries by state, saved once it is done
    Column("letter", LargeBinary),
    Column("web", Text),
    Column("is_extra", Boolean),  # composed outside the schedule; NULL in rows of older versions
    # NULL in rows of older versions, too:
    Column("input_hash", Text),  # of the posts, settings and templates that it was rendered from
    Column("folder", Text),  # the publication folder that composed it
    Column("chosen_ids", JSON),  # its posts when its slot was decided
    Column("first_slot_at", Instant),  # of a range of merged slots, which ends at slot_at
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

# Posts that an edition gave back before it was sent: the next edition may have them, however old they are.
returned_posts = Table(
    "returned_posts",
    metadata,
    Column("newsletter", Text, nullable=False),
    Column("post_id", Text, nullable=False),
    PrimaryKeyConstraint("newsletter", "post_id"),
)

post_visibility = Table(
    "post_visibility",
    metadata,
    Column("post_id", Text, primary_key=True),
    Column("first_at", Instant, nullable=False),
    Column("since", Instant, nullable=False),
    Column("hidden_at", Instant),  # NULL while the post is visible
)

newsletter_schedules = Table(
    "newsletter_schedules",
    metadata,
    Column("newsletter", Text, primary_key=True),
    Column("cron", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("since", Instant),  # slots up to it were due by an older schedule; NULL: the first one
    Column(
        "added_at", Instant
    ),  # posts that were visible before are not mailed; NULL: all since `starts` are
)

deliveries = Table(
    "deliveries",
    metadata,
    # No foreign keys: editions are never deleted, rows outlive an erased subscription, and a million checks are slow.
    Column("subscription_id", BigInteger, nullable=False),
    Column("next_at", Instant),  # when it may be claimed; NULL: not automatically
    Column("dated", Instant),  # the Date header of a message that may have been accepted
    Column("edition_id", Integer, nullable=False),
    Column("worker_id", Integer),  # its worker while it is claimed, sending or in doubt
    Column("state", DeliveryCode, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("reply", Text),
    PrimaryKeyConstraint("edition_id", "subscription_id"),
    sqlite_with_rowid=False,
)
# The migration makes these partial on PostgreSQL, too; `postgresql_where` here would load its dialect in every process.
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
    # A fencing token: never reused, and deleted when its worker is considered dead.
    Column("id", IdInteger, primary_key=True),
    Column("name", Text, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

# Values of the whole store: `erasure` is the key of the hashes of erased addresses, `generation` counts starts of sending.
properties = Table(
    "properties",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)


def upsert(dialect: str, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """Return an insert statement with an ON CONFLICT clause, which the dialects share.

    Imports one dialect only: loading all takes longer than opening a store.
    """
    if dialect == "sqlite":
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.insert(table)
