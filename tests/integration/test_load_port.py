"""The generator as the port sees it, and what it costs a process to answer."""

import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from raw_server import RawServer, answer

from fairway.adapters.load.host import describe_host, read_use
from fairway.adapters.load.meter import KernelMeter
from fairway.adapters.load.rounds import OwnGenerator
from fairway.domain.errors import UserError
from fairway.domain.insight.baseline import Load
from fairway.domain.insight.histogram import decode
from fairway.ports.load import Place

LOAD = Load(rate=100.0, duration=0.3, warmup=0.1, connections=2, timeout=5.0)


def test_a_round_tells_what_came():
    def respond(number, method, path):
        return answer(503 if path == "/bad" else 404 if path == "/gone" else 200)

    load = Load(paths=("/", "/bad", "/gone"), rate=100.0, duration=0.6, warmup=0.0, connections=2, good="200-299")
    with RawServer(respond) as server:
        found = OwnGenerator().run(Place(server.url), load)
    assert found.sent == found.ok + found.failed == 60
    assert (found.ok, found.failed, found.server_errors, found.unanswered) == (20, 40, 20, 0)
    assert dict(found.problems) == {"status 503": 20, "status 404": 20}
    assert found.availability == pytest.approx(1 / 3)
    assert sum(decode(found.histogram).values()) == 60


def test_the_warm_up_is_apart():
    with RawServer() as server:
        found = OwnGenerator().run(Place(server.url), LOAD)
        assert server.total == found.sent + found.warmed == 40
    assert found.warmed == 10


def test_a_service_that_is_not_there_is_a_round_of_failures():
    with RawServer() as server:
        url = server.url
    found = OwnGenerator().run(Place(url), LOAD)
    assert (found.ok, found.failed, found.unanswered) == (0, 30, 30)
    assert found.problems == (("refused", 30),)
    assert found.p50 is None
    assert found.availability == 0.0


def test_headers_reach_the_service_and_not_the_list_of_processes(tmp_path):
    listener = socket.create_server(("127.0.0.1", 0))
    seen: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            while data := connection.recv(1 << 16):
                seen.append(data)
                seen.extend(readable(place) for place in commands())
                connection.sendall(answer())

    def commands() -> list[Path]:
        return [place for place in Path("/proc").glob("[0-9]*/cmdline") if b"adapters.load" in readable(place)]

    thread = threading.Thread(target=serve)
    thread.start()
    load = Load(rate=10.0, duration=0.2, warmup=0.0, connections=1, headers=("X-Secret: hunter2",))
    OwnGenerator().run(Place(f"http://127.0.0.1:{listener.getsockname()[1]}"), load)
    thread.join(60)
    listener.close()
    assert b"X-Secret: hunter2\r\n" in seen[0]
    assert any(b"adapters.load" in one for one in seen[1:])
    assert not any(b"hunter2" in one for one in seen if b"adapters.load" in one)


def readable(place: Path) -> bytes:
    try:
        return place.read_bytes()
    except OSError:
        return b""


def test_what_is_no_url_is_refused():
    with pytest.raises(UserError):
        OwnGenerator().run(Place("ftp://127.0.0.1"), LOAD)


BURN = """
import sys, time
begin = time.process_time()
while time.process_time() - begin < 0.3: pass
print("done", flush=True)
sys.stdin.read()
"""


class TestMeter:
    def burner(self, script: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def test_it_knows_what_a_process_used_and_what_its_children_did(self):
        parent = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}])"
        with self.burner(BURN) as alone, self.burner(parent) as above:
            for process in (alone, above):
                assert process.stdout.readline() == "done\n"
            used = [KernelMeter().read([process.pid]) for process in (alone, above)]
            for process in (alone, above):
                process.stdin.close()
        assert all(0.3 <= one < 0.8 for one in used)

    def test_threads_that_ended_count(self):
        script = (
            f"import threading\nthread = threading.Thread(target=lambda: exec({BURN.partition('print')[0]!r}, {{}}))\n"
        )
        script += "thread.start()\nthread.join()\nprint('done', flush=True)\ninput()"
        with self.burner(script) as process:
            assert process.stdout.readline() == "done\n"
            assert KernelMeter().read([process.pid]) >= 0.3
            process.stdin.close()
            process.kill()

    def test_a_process_that_is_gone_has_no_figure(self):
        with self.burner("pass") as process:
            process.wait(60)
        assert KernelMeter().read([process.pid]) is None


def test_the_host_is_described_and_its_use_lies_between_nothing_and_all():
    assert "×" in describe_host()
    began = time.monotonic()
    processors, memory = read_use(0.1)
    assert time.monotonic() - began < 60
    assert 0 <= processors <= 1
    assert 0 < memory < 1
