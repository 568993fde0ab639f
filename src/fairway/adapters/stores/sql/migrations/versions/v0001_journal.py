"""The first tables of the journal."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the tables; this file never changes again."""
    _make_runs()
    _make_environments()
    _make_outbox()
    _forbid_changes()


def _number() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _make_runs() -> None:
    op.create_table(
        "fairway_runs",
        sa.Column("number", _number(), primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("wake_at", sa.Double),
        sa.Column("holder", sa.Text),
        sa.Column("lease_until", sa.Double),
        sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("release", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("commit_id", sa.Text, nullable=False),
        sa.Column("strategy", sa.Text, nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("started", sa.Double, nullable=False),
        sa.Column("ended", sa.Double),
        sa.Column("revision", sa.Text, nullable=False),
        sa.Column("promoted_at", sa.Double),
    )
    op.create_index("fairway_runs_place", "fairway_runs", ["service", "environment", "number"])
    waits = sa.text("wake_at IS NOT NULL")
    op.create_index("fairway_runs_due", "fairway_runs", ["wake_at"], sqlite_where=waits, postgresql_where=waits)
    op.create_table(
        "fairway_events",
        sa.Column("run", sa.Text, sa.ForeignKey("fairway_runs.id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run", "version"),
    )
    op.create_table(
        "fairway_evidence",
        sa.Column("run", sa.Text, sa.ForeignKey("fairway_runs.id"), primary_key=True),
        sa.Column("data", sa.Text, nullable=False),
    )


def _make_environments() -> None:
    op.create_table(
        "fairway_environments",
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("live", sa.Text),
        sa.Column("instances", sa.Integer, nullable=False, server_default="0"),
        sa.Column("run", sa.Text),
        sa.Column("made_by", sa.Text),
        sa.Column("since", sa.Double),
        sa.Column("epoch", sa.BigInteger, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("service", "environment"),
    )
    op.create_table(
        "fairway_quarantine",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("release", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("run", sa.Text, nullable=False),
        sa.Column("at", sa.Double, nullable=False),
    )
    compatibility = op.create_table(
        "fairway_compatibility",
        sa.Column("only_row", sa.Boolean, primary_key=True),
        sa.Column("needs_schema", sa.Integer, nullable=False),
    )
    op.bulk_insert(compatibility, [{"only_row": True, "needs_schema": 1}])


def _make_outbox() -> None:
    op.create_table(
        "fairway_outbox",
        sa.Column("number", _number(), primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("receiver", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
        sa.Column("due", sa.Double, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("error", sa.Text),
        sa.Column("reserved_by", sa.Text),
        sa.Column("reserved_until", sa.Double),
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "fairway_outbox_waiting", "fairway_outbox", ["queue", "number"], sqlite_where=waiting, postgresql_where=waiting
    )


def _forbid_changes() -> None:
    """Events are appended, never changed: held by the database itself, whoever connects to it."""
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER fairway_events_no_{what.lower()} BEFORE {what} ON fairway_events "
                "BEGIN SELECT RAISE(ABORT, 'events are never changed'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION fairway_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'events are never changed'; END $$"
    )
    op.execute(
        "CREATE TRIGGER fairway_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON fairway_events "
        "FOR EACH STATEMENT EXECUTE FUNCTION fairway_refuse()"
    )
