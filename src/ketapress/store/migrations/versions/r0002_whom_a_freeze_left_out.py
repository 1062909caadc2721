"""An edition keeps for whom no delivery was written when it was frozen: how many, by the state of their consent."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("editions", sa.Column("left_out", sa.JSON))
