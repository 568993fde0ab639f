"""`python -m benchmarks.many_rollouts`: many services side by side, and very many runs that wait for somebody.

First SERVICES services with two instances each are deployed, and then half of them get a canary at once, with a user at
each of them. Then PAUSED runs stand still in one journal while a controller looks after it, and its cost is measured.
"""

import argparse
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from benchmarks.machine import describe_machine
from benchmarks.processor import memory_of
from benchmarks.service import FAIRWAY, free_port
from fairway.adapters.load.process import Load
from fairway.adapters.stores.sql import SqlStore
from fairway.domain.rollout.events import Paused
from fairway.testing.journal_samples import BEGIN, begin, plan

GIT = ("git", "-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost", "-c", "commit.gpgsign=false")
#: Exit status of a question about runs that wait for a person.
WAITS = 4
CONFIG = """\
service: {name}
build: {{steps: []}}
run:
  command: {python} -m granian --interface asgi --no-ws --log-level warning --host {{host}} --port {{port}} app:app
  health: {{ready: /ready}}
  drain: 2s
environments:
  production:
    router: {{kind: envoy, listen: '127.0.0.1:{port}'}}
    instances: 2
    strategy: {{kind: canary, steps: [50, 100], bake: 5s}}
    analysis: {{warmup: 1s, block: 1s}}
    observe: 2s
"""
APPLICATION = """\
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"%s"})
"""


class Service:
    """A repository with two releases of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.port = folder / name, free_port()
        self.folder.mkdir()
        self._git("init", "--quiet")
        (self.folder / "fairway.yaml").write_text(CONFIG.format(name=name, python=sys.executable, port=self.port))
        (self.folder / ".gitignore").write_text(".fairway/\n")
        for version in ("1.0.0", "1.1.0"):
            (self.folder / "app.py").write_text(APPLICATION % version[2:4].rstrip(".").rjust(2))
            self._git("add", ".")
            self._git("commit", "--quiet", "--message", version)
            self._git("tag", f"v{version}")

    def fairway(self, *arguments: str) -> tuple[int, float]:
        """Status and seconds of a command."""
        began = time.monotonic()
        command = [str(FAIRWAY), *arguments, "--config", str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        return done.returncode, time.monotonic() - began

    def _git(self, *arguments: str) -> None:
        subprocess.run([*GIT, *arguments], cwd=self.folder, check=True, capture_output=True)


def main() -> int:
    """Measures both and prints a line of JSON each; 0 if every rollout went through and no user missed a page."""
    parser = argparse.ArgumentParser("python -m benchmarks.many_rollouts")
    parser.add_argument("--services", type=int, default=24)
    parser.add_argument("--rate", type=float, default=30.0, help="requests a second to each service under change")
    parser.add_argument("--paused", type=int, default=1000)
    options = parser.parse_args()
    # So that what was started is stopped on this way out as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(json.dumps({"machine": describe_machine()}))
    with tempfile.TemporaryDirectory(prefix="fairway-many-") as place:
        good = side_by_side(Path(place), options.services, options.rate)
    with tempfile.TemporaryDirectory(prefix="fairway-many-") as place:
        waiting(Path(place), options.paused)
    return 0 if good else 1


def side_by_side(folder: Path, count: int, rate: float) -> bool:
    """All services, and a canary in half of them at once."""
    services = [Service(folder, f"s{number}") for number in range(count)]
    changing = services[: count // 2]
    try:
        with ThreadPoolExecutor(4) as pool:
            first = list(pool.map(lambda one: one.fairway("deploy", "1.0.0", "--env", "production"), services))
        with ExitStack() as stack, ThreadPoolExecutor(len(changing)) as pool:
            users = [
                stack.enter_context(Load(f"http://127.0.0.1:{one.port}/", rate=rate, connections=4)) for one in changing
            ]
            began = time.monotonic()
            deploy = ("deploy", "1.1.0", "--env", "production", "--timeout", "2m")
            done = list(pool.map(lambda one: one.fairway(*deploy), changing))
            seconds = time.monotonic() - began
            seen = [one.stop() for one in users]
        asked = [one.fairway("status")[1] for one in services[:5]]
        line = {
            "services": count,
            "rollouts at once": len(changing),
            "statuses": sorted(status for status, _ in first + done),
            "first deployments s": round(max(took for _, took in first), 1),
            "rollouts s": round(seconds, 1),
            "requests": sum(one.sent for one in seen),
            "failed": sum(one.failed for one in seen),
            "p99_ms": round(max(one.p99_ms or 0.0 for one in seen), 1),
            "status s": round(statistics.median(asked), 2),
        }
        print(json.dumps(line), flush=True)
        return {status for status, _ in first + done} == {0} and line["failed"] == 0
    finally:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda one: one.fairway("down"), services))


def waiting(folder: Path, count: int) -> None:
    """Runs that wait for a person, and what the controller costs meanwhile."""
    service = Service(folder, plan().service)
    (service.folder / ".fairway").mkdir(mode=0o700)
    with SqlStore.open(str(service.folder / ".fairway/journal.db")) as store:
        began = time.monotonic()
        for number in range(count):
            run = begin(store, f"run-{number}", plan(environment=f"e{number}"))
            store.append(run, [Paused(BEGIN, "ann", "waits")], wake=None)
        made = time.monotonic() - began
    controller = subprocess.Popen(
        [str(FAIRWAY), "serve", "--config", str(service.folder)], stderr=subprocess.PIPE, text=True
    )
    try:
        assert controller.stderr is not None
        controller.stderr.readline()
        before, at = _processor_seconds(controller.pid), time.monotonic()
        answers = [service.fairway("status") for _ in range(5)]
        if {status for status, _ in answers} != {WAITS}:
            raise RuntimeError(f"status does not say that the runs wait: {answers}")
        asked = [seconds for _, seconds in answers]
        time.sleep(5.0)
        used = (_processor_seconds(controller.pid) - before) / (time.monotonic() - at)
        line = {
            "paused runs": count,
            "made in s": round(made, 1),
            "controller MB": round(memory_of(controller.pid), 1),
            "threads": len(list(Path(f"/proc/{controller.pid}/task").iterdir())),
            "processor share": round(used, 4),
            "status of all s": round(statistics.median(asked), 2),
        }
        print(json.dumps(line), flush=True)
    finally:
        controller.terminate()
        controller.communicate(timeout=30)
        service.fairway("down")


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


if __name__ == "__main__":
    sys.exit(main())
