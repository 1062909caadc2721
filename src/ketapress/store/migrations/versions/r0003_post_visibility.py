"""The store knows since when posts are visible, which an edition returned, and since when a schedule counts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "post_visibility",
        sa.Column("post_id", sa.Text, primary_key=True),
        sa.Column("first_at", sa.BigInteger, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("hidden_at", sa.BigInteger),
    )
    op.create_table(
        "returned_posts",
        sa.Column("newsletter", sa.Text, nullable=False),
        sa.Column("post_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("newsletter", "post_id"),
    )
    op.create_table(
        "newsletter_schedules",
        sa.Column("newsletter", sa.Text, primary_key=True),
        sa.Column("cron", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("since", sa.BigInteger),
        sa.Column("added_at", sa.BigInteger),
    )
    op.add_column("editions", sa.Column("is_extra", sa.Boolean))
