"""Backups of real SQLite files: writers meanwhile, damage, full disks, altered files, others who have it open."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from fairway.adapters.backups import FolderBackups
from fairway.adapters.databases.sqlite import SqliteDatabase
from fairway.domain.errors import FairwayError, PermanentError, TransientError, UserError
from fairway.domain.recovery.backup import Backup, Contents
from fairway.domain.recovery.spec import DatabaseSpec
from fairway.domain.rollout.spec import ServiceSpec
from fairway.usecases.answers import Declined
from fairway.usecases.recovery.backups import BackupDesk
from rollout_samples import ENVIRONMENT

DAY = 86_400.0


@pytest.fixture
def path(tmp_path) -> Path:
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "shop.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA journal_mode = wal")
        database.execute("CREATE TABLE entries (id INTEGER PRIMARY KEY, pair INTEGER, filling BLOB)")
    return path


@pytest.fixture
def desk(path, tmp_path):
    """A desk whose clock is moved by hand."""
    spec = DatabaseSpec("main", "sqlite", str(path), keep=30 * DAY)
    service = ServiceSpec("shop", str(tmp_path), (replace(ENVIRONMENT, databases=(spec,)),))
    numbers = iter(range(1000))
    desk = BackupDesk(
        service,
        FolderBackups(tmp_path / "backups"),
        lambda one: SqliteDatabase(Path(one.place)),
        lambda: f"b-{next(numbers)}",
        lambda: clock.now,
        "ann",
    )
    clock.now = 100 * DAY
    return desk


class clock:  # noqa: N801 -- a place for one number
    now = 0.0


def write_pairs(path: Path, stop: threading.Event, begun: threading.Event) -> None:
    """Two rows in each transaction: never an odd number."""
    with closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as database:
        number = 0
        while not stop.is_set():
            number += 1
            database.execute("BEGIN IMMEDIATE")
            for _ in range(2):
                database.execute("INSERT INTO entries (pair, filling) VALUES (?, zeroblob(3000))", (number,))
            database.execute("COMMIT")
            begun.set()


def test_a_backup_under_writes_holds_whole_transactions_only(path, desk):
    stop, begun = threading.Event(), threading.Event()
    writer = threading.Thread(target=write_pairs, args=(path, stop, begun))
    writer.start()
    try:
        assert begun.wait(60)
        taken = [desk.create("production")[0].backup for _ in range(4)]
    finally:
        stop.set()
        writer.join()
    for one in taken:
        ((_, rows),) = one.contents.tables
        assert rows % 2 == 0
        assert rows > 0
        proved = desk.prove(one.id)
        assert not isinstance(proved, Declined), proved
        assert proved.proved == clock.now
    assert {each.name for each in path.parent.iterdir()} <= {"shop.db", "shop.db-wal", "shop.db-shm"}


def test_the_files_are_for_the_owner_only_and_say_what_they_are(desk, tmp_path):
    backup = desk.create("production")[0].backup
    files = sorted((tmp_path / "backups").iterdir())
    assert [each.name for each in files] == ["b-0.backup", "b-0.json"]
    assert {each.stat().st_mode & 0o777 for each in files} == {0o600}
    assert (tmp_path / "backups").stat().st_mode & 0o777 == 0o700
    assert backup.size == files[0].stat().st_size
    assert desk.find("b-0") == backup


@pytest.mark.parametrize("how", ["altered", "cut", "gone"])
def test_an_altered_file_is_found_before_anything_is_restored_from_it(desk, tmp_path, path, how):
    backup = desk.create("production")[0].backup
    file = tmp_path / "backups" / "b-0.backup"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(content if how == "altered" else content[:-1])
    answer = desk.prove(backup.id)
    assert isinstance(answer, Declined)
    assert answer.code == "backup-altered"
    assert {"altered": "was altered", "cut": f"not {backup.size} bytes", "gone": "is gone"}[how] in answer.sentence
    assert [each.name for each in path.parent.iterdir()] == ["shop.db"]


def test_a_record_that_says_other_rows_than_are_restored_is_no_proof(desk):
    backup = desk.create("production")[0].backup
    desk.backups.replace(replace(backup, contents=replace(backup.contents, tables=(("entries", 7),))))
    answer = desk.prove(backup.id)
    assert isinstance(answer, Declined)
    assert "entries has 0 rows, not 7" in answer.sentence
    assert desk.find(backup.id).proved is None


def test_expired_backups_go_with_the_next_one_and_a_failed_one_costs_none(desk, path):
    for _ in range(2):
        desk.create("production")
    clock.now += 31 * DAY
    path.rename(path.with_name("away"))
    with pytest.raises(FairwayError) as missing:
        desk.create("production")
    assert missing.value.code == "data-missing"
    assert [one.id for one in desk.list_backups("production")] == ["b-1", "b-0"]
    path.with_name("away").rename(path)
    (taken,) = desk.create("production")
    assert set(taken.removed) == {"b-0", "b-1"}
    assert [one.id for one in desk.list_backups("production")] == [taken.backup.id]


def test_a_damaged_database_is_no_backup(desk, path, tmp_path):
    with closing(sqlite3.connect(path)) as database, database:
        database.executemany("INSERT INTO entries (filling) VALUES (zeroblob(3000))", [()] * 50)
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 6] = os.urandom(4096 * 3)
    path.write_bytes(content)
    with pytest.raises(PermanentError) as damaged:
        desk.create("production")
    assert damaged.value.code == "data-damaged"
    assert list((tmp_path / "backups").iterdir()) == []
    found = SqliteDatabase(path).inspect()
    assert found is not None
    assert found.damage
    path.write_bytes(b"this is no database, however long it may be" * 200)
    assert SqliteDatabase(path).inspect().damage == ("file is not a database",)


def test_a_damaged_database_is_put_aside_and_its_log_is_never_played_into_the_other(desk, path):
    backup = desk.create("production")[0].backup
    database = SqliteDatabase(path)
    database.load(desk.backups.verify(backup).path, "beside")
    path.write_bytes(b"this is no database, however long it may be" * 200)
    for end in ("-wal", "-journal"):
        path.with_name(f"shop.db{end}").write_bytes(b"nor is this its log")
    database.exchange("beside", "aside")
    assert database.inspect() == backup.contents
    assert not [each for each in path.parent.iterdir() if each.name.startswith("shop.db-")]
    assert path.with_name("aside").read_bytes().startswith(b"this is no database")


def test_nothing_is_exchanged_under_a_process_that_has_it_open(desk, path):
    backup = desk.create("production")[0].backup
    database = SqliteDatabase(path)
    database.load(desk.backups.verify(backup).path, "beside")
    script = (
        "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute('SELECT * FROM entries').fetchall();"
        "print(1, flush=True); input()"
    )
    user = subprocess.Popen([sys.executable, "-c", script, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        user.stdout.readline()
        with pytest.raises(TransientError) as in_use:
            database.exchange("beside", "aside")
        assert in_use.value.code == "data-in-use"
        assert f"process {user.pid} has" in in_use.value.message
        assert not path.with_name("aside").exists()
    finally:
        user.communicate(b"\n")
    database.exchange("beside", "aside")
    assert path.with_name("aside").exists()


def test_what_was_committed_to_the_log_only_is_kept_aside(desk, path):
    """The log of a process that was killed is not in the file yet."""
    backup = desk.create("production")[0].backup
    script = (
        "import os, sqlite3, sys; d = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "d.execute('INSERT INTO entries (pair) VALUES (1)'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, path], check=False)
    assert path.with_name("shop.db-wal").stat().st_size > 0
    database = SqliteDatabase(path)
    database.load(desk.backups.verify(backup).path, "beside")
    database.exchange("beside", "aside")
    assert database.inspect().tables == (("entries", 0),)
    assert database.inspect("aside").tables == (("entries", 1),)


class Death(BaseException):
    """The process is dead: nothing in it may catch this."""


@contextmanager
def mortal(after: int):
    """So many changes of a folder go well, and the next one is never made."""
    left = iter(range(after))
    changes = {name: getattr(os, name) for name in ("link", "rename", "unlink")}

    def call(name, *arguments, **more):
        if next(left, None) is None:
            raise Death
        return changes[name](*arguments, **more)

    try:
        for name in changes:
            setattr(os, name, partial(call, name))
        yield
    finally:
        for name, change in changes.items():
            setattr(os, name, change)


@pytest.mark.parametrize("undo", [False, True], ids=["ended", "undone"])
def test_an_exchange_survives_a_death_between_any_two_of_its_changes(desk, path, undo):
    """Each change of the folder is the last one of a life; the next life ends it, or undoes it."""
    backup = desk.create("production")[0].backup
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO entries (pair) VALUES (1)")
    shop, died = SqliteDatabase(path), 0
    for after in range(5):
        shop.load(desk.backups.verify(backup).path, "beside")
        try:
            with mortal(after):
                shop.exchange("beside", "aside")
        except Death:
            died += 1
        assert path.exists(), "there is a database at every instant"
        if not undo:
            shop.exchange("beside", "aside")
            assert shop.inspect() == backup.contents
        shop.exchange("aside", "beside")
        assert shop.inspect().tables == (("entries", 1),), after
        assert shop.inspect("aside") is None
        assert shop.inspect("beside") == backup.contents
        shop.drop("beside")
    assert died >= 2


def test_a_restored_file_has_the_mode_of_the_one_that_it_replaces(desk, path):
    path.chmod(0o640)
    backup = desk.create("production")[0].backup
    database = SqliteDatabase(path)
    database.load(desk.backups.verify(backup).path, "beside")
    database.exchange("beside", "aside")
    assert path.stat().st_mode & 0o777 == 0o640
    with closing(sqlite3.connect(path)) as opened:
        assert opened.execute("PRAGMA journal_mode").fetchone() == ("wal",), "as it was"


def test_behind_a_link_the_file_itself_is_exchanged_where_it_lies(desk, path):
    backup = desk.create("production")[0].backup
    elsewhere = path.parents[1] / "volume"
    elsewhere.mkdir()
    real = path.rename(elsewhere / "real.db")
    path.symlink_to(real)
    with closing(sqlite3.connect(path)) as opened, opened:
        opened.execute("INSERT INTO entries (pair) VALUES (1)")
    database = SqliteDatabase(path)
    assert database.name == "real.db"
    database.load(desk.backups.verify(backup).path, "beside")
    database.exchange("beside", "aside")
    assert [each.name for each in path.parent.iterdir() if each.is_symlink()] == ["shop.db"]
    assert sorted(each.name for each in elsewhere.iterdir()) == ["aside", "real.db"]
    assert database.inspect() == backup.contents
    assert database.inspect("aside").tables == (("entries", 1),)


def test_a_folder_in_the_place_of_the_file_is_not_taken_for_a_lost_database(path):
    path.unlink()
    path.mkdir()
    for action in (SqliteDatabase(path).inspect, lambda: SqliteDatabase(path).dump(str(path.with_name("dump")))):
        with pytest.raises(UserError) as refused:
            action()
        assert refused.value.message == f"{path} is no file"


def test_a_file_that_cannot_be_given_to_its_owner_never_takes_the_place(desk, path, monkeypatch):
    """No test can count on a second account: the kernel's answers are played."""
    backup = desk.create("production")[0].backup
    look, own = os.stat, str(path)

    def of_another(which, *arguments, **more):
        found = look(which, *arguments, **more)
        return os.stat_result([*found[:4], found.st_uid + 1, *found[5:]]) if str(which) == own else found

    def refuse(*arguments):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "stat", of_another)
    monkeypatch.setattr(os, "chown", refuse)
    database = SqliteDatabase(path)
    database.load(desk.backups.verify(backup).path, "beside")
    with pytest.raises(PermanentError) as refused:
        database.exchange("beside", "aside")
    assert refused.value.code == "data-owner"
    assert not path.with_name("aside").exists()


