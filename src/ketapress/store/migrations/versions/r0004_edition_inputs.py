"""An edition stores a hash of its inputs, the folder that composed it, and the posts that were chosen at first."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("editions", sa.Column("input_hash", sa.Text))
    op.add_column("editions", sa.Column("folder", sa.Text))
    op.add_column("editions", sa.Column("chosen_ids", sa.JSON))
