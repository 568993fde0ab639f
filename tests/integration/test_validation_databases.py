"""Verification of databases: a real PostgreSQL with one fault after the other, and SQLite files."""

import sqlite3

import psycopg
import pytest
from checked import check, codes

from fairway.domain.validation.needs import DatabaseCheck


@pytest.fixture
def shop(postgres_url):
    """A database with tables, and a connection that may change it."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE users (id int PRIMARY KEY, email text)")
        connection.execute("CREATE TABLE orders (id int PRIMARY KEY, buyer int REFERENCES users, note text)")
        connection.execute("CREATE INDEX notes ON orders (note)")
        connection.execute("INSERT INTO users VALUES (1, 'ann@example.com')")
        connection.execute("INSERT INTO orders VALUES (1, 1, 'tea')")
        yield postgres_url, connection


def found(url, **more):
    """The findings by subject."""
    return {one.subject: one for one in check(DatabaseCheck(url, **more))}


def test_a_database_that_is_well_passes_and_its_numbers_are_told(shop):
    url, _ = shop
    findings = found(url, verify=True)
    assert {name: one.outcome for name, one in findings.items()} == {
        "table sizes": "passed",
        "foreign keys": "passed",
        "rows of foreign keys": "passed",
        "indexes": "passed",
        "connections": "passed",
        "replication lag": "skipped",
    }, findings
    assert findings["table sizes"].came.startswith("2 tables, ")
    assert "orders" in findings["table sizes"].came
    assert findings["foreign keys"].came == "1, all valid"
    assert findings["indexes"].came == "3, all valid"


def test_a_foreign_key_that_was_never_validated_is_named(shop):
    url, connection = shop
    connection.execute("ALTER TABLE orders ADD CONSTRAINT late FOREIGN KEY (id) REFERENCES users NOT VALID")
    finding = found(url)["foreign keys"]
    assert (finding.code, finding.came) == ("database-constraint", "not valid or not enforced: late on orders")


def test_rows_that_slipped_in_while_triggers_were_off_are_counted(shop):
    url, connection = shop
    connection.execute("SET session_replication_role = replica")
    connection.execute("INSERT INTO orders VALUES (2, 77, 'lost'), (3, 78, 'lost'), (4, NULL, 'free')")
    assert found(url)["foreign keys"].outcome == "passed", "the catalogue knows nothing of it"
    finding = found(url, verify=True)["rows of foreign keys"]
    assert finding.code == "database-broken-row"
    assert finding.came == "rows that point nowhere: 2 of orders_buyer_fkey on orders"


def test_a_foreign_key_whose_triggers_are_off_is_not_enforced(shop):
    url, connection = shop
    connection.execute("ALTER TABLE orders DISABLE TRIGGER ALL")
    assert found(url)["foreign keys"].code == "database-constraint"


def test_an_index_that_was_left_half_built_is_named(shop):
    url, connection = shop
    connection.execute("INSERT INTO orders VALUES (5, 1, 'tea')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        connection.execute("CREATE UNIQUE INDEX CONCURRENTLY once ON orders (note)")
    finding = found(url)["indexes"]
    assert (finding.code, finding.came) == ("database-index", "not valid: once")


def test_limits_of_size_and_connections_are_kept(shop):
    url, _ = shop
    findings = found(url, largest=100, connections=0.0)
    assert findings["table sizes"].code == "database-size"
    assert findings["connections"].code == "database-connections"
    assert findings["connections"].expected == "at most 0% of those allowed"


def test_an_empty_schema_is_another_database_or_no_migration(postgres_url):
    assert found(postgres_url)["table sizes"].code == "database-no-tables"


def test_nothing_is_written_while_a_database_is_verified(shop):
    url, connection = shop
    connection.execute("CREATE FUNCTION pg_temp.nothing() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    before = connection.execute("SELECT pg_current_wal_lsn()").fetchone()
    found(url, verify=True)
    assert connection.execute("SELECT pg_current_wal_lsn()").fetchone() == before


def test_a_server_that_is_not_there_is_a_finding_of_its_own():
    assert codes(check(DatabaseCheck("postgresql://x@127.0.0.1:1/x"))) == [("failed", "dependency-unreachable")]


# SQLite


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "shop 1.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE users (id INTEGER PRIMARY KEY)")
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, buyer REFERENCES users, note TEXT)")
        database.executemany("INSERT INTO orders (note) VALUES (?)", [("x" * 500,)] * 200)
    database.close()
    return path


def test_a_sqlite_file_that_is_whole_passes(file):
    findings = check(DatabaseCheck(f"sqlite:///{file}"))
    assert [one.outcome for one in findings] == ["passed"] * 3, findings
    assert findings[2].came.startswith("2 tables, ")


def test_rows_that_point_nowhere_are_found_in_a_sqlite_file(file):
    with sqlite3.connect(file) as database:
        database.execute("INSERT INTO orders (buyer) VALUES (77)")
    database.close()
    _, broken, _ = check(DatabaseCheck(f"sqlite:///{file}"))
    assert (broken.code, broken.came) == ("database-broken-row", "1 rows that point nowhere: orders → users")


def test_a_damaged_sqlite_file_is_found(file):
    content = bytearray(file.read_bytes())
    content[8192:16384] = b"\x5a" * 8192
    file.write_bytes(content)
    findings = check(DatabaseCheck(f"sqlite:///{file}"))
    assert ("failed", "database-corrupt") in codes(findings)


def test_a_sqlite_file_that_is_missing_is_not_created(tmp_path):
    path = tmp_path / "missing.db"
    assert codes(check(DatabaseCheck(f"sqlite:///{path}"))) == [("failed", "dependency-missing")]
    assert not path.exists()
