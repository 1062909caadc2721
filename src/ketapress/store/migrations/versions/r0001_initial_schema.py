"""The first schema: subscribers and consents, editions with their message templates, and deliveries."""

from secrets import token_hex

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_IdInteger = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create_subscribers()
    _create_editions()
    _create_deliveries()
    table = op.create_table(
        "properties",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.bulk_insert(table, [{"name": "erasure", "value": token_hex(32)}])


def _create_subscribers() -> None:
    op.create_table(
        "subscribers",
        sa.Column("id", _IdInteger, primary_key=True),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("address_key", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("lang", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", _IdInteger, primary_key=True),
        sa.Column("subscriber_id", _IdInteger, sa.ForeignKey("subscribers.id"), nullable=False),
        sa.Column("newsletter", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("subscriber_id", "newsletter"),
        sqlite_autoincrement=True,
    )
    op.create_index("subscriptions_by_state", "subscriptions", ["newsletter", "state", "id"])
    op.create_table(
        "consents",
        sa.Column("id", _IdInteger, primary_key=True),
        sa.Column("subscriber_id", _IdInteger, sa.ForeignKey("subscribers.id")),
        sa.Column("erased", sa.Text),
        sa.Column("newsletter", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("consents_by_subscriber", "consents", ["subscriber_id"])
    op.create_index("consents_by_erased", "consents", ["erased"])


def _create_editions() -> None:
    op.create_table(
        "editions",
        sa.Column("id", _IdInteger, primary_key=True),
        sa.Column("newsletter", sa.Text, nullable=False),
        sa.Column("slot_key", sa.Text, nullable=False),
        sa.Column("slot_at", sa.BigInteger, nullable=False),
        sa.Column("decision", sa.Text, nullable=False),
        sa.Column("decided_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text),
        sa.Column("changed_at", sa.BigInteger),
        sa.Column("lease_until", sa.BigInteger),
        sa.Column("window_after", sa.BigInteger),
        sa.Column("window_until", sa.BigInteger),
        sa.Column("send_by", sa.BigInteger),
        sa.Column("subject", sa.Text),
        sa.Column("post_ids", sa.JSON),
        sa.Column("sizes", sa.JSON),
        sa.Column("why", sa.Text),
        sa.Column("frozen", sa.BigInteger, nullable=False),
        sa.Column("frozen_to", sa.BigInteger),
        sa.Column("freeze_to", sa.BigInteger),
        sa.Column("counts", sa.JSON),
        sa.Column("letter", sa.LargeBinary),
        sa.Column("web", sa.Text),
        sa.UniqueConstraint("newsletter", "slot_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "edition_posts",
        sa.Column("newsletter", sa.Text, nullable=False),
        sa.Column("post_id", sa.Text, nullable=False),
        sa.Column("edition_id", _IdInteger, sa.ForeignKey("editions.id"), nullable=False),
        sa.PrimaryKeyConstraint("newsletter", "post_id"),
    )
    op.create_index("edition_posts_by_edition", "edition_posts", ["edition_id"])


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("subscription_id", sa.BigInteger, nullable=False),
        sa.Column("next_at", sa.BigInteger),
        sa.Column("dated", sa.BigInteger),
        sa.Column("edition_id", sa.Integer, nullable=False),
        sa.Column("worker_id", sa.Integer),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("attempts", sa.SmallInteger, nullable=False),
        sa.Column("reply", sa.Text),
        sa.PrimaryKeyConstraint("edition_id", "subscription_id"),
        sqlite_with_rowid=False,
    )
    _create_partial_index(
        "deliveries_due", ["edition_id", "next_at", "subscription_id"], "next_at IS NOT NULL"
    )
    _create_partial_index("deliveries_in_hand", ["worker_id"], "worker_id IS NOT NULL")
    op.create_table(
        "workers",
        sa.Column("id", _IdInteger, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("lease_until", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )


def _create_partial_index(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "deliveries", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
