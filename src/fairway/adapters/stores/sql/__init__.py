"""The journal in SQLite or PostgreSQL: the same tables, the same statements, the same promises.

One class a port, all on one `Database`; `SqlStore` is all of them together. `migrations/` makes and changes the
tables. Values of the domain are JSON in text columns: both databases then keep exactly what was written, and no column
has to change when the domain learns a word. Times are seconds since the epoch, UTC.

- `fairway_runs`: one row a run: its version and lease, and what lists of runs show.
- `fairway_events`: what happened; triggers refuse to change or delete a row.
- `fairway_environments`: what each environment serves, and which run is under way there.
- `fairway_quarantine`: rejected artifacts; lifting deletes the row, the events keep the story.
- `fairway_evidence`, `fairway_history`: the analysis of each run as it is, and the points of its course.
- `fairway_outbox`: messages and what became of them: `waiting`, `delivered` or `abandoned`.
- `fairway_compatibility`: one row: how old code may be and still work with these tables.
"""

from fairway.adapters.stores.sql.store import SqlStore

__all__ = ["SqlStore"]
