"""The load generator as a process: how it ends, and how it is run from Python."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from load_runs import generator, load, wait_for
from raw_server import RawServer, answer

from fairway.adapters.load.process import Load
from fairway.adapters.load.report import Report
from fairway.domain.errors import UserError


class TestStopping:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_a_signal_ends_it_at_once_with_a_report(self, number):
        with RawServer() as server, generator(server.url, "--rate", "100") as process:
            wait_for(lambda: server.total > 20)
            begin = time.monotonic()
            process.send_signal(number)
            report = Report.from_json(process.communicate(timeout=60)[0])
            assert time.monotonic() - begin < 30
            assert process.returncode == 0
            assert server.total == report.sent == report.ok

    def test_requests_under_way_get_time_and_are_then_neither_good_nor_bad(self):
        never = threading.Event()

        def respond(number, method, path):
            if number > 10:
                never.wait(5)
            return answer()

        with RawServer(respond) as server, generator(server.url, "--rate", "100", "--drain", "0.2") as process:
            wait_for(lambda: server.total > 10)
            process.terminate()
            report = Report.from_json(process.communicate(timeout=60)[0])
            never.set()
        assert report.ok == 10
        assert report.failed == 0
        assert report.unfinished == report.sent - 10 > 0

    def test_it_ends_when_its_stdin_is_closed(self):
        with (
            RawServer() as server,
            generator(server.url, "--rate", "100", "--stop-on-eof", stdin=subprocess.PIPE) as process,
        ):
            wait_for(lambda: server.total > 5)
            report = Report.from_json(process.communicate(timeout=60)[0])
        assert report.ok == report.sent

    def test_it_ends_when_its_caller_is_killed(self, tmp_path):
        with RawServer() as server:
            script = (
                "import time; from pathlib import Path\n"
                "from fairway.adapters.load.process import Load\n"
                f"with Load({server.url!r}, rate=100) as run:\n"
                f"    Path({str(tmp_path / 'pid')!r}).write_text(str(run._process.pid)); time.sleep(60)\n"
            )
            with subprocess.Popen([sys.executable, "-c", script]) as caller:
                wait_for(lambda: server.total > 5)
                caller.kill()
            pid = int((tmp_path / "pid").read_text())
            wait_for(lambda: not _is_alive(pid))

    def test_exit_status_one_says_that_a_request_failed(self):
        with (
            RawServer(lambda *_: answer(500)) as server,
            generator(server.url, "--rate", "50", "--duration", "0.1") as run,
        ):
            assert run.wait(60) == 1


class TestFromPython:
    def test_the_run_can_be_watched_and_stopped_at_any_time(self):
        with RawServer(lambda *_: answer(fields="x-fairway-revision: r1\r\n")) as server:
            with Load(server.url, rate=100, connections=2) as run:
                assert run.live() == {}
                wait_for(lambda: run.live().get("revisions"))
                seen = run.live()
                assert 0.9 < seen["at"] < 3
                assert seen["ok"] > 50
                assert seen["failed"] == 0
                report = run.stop()
                assert run.stop() is report
            assert server.total == report.sent == report.ok

    def test_stopping_before_it_began_gives_a_report_too(self):
        with RawServer() as server, Load(server.url, rate=1) as run:
            assert run.stop().failed == 0

    def test_leaving_the_block_ends_the_generator(self):
        with RawServer() as server:
            with Load(server.url, rate=100) as run:
                wait_for(lambda: server.total > 5)
            assert run._process.poll() is not None

    def test_a_report_survives_json(self):
        with RawServer() as server:
            report = load(server.url, count=25)
        assert Report.from_json(report.to_json()) == report
        assert json.loads(report.to_json())["ok"] == 25

    @pytest.mark.parametrize(
        ("url", "options"),
        [
            ("http://127.0.0.1:1", ("--warmup", "-1")),
            ("https://127.0.0.1:1/", ("--authority", "/nowhere/at-all.pem")),
            ("ftp://x", ()),
            ("http://127.0.0.1:1", ("--path", "no-slash")),
            ("http://127.0.0.1:1", ("--path", "/a b")),
            ("http://127.0.0.1:1", ("--mix", "GET:0")),
            ("http://127.0.0.1:1", ("--mix", "TRACE:1")),
            ("http://127.0.0.1:1", ("--header", "no colon")),
            ("http://127.0.0.1:1", ("--good", "fine")),
            ("http://127.0.0.1:1", ("--connections", "0")),
            ("http://127.0.0.1:1", ("--unknown",)),
            ("http://no-such-host.invalid/", ()),
        ],
    )
    def test_wrong_input_is_refused_in_a_sentence(self, url, options):
        with pytest.raises(UserError), Load(url, rate=1, duration=0.1, options=options) as run:
            run.wait()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
