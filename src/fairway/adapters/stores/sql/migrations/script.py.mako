"""${message}."""

import sqlalchemy as sa
from alembic import op

revision = "${up_revision}"
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Only adds: older code goes on working."""
    ${upgrades if upgrades else "raise NotImplementedError"}
