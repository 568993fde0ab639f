"""`python -m benchmarks`: exit status 0 if every limit held, 1 otherwise."""

import argparse
import json
import signal
import sys
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from benchmarks.machine import describe_machine
from benchmarks.suite import FULL, QUICK, Results, Settings, run
from benchmarks.table import figure_table, traffic_table


def main() -> int:
    """Measures, prints, and says whether every limit held."""
    parser = argparse.ArgumentParser("python -m benchmarks", description="Measures what Fairway promises.")
    parser.add_argument("--quick", action="store_true", help="shorter measurements, below a minute in all")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout in place of tables")
    parser.add_argument("--rate", type=float, default=FULL.rate, help="requests a second")
    options = parser.parse_args()
    # So that what was started is stopped on this way out as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    settings = replace(QUICK if options.quick else FULL, rate=options.rate)
    began = datetime.now(UTC)
    results = run(settings, lambda line: print(line, file=sys.stderr, flush=True))
    if options.json:
        print(json.dumps(as_object(results, settings, began), indent=2, ensure_ascii=False))
    else:
        print(as_text(results, settings, began))
    return 1 if results.missed() else 0


def as_object(results: Results, settings: Settings, began: datetime) -> dict[str, Any]:
    """Everything, for programs."""
    return {
        "ok": not results.missed(),
        "missed": results.missed(),
        "date": began.isoformat(timespec="seconds"),
        "machine": describe_machine(),
        "settings": asdict(settings),
        "traffic": [row.to_json() for row in results.traffic],
        "bad_candidates": [row.to_json() for row in results.bad],
        "commands": [row.to_json() for row in results.commands],
        "fairway": [row.to_json() for row in results.fairway],
    }


def as_text(results: Results, settings: Settings, began: datetime) -> str:
    """Everything, for people."""
    machine = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in describe_machine().items())
    missed = results.missed()
    ends = ("verdict_s", "after_verdict_s", "last_request_s", "candidate_failures")
    bad = (*ends, "requests", "failed", "p99_ms", "rate_per_s")
    verdict = "every limit held" if not missed else "limits that did not hold:\n  " + "\n  ".join(missed)
    others = "others: processors used by anything but this benchmark and what it started; peak: in the worst second"
    return "\n".join(
        [
            f"{began:%Y-%m-%d %H:%M} UTC, {machine}",
            "",
            f"{settings.rate:,.0f} GET a second, constant, latency from the intended moment of sending, no retries",
            traffic_table(results.traffic),
            "",
            "A candidate with a tenth of the requests fails all or a fifth of them from a certain moment on",
            figure_table(results.bad, bad),
            "",
            f"Commands, median of {settings.repeats}",
            figure_table(results.commands, ("median_ms", "max_ms", "processor_ms")),
            "",
            "Fairway itself",
            figure_table(results.fairway, [name for row in results.fairway for name in row.figures]),
            "",
            others,
            verdict,
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
