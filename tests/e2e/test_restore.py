"""Backups and restores as people use them: real files, a real server, a real kill."""

import os
import signal
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from services import ask
from workshop import Workshop, free_port

from postgres_clients import postgres_clients

pytestmark = pytest.mark.timeout(300)

PASSWORD = "planted-password-7Qx"

#: Tells how many orders there are, and keeps its database open as services do.
APP = """\
import sqlite3, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

shop = sqlite3.connect(sys.argv[2], check_same_thread=False)

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        (count,) = shop.execute("SELECT count(*) FROM orders").fetchone()
        body = f"{count} orders".encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
CONFIG = """\
service: shop
build: {{steps: []}}
run: {{command: "{python} app.py {{port}} {file}", drain: 1s, grace: 1s}}
environments:
  production:
    router: {{kind: envoy, listen: "127.0.0.1:{port}"}}
    strategy: {{kind: rolling, bake: 0s}}
    secrets: {{DB_PASSWORD: {{file: "{secret}"}}}}
    databases:
      main: {{kind: sqlite, path: "{file}"}}
      ledger:
        kind: postgresql
        url: "postgresql://keeper:{{{{DB_PASSWORD}}}}@/e2e_ledger?host={socket}"
        programs: "{programs}"
validation:
  checks:
    front: {{kind: http, path: /, expect: {{contains: "7 orders"}}, moments: [restore]}}
"""


@pytest.fixture(scope="module")
def live(shared_shop: Workshop, tmp_path_factory, postgres_socket):
    """A shop with a file and a server's database, live; the file's path and the users' port."""
    file, port = tmp_path_factory.mktemp("data") / "shop.db", free_port()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("PRAGMA journal_mode = wal")
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
    add(file, 7)
    administer(postgres_socket, f"CREATE ROLE keeper LOGIN CREATEDB PASSWORD '{PASSWORD}'")
    administer(postgres_socket, "CREATE DATABASE e2e_ledger OWNER keeper")
    ledger(postgres_socket, "CREATE TABLE entries (id int)")
    ledger(postgres_socket, "ALTER TABLE entries OWNER TO keeper")
    ledger(postgres_socket, "INSERT INTO entries SELECT generate_series(1, 30)")
    secret = file.with_name("password")
    secret.touch(0o600)
    secret.write_text(f"{PASSWORD}\n")
    try:
        names = {"python": sys.executable, "file": file, "port": port, "socket": postgres_socket, "secret": secret}
        text = CONFIG.format(**names, programs=postgres_clients())
        shared_shop.release("1.0.0", {"fairway.yaml": text, "app.py": APP})
        assert shared_shop.deploy("1.0.0", "production").status == 0
        yield shared_shop, file, port
    finally:
        shared_shop.fairway("down")
        query = "SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database WHERE datname LIKE 'e2e%'"
        for (statement,) in administer(postgres_socket, query):
            administer(postgres_socket, statement)
        administer(postgres_socket, "DROP ROLE keeper")


