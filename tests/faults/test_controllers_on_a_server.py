"""Controllers on one PostgreSQL: one that wakes up late, a server that dies, moves, or leaves to its standby."""

import contextlib
import ctypes
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from postgres_pair import Pair
from services import HEALTHY, ask, configure, environment, release, turns_bad
from workshop import Workshop, free_port

from fairway.adapters.load.process import Load
from fairway.adapters.stores.sql import SqlStore
from fairway.domain.rollout.events import Event, RunEnded, StepFinished

# The conftest of all tests: the one of this folder has the same name.
_spec = importlib.util.spec_from_file_location("conftest_of_all", Path(__file__).parents[1] / "conftest.py")
assert _spec is not None
assert _spec.loader is not None
postgres = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(postgres)

pytestmark = pytest.mark.timeout(180)


class Server:
    """A PostgreSQL of the test's own, which it may kill."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = postgres.start_postgres(folder)
        self.url = f"postgresql://postgres@/test?host={folder}"

    def end(self, how: signal.Signals) -> None:
        self.process.send_signal(how)
        self.process.wait(timeout=30)

    def move(self, folder: Path, port: int) -> None:
        """Its data lie in another folder from now on, where its socket will be, and it gets another port."""
        (self.folder / "data").rename(folder / "data")
        if os.geteuid() == 0:
            os.chown(folder, postgres.NOBODY, postgres.NOBODY)
        program, *arguments = [str(part) for part in self.process.args]  # type: ignore[union-attr]
        arguments = [part.replace(str(self.folder), str(folder)) for part in arguments]
        self.process.args = [program, *arguments, "-c", f"port={port}"]
        self.folder, self.url = folder, f"postgresql://postgres@/test?host={folder}&port={port}"

    def start_again(self) -> None:
        """As it was; a lock file of a dead server is no obstacle to PostgreSQL."""
        options: dict[str, object] = {"cwd": self.folder, "env": {"PATH": "/usr/bin:/bin", "LANG": "C", "TZ": "UTC"}}
        if os.geteuid() == 0:
            options |= {"user": postgres.NOBODY, "group": postgres.NOBODY, "extra_groups": []}
        self.process = subprocess.Popen(
            self.process.args,  # type: ignore[arg-type]
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: ctypes.CDLL(None).prctl(postgres.PR_SET_PDEATHSIG, signal.SIGQUIT),  # noqa: PLW1509
            **options,  # type: ignore[arg-type]
        )
        deadline = time.monotonic() + 30
        while True:
            with contextlib.suppress(psycopg.OperationalError), psycopg.connect(self.url):
                return
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.fixture
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="fairway-pg-", dir="/tmp"))
    made = None
    try:
        made = Server(folder)
        yield made
    finally:
        if made is not None and made.process.poll() is None:
            made.end(signal.SIGINT)
        shutil.rmtree(folder)


class Name:
    """A name for a server that leads elsewhere when it is told so: an entry in a service file of PostgreSQL.

    Args:
        file: the service file; `PGSERVICEFILE` says where it is.
    """

    url = "postgresql://postgres@/test?service=journal"

    def __init__(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._file = file
        monkeypatch.setenv("PGSERVICEFILE", str(file))

    def lead_to(self, folder: Path, port: int = 5432) -> None:
        """From now on new connections reach the server with a socket there."""
        draft = self._file.with_suffix(".draft")
        draft.write_text(f"[journal]\nhost={folder}\nport={port}\n")
        draft.replace(self._file)


@pytest.fixture
def name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Name:
    return Name(tmp_path / "services", monkeypatch)


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A folder with a short path, for a server that moves."""
    folder = Path(tempfile.mkdtemp(prefix="fairway-pg-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


def _begin(shop: Workshop, url: str, bake: str, body: str = HEALTHY) -> tuple[int, list["subprocess.Popen[str]"]]:
    """1.0.0 is live, 1.1.0 is committed, and two controllers serve."""
    port = free_port()
    canary = environment("production", port, f"{{kind: canary, steps: [50, 100], bake: {bake}}}", instances=1)
    release(shop, "1.0.0", **{"fairway.yaml": configure(canary, head=f"database: {json.dumps(url)}\n")})
    controllers = [shop.start("serve"), shop.start("serve")]
    for one in controllers:
        assert one.stderr is not None
        assert "serves" in one.stderr.readline()
    first = shop.deploy("1.0.0", "production", "--timeout", "60s")
    assert first.status == 0, first.err
    release(shop, "1.1.0", body)
    return port, controllers


def test_a_controller_that_was_stopped_and_wakes_up_after_it_lost_its_run_does_nothing(
    shop: Workshop, server: Server, tmp_path: Path
) -> None:
    port, controllers = _begin(shop, server.url, "600s", turns_bad(tmp_path / "bad"))
    with Load(f"http://127.0.0.1:{port}/", rate=100, connections=8) as users:
        run = shop.deploy("1.1.0", "production", "--no-wait").json["run"]
        shop.await_status("production", lambda status: status["evidence"] is not None)
        stalled = next(one for one in controllers if one.pid == _holder(server.url, run))
        stalled.send_signal(signal.SIGSTOP)
        (tmp_path / "bad").touch()
        ended = shop.await_status("production", lambda status: status["finished"] is not None, 40)
        assert ended["phase"] == "rolled-back"
        before, units = _events(server.url, run), shop.units()
        stalled.send_signal(signal.SIGCONT)
        seen_at = users.live()["sent"]
        deadline = time.monotonic() + 30
        while users.live()["sent"] < seen_at + 500:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        seen = users.stop()
    assert _events(server.url, run) == before
    assert shop.units() == units
    assert ask(port).text == "1.0.0"
    assert seen.failed == 0, seen
    assert stalled.poll() is None
    release(shop, "1.2.0")
    assert shop.deploy("1.2.0", "production", "--no-wait").status == 0
    shop.await_status("production", lambda status: status["weight"] == 50)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["restarted", "killed"])
def test_a_server_that_goes_and_comes_back_in_a_canary_delays_it_and_nothing_else(
    shop: Workshop, server: Server, how: signal.Signals
) -> None:
    port, _ = _begin(shop, server.url, "4s")
    with Load(f"http://127.0.0.1:{port}/", rate=100, connections=8) as users:
        run = shop.deploy("1.1.0", "production", "--no-wait").json["run"]
        shop.await_status("production", lambda status: status["weight"] == 50)
        if how == signal.SIGKILL:
            _kill_tree(server.process.pid)
        server.end(how)
        asked = shop.fairway("status", "--json")
        assert (asked.status, asked.json["error"]["code"]) == (3, "database-unreachable"), asked
        seen_at = users.live()["sent"]
        while users.live()["sent"] < seen_at + 300:
            time.sleep(0.05)
        server.start_again()
        ended = shop.await_status("production", lambda status: status["finished"] is not None, 60)
        seen = users.stop()
    assert (ended["phase"], ended["verdict"]) == ("completed", "passed"), ended
    assert seen.failed == 0, seen
    assert ask(port).text == "1.1.0"
    finished = Counter((each.track, each.index) for each in _events(server.url, run) if isinstance(each, StepFinished))
    assert set(finished.values()) == {1}


def test_a_server_that_comes_back_elsewhere_behind_its_name_delays_a_canary_and_nothing_else(
    shop: Workshop, elsewhere: Path, server: Server, name: Name
) -> None:
    name.lead_to(server.folder)
    port, controllers = _begin(shop, name.url, "6s")
    with Load(f"http://127.0.0.1:{port}/", rate=100, connections=8) as users:
        run = shop.deploy("1.1.0", "production", "--no-wait").json["run"]
        shop.await_status("production", lambda status: status["weight"] == 50)
        server.end(signal.SIGINT)
        server.move(elsewhere, 5433)
        server.start_again()
        # It serves by now, and the name does not say so yet.
        asked = shop.fairway("status", "--json")
        assert (asked.status, asked.json["error"]["code"]) == (3, "database-unreachable"), asked
        _let_pass(users, 300)
        name.lead_to(elsewhere, 5433)
        ended = shop.await_status("production", lambda status: status["finished"] is not None, 90)
        seen = users.stop()
    assert (ended["phase"], ended["verdict"]) == ("completed", "passed"), ended
    assert seen.failed == 0, seen
    assert ask(port).text == "1.1.0"
    _assert_nothing_twice(name.url, run)
    assert [one.poll() for one in controllers] == [None, None]


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair(postgres)
    yield made
    made.close()


def test_a_standby_that_takes_over_in_a_canary_delays_it_and_nothing_else(shop: Workshop, pair: Pair) -> None:
    port, controllers = _begin(shop, pair.url, "6s")
    with Load(f"http://127.0.0.1:{port}/", rate=100, connections=8) as users:
        run = shop.deploy("1.1.0", "production", "--no-wait").json["run"]
        shop.await_status("production", lambda status: status["weight"] == 50 and status["evidence"] is not None)
        pair.kill_primary()
        # There is a server that answers and may not be written to: nobody may take that for a refusal.
        asked = shop.fairway("status", "--json")
        assert (asked.status, asked.json["error"]["code"]) == (3, "database-unreachable"), asked
        seen_at = users.live()["sent"]
        while users.live()["sent"] < seen_at + 300:
            time.sleep(0.05)
        pair.promote()
        ended = shop.await_status("production", lambda status: status["finished"] is not None, 90)
        seen = users.stop()
    assert (ended["phase"], ended["verdict"]) == ("completed", "passed"), ended
    assert seen.failed == 0, seen
    assert ask(port).text == "1.1.0"
    events = _events(pair.url, run)
    finished = Counter((each.track, each.index) for each in events if isinstance(each, StepFinished))
    assert set(finished.values()) == {1}
    assert sum(isinstance(each, RunEnded) for each in events) == 1
    assert [one.poll() for one in controllers] == [None, None]


def test_a_former_primary_that_lives_on_read_only_behind_another_address_ends_no_canary(
    shop: Workshop, pair: Pair, name: Name
) -> None:
    first, second = pair.folders
    name.lead_to(first)
    port, controllers = _begin(shop, name.url, "6s")
    with Load(f"http://127.0.0.1:{port}/", rate=100, connections=8) as users:
        run = shop.deploy("1.1.0", "production", "--no-wait").json["run"]
        shop.await_status("production", lambda status: status["weight"] == 50 and status["evidence"] is not None)
        # As an administrator changes places in calm: nothing is written here any more, and connections stay open.
        pair.close_primary_to_writers()
        _let_pass(users, 300)
        pair.promote()
        name.lead_to(second)
        ended = shop.await_status("production", lambda status: status["finished"] is not None, 90)
        seen = users.stop()
    assert (ended["phase"], ended["verdict"]) == ("completed", "passed"), ended
    assert seen.failed == 0, seen
    assert ask(port).text == "1.1.0"
    _assert_nothing_twice(name.url, run)
    assert [one.poll() for one in controllers] == [None, None]


def _let_pass(users: Load, requests: int) -> None:
    """Waits until so many more requests have been sent."""
    wanted = users.live()["sent"] + requests
    deadline = time.monotonic() + 60
    while users.live()["sent"] < wanted:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _assert_nothing_twice(url: str, run: str) -> None:
    events = _events(url, run)
    finished = Counter((each.track, each.index) for each in events if isinstance(each, StepFinished))
    assert set(finished.values()) == {1}
    assert sum(isinstance(each, RunEnded) for each in events) == 1


def _events(url: str, run: str) -> tuple[Event, ...]:
    with SqlStore.open(url) as store:
        return store.list_events(run)


def _holder(url: str, run: str) -> int:
    """The process that holds the run's lease."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT holder FROM fairway_runs WHERE id = %s", [run]).fetchone()
    assert row is not None
    return int(row[0].rsplit(".", 2)[1])


def _kill_tree(parent: int) -> None:
    """The server's processes, its own last: as when the system kills all of them."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == parent:
                    os.kill(int(entry.name), signal.SIGKILL)
