"""Brings the tables up to date when a database is opened.

Changes are additive: code that is older than the database goes on working with it, so that a controller can be
upgraded while others still run. Alembic is loaded only when there is something to change.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, select, text

from fairway.adapters.stores.sql.database import Database
from fairway.adapters.stores.sql.schema import SCHEMA, compatibility
from fairway.domain.errors import PermanentError

#: Where Alembic keeps the number of the schema; not its usual name, so that a user's own migrations do not collide.
VERSION_TABLE = "fairway_schema"
_MIGRATIONS = Path(__file__).with_name("migrations")


def ensure_schema(database: Database) -> None:
    """Makes or upgrades the tables; with several processes at once, one does it and the others wait.

    Raises:
        PermanentError: the tables are those of a later version that this one cannot work with.
    """
    with database.reading() as connection:
        found = _found(connection)
    if found < SCHEMA:
        with database.writing() as connection:
            database.lock_schema(connection)
            if _found(connection) < SCHEMA:
                _upgrade(connection)
    if found > SCHEMA:
        _require_compatible(database)


def _found(connection: Connection) -> int:
    """The number of the schema; 0 if there is none yet."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return 0
    return int(connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar() or 0)  # noqa: S608 -- a constant


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 -- 0.2 s that are needed once
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["version_table"] = VERSION_TABLE
    command.upgrade(config, "head")


def _require_compatible(database: Database) -> None:
    with database.reading() as connection:
        needs = connection.execute(select(compatibility.c.needs_schema)).scalar() or 0
    if needs > SCHEMA:
        raise PermanentError(
            "database-newer",
            f"{database.name} needs a version of Fairway that knows schema {needs}; this one knows {SCHEMA}",
            "upgrade Fairway here too",
        )
