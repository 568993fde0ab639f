"""`python -m benchmarks.endurance`: full load through every strategy, for two minutes each.

Rollouts and ways back follow one another without a pause, while the users send at a constant rate and never retry. Exit
status 0 if no request failed, every rollout went through, and P99 and rate kept the limits of `make bench`. It wants a
machine that does nothing else.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Limit, Row
from benchmarks.machine import describe_machine
from benchmarks.service import FIRST, GOOD, STRATEGIES, Service
from benchmarks.table import traffic_table
from benchmarks.traffic import SENT, at_rest, compare, users


def main() -> int:
    """Measures, prints the table, and says whether every limit held."""
    parser = argparse.ArgumentParser("python -m benchmarks.endurance")
    parser.add_argument("--rate", type=float, default=10_000.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=120.0, help="for each strategy")
    parser.add_argument("--bake", default="3s", help="how long a step is watched")
    options = parser.parse_args()
    # So that what was started is stopped on this way out as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(json.dumps({"machine": describe_machine()}), flush=True)
    service = Service(Path(tempfile.mkdtemp(prefix="fairway-endurance-")), bake=options.bake, healthy_for=1.0)
    try:
        first = service.deploy(FIRST)
        if first.status != 0:
            raise RuntimeError(f"the first deployment failed: {first.report}")
        calm = at_rest(service, options.rate, 10.0)
        rows = [endure(strategy, service, options.rate, options.seconds) for strategy in STRATEGIES]
    finally:
        service.close()
    rows = compare(rows, calm)
    print(traffic_table([*rows, calm]))
    missed = [sentence for row in rows for sentence in row.missed()]
    print("every limit held" if not missed else "limits that did not hold:\n  " + "\n  ".join(missed))
    return 1 if missed else 0


def endure(strategy: str, service: Service, rate: float, seconds: float) -> Row:
    """One rollout after the other by that strategy, until the time is over and the last of them has ended."""
    service.use(strategy)
    rollouts, unwanted = 0, []
    with users(service.url, rate, service.folder, service.processes()["envoy"]) as measured:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            done = service.deploy(FIRST if service.live() == GOOD else GOOD)
            rollouts += 1
            if done.status != 0:
                unwanted.append(str(done.report.get("reason") or done.report.get("error")))
    problem = f"a run did not go as it should: {unwanted[0]}" if unwanted else None
    limits = (Limit("failed", exactly=0), Limit("p99_ms", below=50), Limit("rate_per_s", least=rate * SENT))
    name = f"Fairway, {rollouts} rollouts by {strategy}"
    return Row(name, measured.figures(), limits, measured.usage, problem, measured.detail())


if __name__ == "__main__":
    sys.exit(main())
