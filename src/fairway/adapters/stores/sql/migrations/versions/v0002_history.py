"""The course of the evidence of each run."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes the table; this file never changes again."""
    op.create_table(
        "fairway_history",
        sa.Column("run", sa.Text, sa.ForeignKey("fairway_runs.id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run", "number"),
    )
