"""`python -m benchmarks.live_canary`: exit status 0 if every fault was found that is said to be found in the time."""

import argparse
import signal
import sys
from collections.abc import Mapping

from benchmarks.canary_bench.thresholds import ARGO, FLAGGER
from benchmarks.live_canary.faults import TRIALS, Trial, elsewhere
from benchmarks.live_canary.play import Result, Settings, play
from benchmarks.live_canary.series import RULES, Opinion

QUICK = ("errors 100 %", "crash loop")
"""Found within a second or two, so that a test can wait for them."""

QUICK_SETTINGS = Settings(healthy=2.0, patience=20.0)

HEADER = (
    "fault",
    "requests/s",
    "found after",
    "half, 9 of 10 within",
    "by",
    "failed there",
    "failed for users",
    *(f"{rule}: after, failed" for rule in RULES),
)


def main(arguments: list[str] | None = None) -> int:
    """Plays, prints a line for each fault, and says whether all were found that must be."""
    options = _parse(arguments)
    settings = QUICK_SETTINGS if options.quick else Settings(patience=options.patience)
    # So that what was started is stopped on this way out as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(" | ".join(HEADER), flush=True)
    results = []
    for result in play(_chosen(options), settings, lambda line: print(line, file=sys.stderr, flush=True)):
        print(" | ".join(_line(result)), flush=True)
        results.append(result)
    print("2 instances of each revision; margins balanced but where others are named; warm-up 5 s")
    print(f"the others: {ARGO}; {FLAGGER}; on the recorded rate, error ratio and latency, continued for half an hour")
    missed = [one.name for one in results if one.after is None and _must_be_found(one)]
    if missed:
        print(f"not found: {', '.join(missed)}")
    return 1 if missed else 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.live_canary", description=__doc__)
    parser.add_argument("--fault", action="append", choices=[*TRIALS], help="only this one; may be given again")
    parser.add_argument("--quick", action="store_true", help=f"only {' and '.join(QUICK)}, with little patience")
    parser.add_argument("--rate", type=float, help="requests a second, in place of those of each fault")
    parser.add_argument("--weight", type=float, help="percent of them that go to the candidate, likewise")
    parser.add_argument("--margins", choices=["strict", "balanced", "tolerant"], help="likewise")
    parser.add_argument("--patience", type=float, default=240.0, help="seconds to wait for the roll-back")
    return parser.parse_args(arguments)


def _chosen(options: argparse.Namespace) -> Mapping[str, Trial]:
    names = options.fault or (QUICK if options.quick else TRIALS)
    chosen = {name: TRIALS[name] for name in names}
    return {
        name: elsewhere(
            trial,
            rate=options.rate or trial.rate,
            weight=options.weight or trial.weight,
            margins=options.margins or trial.margins,
        )
        for name, trial in chosen.items()
    }


def _must_be_found(result: Result) -> bool:
    """Rules find it, or nine of ten rollouts do by their evidence."""
    return result.promised is None or result.promised.nine is not None


def _line(result: Result) -> list[str]:
    trial, told = result.trial, result.promised
    candidate = trial.rate * trial.weight / 100.0
    where = f"{candidate:g} of {trial.rate:g}" + (f", {trial.margins}" if trial.margins != "balanced" else "")
    promised = "by rules" if told is None else f"{_seconds(told.half)}, {_seconds(told.nine)}"
    users = f"{result.users} of {result.sent:,}"
    others = [_opinion(result.others[rule]) for rule in RULES]
    return [
        result.name,
        where,
        _seconds(result.after),
        promised,
        result.rule or "-",
        str(result.failed),
        users,
        *others,
    ]


def _opinion(one: Opinion) -> str:
    return f"{_seconds(one.after)}, {one.failed:,}"


def _seconds(value: float | None) -> str:
    return "not found" if value is None else f"{value:.3g} s"


if __name__ == "__main__":
    sys.exit(main())
