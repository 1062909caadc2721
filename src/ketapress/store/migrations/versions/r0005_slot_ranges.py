"""One row decides a range of old slots that were merged into a newer one."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("editions", sa.Column("first_slot_at", sa.BigInteger))