def administer(socket, statement, name="postgres"):
    with psycopg.connect(host=socket, user="postgres", dbname=name, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def ledger(socket, statement):
    return administer(socket, statement, "e2e_ledger")


def add(file: Path, count: int) -> None:
    with closing(sqlite3.connect(file, timeout=60)) as database, database:
        database.executemany("INSERT INTO orders DEFAULT VALUES", [()] * count)


def back_up(shop: Workshop, database: str) -> str:
    done = shop.fairway("backup", "create", "--env", "production", "--database", database, "--json")
    assert done.status == 0, done.out + done.err
    return done.json["backups"][0]["backup"]


def restore(shop: Workshop, backup: str, *more: str):
    words = ("--env", "production", "--reason", "an order was lost", "--confirm", "CONFIRM", "--json")
    return shop.fairway("restore", backup, *words, *more)


def test_a_killed_controller_ends_the_restore_and_the_checks_come_last(live):
    shop, file, port = live
    backup = back_up(shop, "main")
    add(file, 2)
    assert ask(port).text == "9 orders"
    begun = restore(shop, backup, "--no-wait")
    assert begun.status == 0, begun.err
    run, killed = begun.json["run"], set()
    deadline = time.monotonic() + 120
    # Again and again, whatever it is doing: two controllers die in this one restore.
    while len(killed) < 2 and shop.now("production")["finished"] is None and time.monotonic() < deadline:
        pid = shop.units().get("controller")
        if pid is not None and pid not in killed:
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        time.sleep(0.05)
    done = shop.fairway("watch", run, "--json")
    assert done.status == 0, done.out + done.err
    assert killed
    assert ask(port).text == "7 orders"
    recovery = done.json["recovery"]
    assert counted(file.with_name(recovery["aside"])) == 9
    assert done.json["steps"][-1]["name"] == "1 check of the public address"
    assert {step["outcome"] for step in done.json["steps"]} == {"done"}
    saved = shop.fairway("backup", "show", recovery["saved"], "--json").json
    assert (saved["rows"], saved["run"]) == (9, run)
    assert not [each.name for each in file.parent.iterdir() if "restored" in each.name]
    assert (shop.status("production")["live"] or {})["release"] == "1.0.0"


def counted(file: Path) -> int:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        return int(database.execute("SELECT count(*) FROM orders").fetchone()[0])


def test_checks_that_fail_are_a_no_and_the_way_back_that_is_named_leads_back(live):
    shop, file, port = live
    with closing(sqlite3.connect(file, timeout=60)) as database, database:
        database.execute("DELETE FROM orders WHERE id > 5")
    five = back_up(shop, "main")
    add(file, 2)
    done = restore(shop, five)
    assert (done.status, done.json["phase"], done.json["verdict"]) == (1, "failed", "failed"), done.out
    assert "Nothing was swapped back" in done.json["reason"]
    assert ask(port).text == "5 orders", "it stands as it was restored"
    saved = done.json["recovery"]["saved"]
    assert f"fairway restore {saved} --env production" in done.json["reason"]
    back = restore(shop, saved)
    assert back.status == 0, back.out
    assert ask(port).text == "7 orders"


def test_a_database_of_a_server_comes_back_and_no_password_is_left_anywhere(live, postgres_socket):
    shop, *_ = live
    backup = back_up(shop, "ledger")
    proved = shop.fairway("backup", "prove", backup, "--json")
    assert proved.status == 0, proved.out + proved.err
    ledger(postgres_socket, "DELETE FROM entries WHERE id > 10")
    into = shop.fairway("restore", backup, "--env", "production", "--into", "e2e_copy", "--json")
    assert into.status == 0, into.out + into.err
    assert administer(postgres_socket, "SELECT count(*) FROM entries", "e2e_copy") == [(30,)]
    assert ledger(postgres_socket, "SELECT count(*) FROM entries") == [(10,)], "and nothing else was touched"
    done = restore(shop, backup)
    assert done.status == 0, done.out + done.err
    assert ledger(postgres_socket, "SELECT count(*) FROM entries") == [(30,)]
    aside = done.json["recovery"]["aside"]
    assert administer(postgres_socket, "SELECT count(*) FROM entries", aside) == [(10,)]
    listed = shop.fairway("backup", "list", "--env", "production")
    assert f"before {done.json['run']}" in listed.out
    said = [f"{one.out}{one.err}" for one in (proved, into, done, listed)]
    assert not [text for text in said if PASSWORD in text]
    files = [path for path in (shop.folder / ".fairway").rglob("*") if path.is_file() and not path.is_symlink()]
    assert [path for path in files if PASSWORD.encode() in path.read_bytes()] == []


def test_what_cannot_be_restored_is_refused_with_its_status(live):
    shop, file, _ = live
    backup = back_up(shop, "main")
    unknown = restore(shop, "b-none")
    assert (unknown.status, unknown.json["error"]["code"]) == (2, "unknown-backup")
    word = shop.fairway("restore", backup, "--env", "production", "--reason", "x", "--confirm", "yes", "--json")
    assert (word.status, word.json["error"]["code"]) == (2, "not-confirmed")
    dry = shop.fairway("restore", backup, "--env", "production", "--dry-run")
    assert dry.status == 0, dry.err
    assert "commit point" in dry.out
    assert "will not be in it any more" in dry.out
    data = shop.folder / f".fairway/backups/{backup}.backup"
    data.write_bytes(data.read_bytes() + b"x")
    altered = restore(shop, backup)
    assert (altered.status, altered.json["error"]["code"]) == (1, "backup-altered")
    with closing(sqlite3.connect(file, timeout=60)) as database, database:
        database.execute("CREATE TABLE later (id INTEGER)")
    schema = restore(shop, next(one for one in listed(shop) if one != backup))
    assert (schema.status, schema.json["error"]["code"]) == (1, "schema-changed")


def listed(shop: Workshop) -> list[str]:
    found = shop.fairway("backup", "list", "--env", "production", "--json").json["backups"]
    return [one["backup"] for one in found if one["database"] == "main"]
