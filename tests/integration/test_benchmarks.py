"""The harness of the benchmark works; what it measures is nobody's business here."""

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks import peers, processor, traffic
from benchmarks.__main__ import as_object, as_text
from benchmarks.commands import measure
from benchmarks.figures import Limit, Row, shown
from benchmarks.suite import QUICK, Results

ON_A_SOCKET = """
import http.server, socket, sys

class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_UNIX
    request_queue_size = 128
    def server_bind(self):
        self.socket.bind(self.server_address)

class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def address_string(self):
        return "-"

server = Server(sys.argv[1], Handler)
print("listening", flush=True)
server.serve_forever()
"""
BUSY = "import time\nend = time.process_time() + {seconds}\nwhile time.process_time() < end: pass\n"


@pytest.fixture
def backend(tmp_path):
    """A server of its own process that answers with 200; its address."""
    (tmp_path / "health").write_text("ok\n")  # what health checks ask for
    server = subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "--protocol", "HTTP/1.1", "0"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout is not None
    port = server.stdout.readline().split(" port ")[1].split()[0]
    yield f"127.0.0.1:{port}"
    server.terminate()
    server.wait()
    server.stdout.close()


@pytest.fixture
def backend_on_a_socket(tmp_path):
    """The same on a Unix socket; its path."""
    (tmp_path / "health").write_text("ok\n")
    path = str(tmp_path / "socket")
    server = subprocess.Popen(
        [sys.executable, "-c", ON_A_SOCKET, path], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert server.stdout is not None
    server.stdout.readline()
    yield path
    server.terminate()
    server.wait()
    server.stdout.close()


class TestProcessorTime:
    def test_what_a_child_uses_is_ours_also_after_its_end(self, tmp_path):
        began = processor.observe(tmp_path)
        subprocess.run([sys.executable, "-c", BUSY.format(seconds=0.3)], check=True)
        usage = began.until(processor.observe(tmp_path))
        assert 0.25 < usage.ours * usage.seconds < 2

    def test_a_detached_process_is_ours_if_it_works_in_the_folder(self, tmp_path):
        # Through a shell that ends at once, so that the process is nobody's descendant.
        program = BUSY.format(seconds=0.3) + "time.sleep(60)"
        shell = ["sh", "-c", '"$0" -c "$1" >/dev/null 2>&1 & echo $!', sys.executable, program]
        began = processor.observe(tmp_path)
        pid = int(subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, check=True).stdout)
        try:
            deadline = time.monotonic() + 60
            while processor.used_by(pid) < 0.25:  # it is told in hundredths, rounded down
                assert time.monotonic() < deadline
                time.sleep(0.02)
            usage = began.until(processor.observe(tmp_path))
            assert usage.ours * usage.seconds > 0.2
            elsewhere = tmp_path / "elsewhere"
            processes = processor.list_processes()
            assert pid in processor.own_processes(processes, 1, tmp_path)
            assert pid not in processor.own_processes(processes, processor.os.getpid(), elsewhere)
        finally:
            processor.os.kill(pid, 9)

    def test_what_strangers_use_is_others(self, tmp_path):
        # For the account, the root of what is ours is a process that does nothing.
        with subprocess.Popen(["sleep", "60"]) as idle:
            began = processor.observe(tmp_path, idle.pid)
            subprocess.run([sys.executable, "-c", BUSY.format(seconds=0.3)], check=True)
            usage = began.until(processor.observe(tmp_path, idle.pid))
            idle.kill()
        assert usage.ours * usage.seconds < 0.1
        assert usage.others * usage.seconds > 0.25

    def test_the_worst_second_of_others_shows_although_the_rest_was_calm(self, tmp_path):
        # A stranger's process: its shell ends at once, and it works elsewhere.
        shell = ["sh", "-c", '"$0" -c "$1" >/dev/null 2>&1 &', sys.executable, BUSY.format(seconds=0.5)]
        with processor.Account(tmp_path) as account:
            subprocess.run(shell, cwd="/", check=True)
            time.sleep(2.2)  # the length of the account
        usage = account.usage()
        assert usage.others_peak >= 0.2
        assert usage.others_peak >= usage.others

    def test_a_child_that_is_not_waited_for_yet_is_ours(self, tmp_path):
        began = processor.observe(tmp_path)
        with subprocess.Popen([sys.executable, "-c", BUSY.format(seconds=0.3)], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.read()  # it has ended, or is about to
            usage = began.until(processor.observe(tmp_path))
        assert usage.ours * usage.seconds > 0.2

    def test_a_name_with_blanks_and_parentheses_is_no_trouble(self):
        fields = "S 7 1 1 0 -1 0 0 0 0 0 100 20 3 1 20 0 1 0 50"
        process = processor.parse(f"42 (a (b) c) {fields}", "/", "a")
        assert (process.parent, process.used_with_children) == (7, 124 / processor.os.sysconf("SC_CLK_TCK"))

    def test_a_process_that_is_gone_has_used_nothing(self):
        with subprocess.Popen(["true"]) as gone:
            pass
        assert processor.used_by(gone.pid) == processor.memory_of(gone.pid) == 0


class TestMeasurements:
    def test_users_give_the_figures_of_a_row(self, backend, tmp_path):
        with traffic.users(f"http://{backend}/", 100, tmp_path, processor.os.getpid()) as measured:
            time.sleep(0.7)  # the length of the measurement
        figures = measured.figures()
        assert figures["requests"] > 20
        assert figures["failed"] == 0
        assert 0 < figures["p50_ms"] <= figures["p99_ms"] <= figures["max_ms"]
        assert measured.detail()["by_status"] == {"200": figures["requests"]}

    @pytest.mark.parametrize("where", ["backend", "backend_on_a_socket"])
    @pytest.mark.parametrize(("name", "opener"), [("haproxy", peers.haproxy), ("nginx", peers.nginx)])
    def test_a_peer_forwards_to_the_backend_or_says_that_it_is_not_there(
        self, name, opener, where, tmp_path, monkeypatch, request
    ):
        backend = request.getfixturevalue(where)

        def refuse(wanted):
            raise peers.MissingPeerError(f"{wanted} is not here, and tests fetch nothing")

        monkeypatch.setattr(peers, "_unpack", refuse)
        service = SimpleNamespace(folder=tmp_path, backends=lambda: [backend])
        row = traffic.through_peer(name, opener, service, 50, 1.5)
        if row.problem is None:
            assert row.figures["requests"] > 0
            assert (row.figures["failed"], row.detail["by_status"]) == (0, {"200": row.figures["requests"]})
        else:
            assert row.missed() == [f"{name}: {name} is not here, and tests fetch nothing"]

    def test_a_command_gives_its_median(self, tmp_path):
        row = measure("sleep", ["/bin/sleep", "0.05"], tmp_path, 3, below=10_000)
        assert 50 <= row.figures["median_ms"] <= row.figures["max_ms"]
        assert row.missed() == []

    def test_a_command_that_fails_has_not_passed(self, tmp_path):
        assert measure("false", ["/bin/false"], tmp_path, 2).missed() == ["false: ended with status 1"]

    def test_rate_and_tail_stand_beside_those_at_rest(self):
        rest = Row("rest", {"rate_per_s": 100.0, "p99_ms": 2.0})
        rows = [Row("a", {"rate_per_s": 99.0, "p99_ms": 5.0}), Row("b", problem="not there")]
        ratios = [{n: v for n, v in row.figures.items() if "to_rest" in n} for row in traffic.compare(rows, rest)]
        assert ratios == [{"rate_to_rest": 0.99, "p99_to_rest": 2.5}, {"rate_to_rest": None, "p99_to_rest": None}]


class TestLimits:
    def test_a_figure_at_its_upper_limit_has_missed_it(self):
        limits = (Limit("a", below=50), Limit("b", exactly=0), Limit("c", least=10), Limit("d", below=1))
        row = Row("row", {"a": 50.0, "b": 1, "c": 9.0, "d": None}, limits)
        assert row.missed() == [
            "row: a is 50, limit < 50",
            "row: b is 1, limit 0",
            "row: c is 9, limit ≥ 10",
            "row: d is -, limit < 1",
        ]
        assert Row("row", {"a": 49.9, "b": 0, "c": 10, "d": 0}, limits).missed() == []

    def test_a_row_without_figures_has_missed(self):
        assert Row("row", problem="not there").missed() == ["row: not there"]

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (None, "-"),
            (0, "0"),
            (0.0123, "0.012"),
            (0.123, "0.12"),
            (12.34, "12.3"),
            (1234.5, "1,234"),
            (10000, "10,000"),
        ],
    )
    def test_figures_are_shown_with_the_digits_that_count(self, value, text):
        assert shown(value) == text


