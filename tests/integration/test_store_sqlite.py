import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fairway.adapters.stores.sql import SqlStore
from fairway.adapters.stores.sql.database import Connection
from fairway.domain.errors import PermanentError, TransientError, UserError
from fairway.domain.rollout.events import Paused
from fairway.testing.journal_samples import BEGIN, begin, plan, promotion


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / ".fairway" / "journal.db"


@pytest.fixture
def store(path):
    with SqlStore.open(str(path)) as store:
        yield store


def test_only_the_owner_may_read_the_file_and_its_folder(store, path):
    begin(store, "run-1", plan())
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_what_was_written_is_on_the_disk_before_append_returns(store):
    with store.database.writing() as connection:
        settings = {
            name: connection.value(f"PRAGMA {name}")
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def test_readers_cannot_write(store):
    with pytest.raises(PermanentError) as caught, store.database.reading() as connection:
        connection.execute("DELETE FROM fairway_runs")
    assert caught.value.code == "database-read-only"


def test_a_reader_and_a_writer_do_not_wait_for_each_other(store, path):
    run = begin(store, "run-1", plan())
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN")
        assert other.execute("SELECT count(*) FROM fairway_events").fetchone() == (1,)
        assert store.append(run, promotion(), wake=None).version == 3
        assert other.execute("SELECT count(*) FROM fairway_events").fetchone() == (1,)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert store.load("run-1").version == 3
        assert store.claim("a", now=BEGIN - 1, ttl=9, limit=1) == ()


def test_many_threads_share_one_store(store):
    runs = [begin(store, f"run-{n}", plan(environment=f"e{n}")) for n in range(8)]

    def pause_often(run):
        for turn in range(10):
            run = store.append(run, [Paused(BEGIN, "ann", str(turn))], wake=None)

    threads = [threading.Thread(target=pause_often, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=180)
    assert [store.load(run.id).version for run in runs] == [11] * 8


def test_a_locked_file_is_an_error_that_passes(path):
    with SqlStore.open(str(path), patience=0.05) as store, contextlib.closing(sqlite3.connect(path)) as other:
        run = begin(store, "run-1", plan())
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TransientError) as caught:
            store.append(run, promotion(), wake=None)
        assert caught.value.code == "database-busy"
        assert str(path) in caught.value.message
        other.execute("ROLLBACK")
        assert store.append(run, promotion(), wake=None).version == 3


def test_a_full_disk_is_an_error_that_passes_and_nothing_is_half_written(store, path):
    run = begin(store, "run-1", plan())
    with store.database.writing() as connection:
        connection.execute("PRAGMA max_page_count = 1")  # what SQLite allows at least is the present size
    large = Paused(BEGIN, "ann", "x" * 200_000)
    with pytest.raises(TransientError) as caught:
        store.append(run, [large], wake=None)
    assert caught.value.code == "database-full"
    assert str(path) in caught.value.message
    with store.database.writing() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    assert store.load("run-1") == run
    assert store.append(run, [large], wake=None).version == 2


def test_a_damaged_file_is_an_error_that_stays(store, path):
    run = begin(store, "run-1", plan())
    for number in range(40):
        run = store.append(run, [Paused(BEGIN, "ann", f"{number} " + "x" * 2000)], wake=None)
    store.close()
    content = bytearray(path.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(PermanentError) as caught, SqlStore.open(str(path)) as opened:
        opened.load("run-1")
    assert caught.value.code == "database-corrupt"
    assert str(path) in caught.value.message


def test_a_file_of_another_kind_is_left_alone(tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("not a database, but long enough to be looked at\n" * 99)
    with pytest.raises(PermanentError) as caught:
        SqlStore.open(str(file))
    assert caught.value.code == "database-not-sqlite"
    assert str(file) in caught.value.message
    assert file.read_text().startswith("not a database")


@pytest.mark.parametrize("url", ["{folder}", "{folder}/file/journal.db", "sqlite:///{folder}"])
def test_a_path_where_no_file_can_be_is_an_error_that_stays(tmp_path, url):
    (tmp_path / "file").write_text("")
    with pytest.raises(PermanentError) as caught:
        SqlStore.open(url.format(folder=tmp_path))
    assert caught.value.code == "database-unopened"
    assert str(tmp_path) in caught.value.message


@pytest.mark.parametrize(
    "url", ["mysql://ann:secret@db/shop", "sqlite://", "sqlite:///:memory:", "postgresql://ann:secret@db:port/shop"]
)
def test_a_url_that_no_journal_can_be_kept_under_is_refused_without_its_password(url):
    with pytest.raises(UserError) as caught:
        SqlStore.open(url)
    assert "secret" not in caught.value.message + caught.value.hint
    assert "postgresql://" in caught.value.hint


def test_events_can_be_neither_changed_nor_deleted(store, path):
    begin(store, "run-1", plan())
    with contextlib.closing(sqlite3.connect(path)) as stranger:
        for statement in ("UPDATE fairway_events SET at = 0", "DELETE FROM fairway_events"):
            with pytest.raises(sqlite3.IntegrityError, match="never changed"):
                stranger.execute(statement)


def test_statements_take_the_write_lock_before_they_read(store, monkeypatch):
    seen = []
    run = Connection.execute
    monkeypatch.setattr(Connection, "execute", lambda *given: (seen.append(given[1]), run(*given))[1])
    store.release("nobody")
    assert seen[0] == "BEGIN IMMEDIATE"


def test_several_processes_may_open_a_new_file_at_once(tmp_path):
    program = (
        "import sys; from fairway.adapters.stores.sql import SqlStore; sys.stdin.readline();"
        "store = SqlStore.open(sys.argv[1]); print(store.list_runs()); store.close()"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "journal.db")]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(4)]
    for process in processes:
        process.stdin.write(b"go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=180)[0] for process in processes] == [b"()\n"] * 4


def test_a_file_that_is_up_to_date_is_opened_without_what_only_others_need(path):
    SqlStore.open(str(path)).close()
    program = (
        "import sys; from fairway.adapters.stores.sql import SqlStore; SqlStore.open(sys.argv[1]).close();"
        "others = {'alembic', 'psycopg', 'sqlalchemy'};"
        "print(sorted(others & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, check=True, timeout=180)
    assert run.stdout == b"[]\n"


def test_a_relative_path_is_one_of_the_present_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with SqlStore.open("sqlite:///journal.db") as store:
        assert store.database.name == str(Path.cwd() / "journal.db")
