"""The journal in SQLite or PostgreSQL: the same tables, the same statements, the same promises.

One class a port, all on one `Database`; `SqlStore` is all of them together. `migrations/` makes and changes the
tables, `schema.py` is what the statements know of them.
"""

from fairway.adapters.stores.sql.store import SqlStore

__all__ = ["SqlStore"]
