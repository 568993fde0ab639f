"""Runs migrations on the connection, and in the transaction, of the caller."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    version_table=context.config.attributes["version_table"],
    transactional_ddl=True,  # also SQLite: the caller has begun a transaction that holds all of it
)
context.run_migrations()
