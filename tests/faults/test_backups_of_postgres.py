"""Backups of a real PostgreSQL: programs that do not fit, rights and settings, sessions that stay, secrets."""

import hashlib
import os
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from fairway.adapters.databases.postgres import PostgresDatabase
from fairway.domain.errors import FairwayError, PermanentError, TransientError, UserError
from postgres_clients import postgres_clients

#: What `store_restored` is called until it is complete.
DRAFT = f"fairway_draft_{hashlib.sha256(b'store_restored').hexdigest()[:32]}"
PASSWORD = "planted secret/9Zk@"
QUOTED = "planted%20secret%2F9Zk%40"


@pytest.fixture
def run(postgres_socket):
    """Runs a statement as the administrator; everything called `store…` is gone afterwards."""

    def execute(statement, name="postgres"):
        with psycopg.connect(host=postgres_socket, user="postgres", dbname=name, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    yield execute
    for (name,) in execute("SELECT datname FROM pg_database WHERE datname LIKE 'store%'"):
        execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    for (role,) in execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'keeper%'"):
        execute(f'DROP ROLE "{role}"')


@pytest.fixture
def store(run, postgres_socket):
    """A database of an account that is no administrator, and what makes an adapter for it."""
    run(f"CREATE ROLE keeper LOGIN CREATEDB PASSWORD '{PASSWORD}'")
    run("CREATE DATABASE store OWNER keeper")
    run("CREATE TABLE entries (id int PRIMARY KEY, said text)", "store")
    run("ALTER TABLE entries OWNER TO keeper", "store")
    run("INSERT INTO entries SELECT n, 'x' FROM generate_series(1, 100) n", "store")

    def make(**more):
        url = f"postgresql://keeper:{QUOTED}@/store?host={postgres_socket}"
        hidden = (("DB_PASSWORD", PASSWORD), ("password", QUOTED))
        return PostgresDatabase(url, **{"programs": str(postgres_clients()), "hidden": hidden} | more)

    return make


def test_the_owner_of_a_database_needs_no_administrator(store, tmp_path, run):
    shop, path = store(), str(tmp_path / "dump")
    contents = shop.dump(path)
    assert contents.tables == (("public.entries", 100),)
    run("DELETE FROM entries", "store")
    shop.load(path, "store_restored")
    shop.exchange("store_restored", "store_before")
    assert shop.inspect() == contents
    ((owner,),) = run("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'store'")
    assert owner == "keeper"


def test_settings_and_rights_of_the_database_come_along(store, tmp_path, run):
    run("CREATE ROLE keeper_reads LOGIN")
    run("ALTER DATABASE store SET statement_timeout TO '77s'")
    run('ALTER DATABASE store SET search_path TO "$user", public, extra')
    run("REVOKE ALL ON DATABASE store FROM PUBLIC")
    run("GRANT CONNECT ON DATABASE store TO keeper_reads")
    shop, path = store(), str(tmp_path / "dump")
    shop.dump(path)
    before = _about(run, "store")
    shop.load(path, "store_restored")
    shop.exchange("store_restored", "store_before")
    assert _about(run, "store") == before
    assert "77s" in str(before)
    run("REVOKE ALL ON DATABASE store FROM keeper_reads")
    run("REVOKE ALL ON DATABASE store_before FROM keeper_reads")


def _about(run, name):
    settings = run(
        "SELECT setconfig FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase "
        f"WHERE datname = '{name}'"
    )
    rights = run(
        "SELECT a.grantee, a.privilege_type FROM pg_database d, aclexplode(datacl) a "
        f"WHERE datname = '{name}' ORDER BY 1, 2"
    )
    return settings, rights


def test_sessions_are_sent_away_for_the_exchange_and_may_come_back(store, tmp_path, postgres_socket):
    shop, path = store(), str(tmp_path / "dump")
    shop.dump(path)
    shop.load(path, "store_restored")
    stop = threading.Event()
    seen = set()

    def come_back() -> None:
        while not stop.is_set():
            try:
                url = f"postgresql://keeper:{QUOTED}@/store?host={postgres_socket}"
                with psycopg.connect(url, autocommit=True) as connection:
                    while not stop.is_set():
                        seen.add(connection.execute("SELECT oid FROM pg_database WHERE datname = 'store'").fetchone())
            except psycopg.Error:
                continue

    users = [threading.Thread(target=come_back) for _ in range(3)]
    for user in users:
        user.start()
    try:
        shop.exchange("store_restored", "store_before")
        with closing(psycopg.connect(f"postgresql://keeper:{QUOTED}@/store?host={postgres_socket}")) as connection:
            assert connection.execute("SELECT count(*) FROM entries").fetchone() == (100,)
    finally:
        stop.set()
        for user in users:
            user.join()


def test_workers_of_the_server_make_way_for_an_account_that_may_not_end_them(store, tmp_path, run):
    """A table of which much was changed is being cleaned up by the server, as slowly as it is told to."""
    shop, path = store(), str(tmp_path / "dump")
    contents = shop.dump(path)
    shop.load(path, "store_restored")
    run("CREATE TABLE busy WITH (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1) AS "
        "SELECT n FROM generate_series(1, 200000) n", "store")  # fmt: skip
    run("ALTER SYSTEM SET autovacuum_naptime = '1s'")
    worker = "SELECT pid FROM pg_stat_activity WHERE datname = 'store' AND backend_type = 'autovacuum worker'"
    try:
        run("SELECT pg_reload_conf()")
        run("DELETE FROM busy", "store")
        wait_until(lambda: run(worker))
        shop.exchange("store_restored", "store_before")
    finally:
        run("ALTER SYSTEM RESET autovacuum_naptime")
        run("SELECT pg_reload_conf()")
    assert shop.inspect() == contents


@pytest.mark.parametrize("crashed", ["ALLOW_CONNECTIONS false", "RENAME TO store_before"])
def test_an_exchange_that_was_cut_short_is_ended_and_undone(store, tmp_path, run, crashed):
    shop, path = store(), str(tmp_path / "dump")
    contents = shop.dump(path)
    for back in (False, True):
        run("DELETE FROM entries", "store")
        shop.load(path, "store_restored")
        if not (back and "RENAME" in crashed):
            run(f"ALTER DATABASE store {crashed}")
        if back:
            shop.exchange("store_before", "store_restored")
            assert shop.inspect().rows == 0
        else:
            shop.exchange("store_restored", "store_before")
            assert shop.inspect() == contents
            shop.drop("store_before")


def test_a_damaged_database_is_no_backup_and_makes_way_for_one(store, tmp_path, run, postgres_socket):
    shop, path = store(), str(tmp_path / "dump")
    contents = shop.dump(path)
    ((file,),) = run("SELECT pg_relation_filepath('entries')", "store")
    with Path(postgres_socket, "data", file).open("ab") as pages:
        pages.write(b"x" * 8192)
    with pytest.raises(PermanentError) as damaged:
        shop.dump(str(tmp_path / "other"))
    assert damaged.value.code == "data-damaged"
    assert "invalid page in block" in shop.inspect().damage[0]
    shop.load(path, "store_restored")
    shop.exchange("store_restored", "store_before")
    assert shop.inspect() == contents


def test_both_are_opened_again_after_a_crash_right_behind_the_renames(store, tmp_path, run):
    shop, path = store(), str(tmp_path / "dump")
    contents = shop.dump(path)
    shop.load(path, "store_restored")
    shop.exchange("store_restored", "store_before")
    for name in ("store", "store_before"):
        run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    shop.exchange("store_restored", "store_before")
    assert shop.inspect() == shop.inspect("store_before") == contents


def test_programs_older_than_the_server_are_refused_with_what_to_do(store, tmp_path):
    old = fake_programs(tmp_path / "old", "pg_dump (PostgreSQL) 9.6.24")
    with pytest.raises(UserError) as refused:
        store(programs=str(old)).dump(str(tmp_path / "dump"))
    assert refused.value.code == "programs-old"
    assert f"{old}/pg_dump is of version 9, older than the server's 18" in refused.value.message
    assert "install postgresql-client-18" in refused.value.hint


def test_missing_programs_are_named_with_what_to_do(store, tmp_path):
    with pytest.raises(UserError) as refused:
        store(programs=str(tmp_path)).dump(str(tmp_path / "dump"))
    assert refused.value.code == "programs-missing"
    assert f"there is no pg_dump in {tmp_path}" in refused.value.message


def test_the_oldest_program_that_fits_is_taken_from_path(store, tmp_path, monkeypatch):
    old = fake_programs(tmp_path / "old", "pg_dump (PostgreSQL) 9.6.24")
    monkeypatch.setenv("PATH", f"{old}:{postgres_clients()}:{os.environ['PATH']}")
    assert store(programs="").dump(str(tmp_path / "dump")).rows == 100


def wait_until(seen):
    deadline = time.monotonic() + 60
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def fake_programs(folder, version):
    folder.mkdir()
    for name in ("pg_dump", "pg_restore"):
        (folder / name).write_text(f"#!/bin/sh\necho '{version}'\n")
        (folder / name).chmod(stat.S_IRWXU)
    return folder


def test_a_password_is_in_no_argument_and_no_error(store, tmp_path, postgres_socket):
    spy = tmp_path / "spy"
    spy.mkdir()
    for name in ("pg_dump", "pg_restore"):
        script = f'#!/bin/sh\necho "$0 $@" >> {spy}/said\nexec {postgres_clients()}/{name} "$@"\n'
        (spy / name).write_text(script)
        (spy / name).chmod(stat.S_IRWXU)
    shop, path = store(programs=str(spy)), str(tmp_path / "dump")
    shop.dump(path)
    shop.load(path, "store_restored")
    said = (spy / "said").read_text()
    assert "--snapshot=" in said
    assert f"--dbname={DRAFT}" in said
    wrong = f"postgresql://keeper:wrong-{QUOTED}@/store?host={postgres_socket}"
    errors = []
    for action in (
        PostgresDatabase(wrong, hidden=(("password", f"wrong-{QUOTED}"),)).dump,
        PostgresDatabase("x" * 9).dump,
    ):
        with pytest.raises(FairwayError) as refused:
            action(path)
        errors.append(f"{refused.value.message} {refused.value.hint}")
    for text in (said, *errors):
        assert "planted" not in text
        assert QUOTED not in text


def test_a_dump_that_is_none_is_refused_and_leaves_no_database(store, tmp_path, run):
    path = tmp_path / "dump"
    path.write_bytes(b"this is no dump")
    with pytest.raises(PermanentError) as refused:
        store().load(str(path), "store_restored")
    assert "pg_restore ended with status 1" in refused.value.message
    assert run("SELECT datname FROM pg_database WHERE datname LIKE 'store_%'") == []


def test_a_server_that_is_away_may_come_back(tmp_path):
    with pytest.raises(TransientError):
        PostgresDatabase(f"postgresql://keeper@/store?host={tmp_path}").dump(str(tmp_path / "dump"))


def test_a_disk_without_room_is_told(store, tmp_path, run):
    run("INSERT INTO entries SELECT n, md5(n::text) FROM generate_series(1000, 9000) n", "store")
    small = tmp_path / "small"
    small.mkdir()
    (small / "pg_dump").write_text(f'#!/bin/sh\nulimit -f 8\ntrap "" XFSZ\nexec {postgres_clients()}/pg_dump "$@"\n')
    (small / "pg_dump").chmod(stat.S_IRWXU)
    with pytest.raises(PermanentError) as full:
        store(programs=str(small)).dump(str(tmp_path / "dump"))
    assert "pg_dump ended with status" in full.value.message


@pytest.mark.parametrize("name", ["postgres", "template1"])
def test_databases_of_the_server_are_no_place_for_a_restore(store, tmp_path, name):
    with pytest.raises(UserError) as refused:
        store().inspect(name)
    assert refused.value.code == "data-name"


def test_the_maintenance_database_cannot_be_restored_itself(postgres_socket, tmp_path):
    shop = PostgresDatabase(f"postgresql://postgres@/postgres?host={postgres_socket}")
    with pytest.raises(UserError) as refused:
        shop.dump(str(tmp_path / "dump"))
    assert refused.value.code == "data-address"


def test_what_a_killed_process_left_at_work_is_ended_by_the_next_one(store, tmp_path, run, postgres_socket):
    """Its program lives on, connected to the database that is half loaded."""
    slow = tmp_path / "slow"
    slow.mkdir()
    script = f'#!/bin/sh\n[ "$1" = --version ] && exec {postgres_clients()}/pg_restore --version\n'
    script += f'exec {postgres_clients()}/psql --no-password "$3" -c "SELECT pg_sleep(600)"\n'
    (slow / "pg_restore").write_text(script)
    (slow / "pg_restore").chmod(stat.S_IRWXU)
    shop, path = store(), str(tmp_path / "dump")
    contents = shop.dump(path)
    url = f"postgresql://keeper:{QUOTED}@/store?host={postgres_socket}"
    code = "import sys; from fairway.adapters.databases.postgres import PostgresDatabase as D; "
    code += "D(sys.argv[1], programs=sys.argv[2]).load(sys.argv[3], 'store_restored')"
    doomed = subprocess.Popen([sys.executable, "-c", code, url, slow, path])
    sleeping = f"SELECT pid FROM pg_stat_activity WHERE datname = '{DRAFT}' AND query LIKE '%pg_sleep%'"
    try:
        wait_until(lambda: run(sleeping) or doomed.poll() is not None)
    finally:
        doomed.kill()
        doomed.wait()
    assert run(sleeping), "it sleeps on"
    shop.load(path, "store_restored")
    assert shop.inspect("store_restored") == contents
    assert run(sleeping) == []
    assert run("SELECT datname FROM pg_database WHERE datname LIKE '%part'") == []
