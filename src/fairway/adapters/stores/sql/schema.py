"""The tables as this version of the code knows them. `migrations/` is what makes them.

Values of the domain are JSON in text columns: both databases then keep exactly what was written, and no column has to
change when the domain learns a word. Times are seconds since the epoch, UTC. The conditions of partial indexes stand in
the migrations only: SQLAlchemy would load the code of both databases to read them here.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

#: The schema that this code was written for: the last file in `migrations/versions`. Numbers rise by one.
SCHEMA = 2

metadata = MetaData()

# SQLite counts rows only in a column that is called INTEGER.
_Number = BigInteger().with_variant(Integer(), "sqlite")

#: One row a run: its version and lease, and what lists of runs show.
runs = Table(
    "fairway_runs",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("wake_at", Double),
    Column("holder", Text),
    Column("lease_until", Double),
    Column("epoch", BigInteger, nullable=False, server_default="0"),
    Column("kind", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("release", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("commit_id", Text, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("verdict", Text),
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("started", Double, nullable=False),
    Column("ended", Double),
    Column("revision", Text, nullable=False),
    Column("promoted_at", Double),
    Index("fairway_runs_place", "service", "environment", "number"),
    Index("fairway_runs_due", "wake_at"),
)

#: What happened; triggers refuse to change or delete a row.
events = Table(
    "fairway_events",
    metadata,
    Column("run", Text, ForeignKey("fairway_runs.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("type", Text, nullable=False),
    Column("data", Text, nullable=False),
    PrimaryKeyConstraint("run", "version"),
)

#: What each environment serves, and which run is under way there.
environments = Table(
    "fairway_environments",
    metadata,
    Column("service", Text, nullable=False),
    Column("environment", Text, nullable=False),
    Column("live", Text),
    Column("instances", Integer, nullable=False, server_default="0"),
    Column("run", Text),
    Column("made_by", Text),
    Column("since", Double),
    Column("epoch", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("service", "environment"),
)

#: Rejected artifacts; lifting deletes the row, the events keep the story.
quarantine = Table(
    "fairway_quarantine",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("service", Text, nullable=False),
    Column("release", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("at", Double, nullable=False),
)

#: The analysis of each run, replaced as it goes on.
evidence = Table(
    "fairway_evidence",
    metadata,
    Column("run", Text, ForeignKey("fairway_runs.id"), primary_key=True),
    Column("data", Text, nullable=False),
)

#: The course of the evidence, for people: some hundred points a run, of which only the newest is ever replaced.
history = Table(
    "fairway_history",
    metadata,
    Column("run", Text, ForeignKey("fairway_runs.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("data", Text, nullable=False),
    PrimaryKeyConstraint("run", "number"),
)

#: Messages and what became of them: `waiting`, `delivered` or `abandoned`.
outbox = Table(
    "fairway_outbox",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("queue", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("receiver", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("due", Double, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("error", Text),
    Column("reserved_by", Text),
    Column("reserved_until", Double),
    Index("fairway_outbox_waiting", "queue", "number"),
)

#: One row: how old code may be and still work with these tables. Raised only if a promise has to be broken.
compatibility = Table(
    "fairway_compatibility",
    metadata,
    Column("only_row", Boolean, primary_key=True),
    Column("needs_schema", Integer, nullable=False),
)
