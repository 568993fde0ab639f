"""`python -m benchmarks.soak`: deploy, bad deploy, rollback, again and again under load, and what grows meanwhile.

SOAK_MINUTES says for how long, 60 by default, and SOAK_BAKE how long each step is watched, 4s by default. A line of
JSON a round; at the end the growth per 100 runs, from the second round on, because the first one warms everything up.
Exit status 1 if a round ended otherwise than it should, a page failed, or something grew without end.
"""

import json
import os
import signal
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.machine import describe_machine
from benchmarks.processor import memory_of
from benchmarks.service import DEAD, ENVIRONMENT, FIRST, GOOD, Service
from fairway.adapters.load.process import Load

MINUTES = float(os.environ.get("SOAK_MINUTES", "60"))
BAKE = os.environ.get("SOAK_BAKE", "4s")
RATE = 200.0
#: Most that a controller may grow per 100 runs, once warm: megabytes and descriptors.
MOST_MB, MOST_DESCRIPTORS = 5.0, 5.0
#: Runs in a round.
RUNS = 3


@dataclass(frozen=True)
class Reading:
    """What could grow.

    Attributes:
        disk: bytes of the state folder without artifacts, of which each release has one.
    """

    runs: int
    controller_mb: float
    supervisor_mb: float
    proxy_mb: float
    controller_descriptors: int
    supervisor_descriptors: int
    threads: int
    journal: int
    disk: int


def main() -> int:
    """Runs the rounds and says what grew."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    service = Service(Path(tempfile.mkdtemp(prefix="fairway-soak-")), bake=BAKE, healthy_for=1.0)
    readings: list[Reading] = []
    wrong: list[str] = []
    print(json.dumps({"minutes": MINUTES, "machine": describe_machine()}), flush=True)
    try:
        first = service.deploy(FIRST)
        if first.status != 0:
            raise RuntimeError(f"the first deployment failed: {first.report}")
        end = time.monotonic() + MINUTES * 60
        with Load(service.url, rate=RATE, connections=16) as users:
            while time.monotonic() < end:
                wrong += one_round(service)
                readings.append(read(service, RUNS * (len(readings) + 1) + 1))
                print(json.dumps(asdict(readings[-1]) | {"failed": users.live().get("failed")}), flush=True)
            seen = users.stop()
        grown = growth(readings)
        print(json.dumps({"requests": seen.sent, "failed": seen.failed, "growth per 100 runs": grown, "wrong": wrong}))
        wrong += [f"{seen.failed} pages failed"] if seen.failed else []
        wrong += [name for name, most in LIMITS.items() if grown.get(name, 0.0) > most]
    finally:
        service.close()
    return 1 if wrong else 0


LIMITS = {"controller_mb": MOST_MB, "supervisor_mb": MOST_MB, "controller_descriptors": MOST_DESCRIPTORS}


def one_round(service: Service) -> list[str]:
    """A good release, a bad one, and the way back by hand; sentences for what ended otherwise."""
    # What was taken back, or gone back from, is rejected, and each round wants it again.
    again = ("--env", ENVIRONMENT, "--lift-quarantine", "the next round", "--timeout", "100s")
    good = service.fairway("deploy", GOOD, *again)
    bad = service.fairway("deploy", DEAD, *again)
    back = service.go_back()
    expected = ((good, (0, "completed")), (bad, (1, "rolled-back")), (back, (0, "completed")))
    return [
        f"{done.status} {done.report.get('phase')} in place of {status} {phase}: "
        f"{done.report.get('reason') or done.report.get('error')}"
        for done, (status, phase) in expected
        if (done.status, done.report.get("phase")) != (status, phase)
    ]


def read(service: Service, runs: int) -> Reading:
    """What there is of everything now."""
    pids = service.processes()
    state = service.folder / "repository/.fairway"
    files = [path for path in state.rglob("*") if path.is_file() and "artifacts" not in path.parts]
    return Reading(
        runs=runs,
        controller_mb=round(memory_of(pids["controller"]), 1),
        supervisor_mb=round(memory_of(pids["supervisor"]), 1),
        proxy_mb=round(memory_of(pids["envoy"]), 1),
        controller_descriptors=_descriptors(pids["controller"]),
        supervisor_descriptors=_descriptors(pids["supervisor"]),
        threads=len(list(Path(f"/proc/{pids['controller']}/task").iterdir())),
        journal=(state / "journal.db").stat().st_size,
        disk=sum(path.stat().st_size for path in files),
    )


def growth(readings: list[Reading]) -> dict[str, float]:
    """By the line of least squares through the readings, per 100 runs; the first reading is left out."""
    warm = [asdict(one) for one in readings[1:]]
    if len(warm) < 3:
        return {}
    middle = sum(one["runs"] for one in warm) / len(warm)
    spread = sum((one["runs"] - middle) ** 2 for one in warm)
    return {
        name: round(100 * sum((one["runs"] - middle) * one[name] for one in warm) / spread, 2)
        for name in warm[0]
        if name != "runs"
    }


def _descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


if __name__ == "__main__":
    sys.exit(main())
