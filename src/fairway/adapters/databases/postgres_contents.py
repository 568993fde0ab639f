"""What is in a database of PostgreSQL: rows of each table, a fingerprint of the definitions, what is not valid."""

import hashlib
from typing import TYPE_CHECKING, Any

from fairway.domain.recovery.backup import Contents

if TYPE_CHECKING:
    import psycopg

#: Tables with rows of their own that a dump holds: not those of extensions, which these make by themselves.
_TABLES = """
SELECT n.nspname || '.' || c.relname, format('SELECT count(*) FROM ONLY %I.%I', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass
                  AND d.deptype = 'e')
ORDER BY 1
"""
#: Columns in their order, without the gaps that dropped ones leave; constraints and indexes as the server writes them.
_DEFINITIONS = """
SELECT 'column', n.nspname || '.' || c.relname, a.attname,
       format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END,
       row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND {own}
UNION ALL
SELECT 'constraint', n.nspname || '.' || c.relname, k.conname, pg_get_constraintdef(k.oid), 0
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype IN ('p', 'u', 'f', 'c', 'x') AND {own}
UNION ALL
SELECT 'index', n.nspname || '.' || c.relname, i.relname, pg_get_indexdef(i.oid), 0
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE x.indisvalid AND {own}
ORDER BY 1, 2, 5, 3
""".replace("{own}", "n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'")
_NOT_VALID = """
SELECT 'the index ' || x.indexrelid::regclass || ' is not valid' FROM pg_index x WHERE NOT x.indisvalid ORDER BY 1
"""


def read_contents(connection: "psycopg.Connection[Any]") -> Contents:
    """All of it in one transaction, which the caller has begun: every row is read."""
    # Then the server writes every name in full.
    connection.execute("SET LOCAL search_path = pg_catalog")
    tables = connection.execute(_TABLES).fetchall()
    counts = tuple((str(name), int((connection.execute(query).fetchone() or (0,))[0])) for name, query in tables)
    definitions = repr([tuple(row) for row in connection.execute(_DEFINITIONS).fetchall()])
    damage = tuple(str(row[0]) for row in connection.execute(_NOT_VALID).fetchall())
    return Contents(counts, hashlib.sha256(definitions.encode()).hexdigest(), damage)
