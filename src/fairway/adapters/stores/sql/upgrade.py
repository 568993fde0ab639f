"""Brings the tables up to date when a database is opened.

Changes are additive: code that is older than the database goes on working with it, so that a controller can be
upgraded while others still run. SQLAlchemy and Alembic are loaded only when there is something to change.
"""

from pathlib import Path

from fairway.adapters.stores.sql.database import Connection, Database
from fairway.domain.errors import PermanentError

#: The schema that this code was written for: the last file in `migrations/versions`. Numbers rise by one.
SCHEMA = 3
#: Where Alembic keeps the number of the schema; not its usual name, so that a user's own migrations do not collide.
VERSION_TABLE = "fairway_schema"
_MIGRATIONS = Path(__file__).with_name("migrations")


def ensure_schema(database: Database) -> None:
    """Makes or upgrades the tables; with several processes at once, one does it and the others wait.

    Raises:
        PermanentError: the tables are those of a later version that this one cannot work with.
    """
    with database.reading() as connection:
        found = _found(database, connection)
    if found < SCHEMA:
        _upgrade(database)
    if found > SCHEMA:
        _require_compatible(database)


def _found(database: Database, connection: Connection) -> int:
    """The number of the schema; 0 if there is none yet."""
    if not database.has_table(connection, VERSION_TABLE):
        return 0
    return int(connection.value(f"SELECT version_num FROM {VERSION_TABLE}") or 0)


def _upgrade(database: Database) -> None:
    """Changes the tables on a connection of its own, in one transaction that locks out others who would do the same."""
    from alembic import command  # noqa: PLC0415 -- 0.4 s that are needed once
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy import NullPool, create_engine  # noqa: PLC0415
    from sqlalchemy.exc import DBAPIError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["version_table"] = VERSION_TABLE
    engine = create_engine(f"{database.dialect}://", creator=database.connect, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            own = Connection(connection.connection.dbapi_connection, database.spell)
            database.lock_schema(own)
            if _found(database, own) < SCHEMA:
                command.upgrade(config, "head")
            connection.commit()
    except DBAPIError as error:
        raise database.translate(error.orig or error, dropped=error.connection_invalidated) from error
    except database.failures as error:
        raise database.translate(error, dropped=False) from error


def _require_compatible(database: Database) -> None:
    with database.reading() as connection:
        needs = connection.value("SELECT needs_schema FROM fairway_compatibility") or 0
    if needs > SCHEMA:
        raise PermanentError(
            "database-newer",
            f"{database.name} needs a version of Fairway that knows schema {needs}; this one knows {SCHEMA}",
            "upgrade Fairway here too",
        )
