"""Verification of a database: constraints, indexes, sizes, connections, replication; the integrity of a SQLite file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fairway.adapters.checks.asking import Asker
from fairway.adapters.checks.postgres import connect, explain_refusal
from fairway.adapters.checks.replication import judge_replication
from fairway.domain.validation.findings import Finding, failed, passed
from fairway.domain.validation.needs import DatabaseCheck

_SIZES = """
SELECT c.oid::regclass::text, pg_total_relation_size(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY(%s) ORDER BY 2 DESC, 1
"""
_CONSTRAINTS = """
SELECT c.conname, c.conrelid::regclass::text,
       c.convalidated AND NOT EXISTS (
           SELECT 1 FROM pg_trigger t WHERE t.tgconstraint = c.oid AND t.tgenabled = 'D') AS valid,
       format('SELECT count(*) FROM %%s a WHERE %%s AND NOT EXISTS (SELECT 1 FROM %%s b WHERE %%s)',
              c.conrelid::regclass,
              (SELECT string_agg(format('a.%%I IS NOT NULL', att.attname), ' AND ')
               FROM unnest(c.conkey) k JOIN pg_attribute att ON att.attrelid = c.conrelid AND att.attnum = k),
              c.confrelid::regclass,
              (SELECT string_agg(format('b.%%I = a.%%I', fa.attname, ka.attname), ' AND ')
               FROM unnest(c.conkey, c.confkey) p(k, f)
               JOIN pg_attribute ka ON ka.attrelid = c.conrelid AND ka.attnum = p.k
               JOIN pg_attribute fa ON fa.attrelid = c.confrelid AND fa.attnum = p.f))
FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
WHERE c.contype = 'f' AND n.nspname = ANY(%s) ORDER BY 2, 1
"""
_INDEXES = """
SELECT i.indexrelid::regclass::text, i.indisvalid AND i.indisready
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) ORDER BY 1
"""
_CONNECTIONS = """
SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
"""


def ask_database(check: DatabaseCheck, asker: Asker) -> tuple[Finding, ...]:
    """All questions on one connection that cannot write."""
    url = asker.address(check.url)
    if url.startswith("sqlite:"):
        return tuple(_ask_sqlite(Path(url.removeprefix("sqlite:///"))))
    import psycopg  # noqa: PLC0415 -- an extra

    findings: list[Finding] = []
    try:
        with connect(url, asker.timeout) as connection:
            # One that fails keeps what the others found.
            findings.extend(_ask_postgres(check, connection))
    except psycopg.Error as error:
        findings.append(explain_refusal(error, url, "PostgreSQL", asker.timeout))
    return tuple(findings)


def _ask_postgres(check: DatabaseCheck, connection: Any) -> Iterator[Finding]:
    schemas = list(check.schemas)
    yield _sizes(check, connection.execute(_SIZES, (schemas,)).fetchall())
    constraints = connection.execute(_CONSTRAINTS, (schemas,)).fetchall()
    yield _constraints([(f"{name} on {table}", valid) for name, table, valid, _ in constraints])
    if check.verify:
        yield _rows(
            [(f"{name} on {table}", connection.execute(sql).fetchone()[0]) for name, table, _, sql in constraints]
        )
    yield _indexes(connection.execute(_INDEXES, (schemas,)).fetchall())
    yield _connections(check, *connection.execute(_CONNECTIONS).fetchone())
    yield judge_replication(check, connection)


def _sizes(check: DatabaseCheck, rows: list[tuple[str, int]]) -> Finding:
    subject = "table sizes"
    expected = f"no table above {_bytes(check.largest)}" if check.largest else "tables"
    if not rows:
        return failed("database-no-tables", subject, expected, f"no tables in {', '.join(check.schemas)}")
    largest = ", ".join(f"{name} {_bytes(size)}" for name, size in rows[:3])
    came = f"{len(rows)} tables, {_bytes(sum(size for _, size in rows))}; the largest: {largest}"
    if check.largest is not None and rows[0][1] > check.largest:
        return failed("database-size", subject, expected, came)
    return passed(subject, expected, came)


def _constraints(rows: list[tuple[str, bool]]) -> Finding:
    subject, expected = "foreign keys", "all valid and enforced"
    bad = [name for name, valid in rows if not valid]
    if bad:
        return failed("database-constraint", subject, expected, f"not valid or not enforced: {', '.join(bad[:5])}")
    return passed(subject, expected, f"{len(rows)}, all valid")


def _rows(rows: list[tuple[str, int]]) -> Finding:
    subject, expected = "rows of foreign keys", "each points to a row that exists"
    bad = [f"{count} of {name}" for name, count in rows if count]
    if bad:
        return failed("database-broken-row", subject, expected, f"rows that point nowhere: {', '.join(bad[:5])}")
    return passed(subject, expected, f"{len(rows)} foreign keys read through")


def _indexes(rows: list[tuple[str, bool]]) -> Finding:
    subject, expected = "indexes", "all valid"
    bad = [name for name, valid in rows if not valid]
    if bad:
        return failed("database-index", subject, expected, f"not valid: {', '.join(bad[:5])}")
    return passed(subject, expected, f"{len(rows)}, all valid")


def _connections(check: DatabaseCheck, used: int, most: int) -> Finding:
    subject, expected = "connections", f"at most {check.connections:.0%} of those allowed"
    came = f"{used} of {most} ({used / most:.0%})"
    if used > check.connections * most:
        return failed("database-connections", subject, expected, came)
    return passed(subject, expected, came)


def _bytes(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def _ask_sqlite(path: Path) -> Iterator[Finding]:
    """The file is opened for reading only; one that does not exist is not created."""
    subject = f"SQLite {path}"
    if not path.is_file():
        yield failed("dependency-missing", subject, "a database file", "no such file")
        return
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, timeout=5.0)) as database:
            wrong = [row[0] for row in database.execute("PRAGMA integrity_check(5)")]
            yield _integrity(subject, wrong)
            broken = database.execute("PRAGMA foreign_key_check").fetchall()
            yield _broken(broken)
            tables = database.execute("SELECT count(*) FROM sqlite_master WHERE type = 'table'").fetchone()[0]
            yield _tables(tables, path.stat().st_size)
    except sqlite3.DatabaseError as error:
        yield failed("database-corrupt", subject, "a database that is whole", str(error))


def _integrity(subject: str, wrong: list[str]) -> Finding:
    if wrong != ["ok"]:
        return failed("database-corrupt", subject, "a database that is whole", "; ".join(wrong[:3]))
    return passed(subject, "a database that is whole", "integrity_check: ok")


def _broken(rows: list[tuple[Any, ...]]) -> Finding:
    subject, expected = "rows of foreign keys", "each points to a row that exists"
    if rows:
        tables = ", ".join(sorted({f"{row[0]} → {row[2]}" for row in rows})[:5])
        return failed("database-broken-row", subject, expected, f"{len(rows)} rows that point nowhere: {tables}")
    return passed(subject, expected, "none is broken")


def _tables(count: int, size: int) -> Finding:
    if not count:
        return failed("database-no-tables", "tables", "tables", "none")
    return passed("tables", "tables", f"{count} tables, {_bytes(size)}")
