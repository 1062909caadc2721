"""An edition stores how many subscriptions its freeze skipped, by subscription state."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("editions", sa.Column("left_out", sa.JSON))