@pytest.mark.parametrize("limit", [0, 4096, 100_000])
def test_a_disk_without_room_leaves_nothing_that_is_listed(desk, path, limit):
    with closing(sqlite3.connect(path)) as database, database:
        database.executemany("INSERT INTO entries (filling) VALUES (zeroblob(3000))", [()] * 100)
    desk.backups.keep(Backup("b-good", "shop", "production", "main", "sqlite", 1.0), SqliteDatabase(path).dump)
    said = without_room(lambda: desk.create("production"), limit)
    assert said.startswith(("TransientError", "PermanentError")), said
    assert [one.id for one in desk.list_backups("production")] == ["b-good"]
    assert sorted(each.name for each in path.parents[1].joinpath("backups").iterdir()) == [
        "b-good.backup",
        "b-good.json",
    ]
    said = without_room(lambda: desk.prove("b-good"), limit)
    assert said.startswith(("TransientError", "PermanentError")), said
    kept = desk.backups.verify(desk.find("b-good")).path
    assert without_room(lambda: SqliteDatabase(path).load(kept, "copy"), limit).startswith("TransientError")
    assert not [each for each in path.parent.iterdir() if "copy" in each.name], "the room is given back"


def without_room(action, limit: int) -> str:
    """What the action says in a process whose files cannot grow beyond so many bytes."""
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        try:
            action()
            os.write(sink, b"done")
        except BaseException as error:  # noqa: BLE001 -- told to the test
            os.write(sink, f"{type(error).__name__} {error}".encode()[:4000])
        os._exit(0)
    os.close(sink)
    os.waitpid(child, 0)
    with os.fdopen(source, "rb") as told:
        return told.read().decode()


def test_what_a_killed_backup_left_is_removed_by_the_next_one_and_what_another_writes_is_not(desk, tmp_path):
    desk.create("production")
    folder = tmp_path / "backups"
    (folder / "b-dead.backup.part").write_bytes(b"half")
    (folder / "b-half.backup").write_bytes(b"whole, and its record was never written")
    begun, go = threading.Event(), threading.Event()

    def slowly(target: str) -> Contents:
        Path(target).write_bytes(b"slow")
        begun.set()
        assert go.wait(60)
        return Contents()

    slow = threading.Thread(
        target=desk.backups.keep, args=(Backup("b-slow", "shop", "production", "main", "sqlite", 1.0), slowly)
    )
    slow.start()
    try:
        assert begun.wait(60)
        desk.create("production")
        assert sorted(each.name for each in folder.glob("b-[a-z]*")) == ["b-slow.backup.part"]
    finally:
        go.set()
        slow.join()
    assert {one.id for one in desk.list_backups("production")} == {"b-0", "b-1", "b-slow"}