class TestReport:
    def results(self, p99: float) -> Results:
        usage = processor.Usage(1.0, 0.5, 0.25, 1.5)
        canary = Row("canary", {"p99_ms": p99, "failed": 0}, (Limit("p99_ms", below=50),), usage)
        dead = Row("dead", {"last_request_s": 0.1}, (Limit("last_request_s", below=0.3),), usage)
        return Results([canary, Row("nginx", problem="not there")], [dead], [Row("git", {"median_ms": 2.0})], [])

    def test_the_tables_show_every_row_and_mark_what_was_missed(self):
        text = as_text(self.results(60.0), QUICK, datetime(2026, 1, 2, tzinfo=UTC))
        assert "60 !" in text
        assert "0.25" in text
        assert "nginx: not there" in text
        assert "canary: p99_ms is 60, limit < 50 (others used 0.25 cores meanwhile, at most 1.50)" in text
        assert "held" not in text

    def test_the_object_can_be_written_as_json_and_tells_what_was_missed(self):
        value = json.loads(json.dumps(as_object(self.results(6.0), QUICK, datetime(2026, 1, 2, tzinfo=UTC))))
        assert value["ok"] is False
        assert value["missed"] == ["nginx: not there"]
        assert value["traffic"][0]["held"]
        assert value["traffic"][0]["processors"]["others"] == 0.25
        assert value["machine"]["cores"] >= 1
