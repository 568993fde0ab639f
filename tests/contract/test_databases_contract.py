"""One suite over both kinds of databases, and over the fake that the engine's tests use."""

import re
import sqlite3
from contextlib import closing
from dataclasses import replace

import psycopg
import pytest

from fairway.adapters.databases.postgres import PostgresDatabase
from fairway.adapters.databases.sqlite import SqliteDatabase
from fairway.domain.recovery.backup import Contents
from fairway.testing.databases import FakeDatabase
from fairway.testing.databases_contract import DatabaseContract
from postgres_clients import postgres_clients

SETUP = (
    "CREATE TABLE users (id int PRIMARY KEY, email text)",
    "CREATE TABLE orders (id int PRIMARY KEY, buyer int REFERENCES users)",
    "CREATE INDEX buyers ON orders (buyer)",
    "INSERT INTO users VALUES (1, 'ann'), (2, 'bob')",
    "INSERT INTO orders VALUES (1, 1), (2, 1), (3, 2)",
)


class TestSqlite(DatabaseContract):
    journal = "delete"

    @pytest.fixture(autouse=True)
    def _file(self, tmp_path):
        (tmp_path / "data").mkdir()
        self.path = tmp_path / "data" / "shop.db"
        with closing(sqlite3.connect(self.path)) as database:
            database.execute(f"PRAGMA journal_mode = {self.journal}")
        for statement in SETUP:
            self.write(statement)

    def open_database(self):
        return SqliteDatabase(self.path)

    def write(self, statement, name=""):
        path = self.path.with_name(name) if name else self.path
        with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True)) as database, database:
            database.execute(statement)

    def lose(self):
        self.path.unlink()


class TestSqliteWithALog(TestSqlite):
    journal = "wal"


class TestPostgres(DatabaseContract):
    @pytest.fixture(autouse=True)
    def _server(self, postgres_socket):
        self.socket = postgres_socket
        self.programs = str(postgres_clients())
        self.run("CREATE DATABASE shop", "postgres")
        for statement in SETUP:
            self.write(statement)
        yield
        with psycopg.connect(host=postgres_socket, user="postgres", dbname="postgres", autocommit=True) as connection:
            for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'shop%'").fetchall():
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def run(self, statement, name):
        with psycopg.connect(host=self.socket, user="postgres", dbname=name, autocommit=True) as connection:
            connection.execute(statement)

    def open_database(self):
        url = f"postgresql://postgres@/shop?host={self.socket}"
        return PostgresDatabase(url, programs=self.programs)

    def write(self, statement, name=""):
        self.run(statement, name or "shop")

    def lose(self):
        self.run("DROP DATABASE shop WITH (FORCE)", "postgres")


class TestFake(DatabaseContract):
    @pytest.fixture(autouse=True)
    def _memory(self):
        self.database = FakeDatabase("shop", {"shop": Contents((("orders", 3), ("users", 2)), "first")})

    def open_database(self):
        return self.database

    def write(self, statement, name=""):
        place = name or "shop"
        contents = self.database.present[place]
        counts = dict(contents.tables)
        if found := re.match(r'(?:DELETE FROM |CREATE TABLE ")(\w+$|.*(?=" ))', statement):
            counts[found[1]] = 0
        else:
            contents = replace(contents, schema=contents.schema + statement)
        self.database.present[place] = replace(contents, tables=tuple(sorted(counts.items())))

    def lose(self):
        del self.database.present["shop"]
