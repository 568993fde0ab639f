"""`python -m benchmarks.live_canary`: exit status 0 if every fault that can be found in the time was found."""

import argparse
import signal
import sys

from benchmarks.canary_bench.thresholds import ARGO, FLAGGER
from benchmarks.live_canary.play import FAULTS, Result, Settings, play
from benchmarks.live_canary.series import RULES, Opinion

#: At this rate a tail that is a fifth longer takes more time than one waits here.
_MAY_STAY = {"P99 +20 %"}


def main(arguments: list[str] | None = None) -> int:
    """Plays, prints a line for each fault, and says whether all were found."""
    parser = argparse.ArgumentParser("python -m benchmarks.live_canary", description=__doc__)
    parser.add_argument("--fault", action="append", choices=[*FAULTS], help="only this one; may be given again")
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second")
    parser.add_argument("--patience", type=float, default=240.0, help="seconds to wait for the roll-back")
    options = parser.parse_args(arguments)
    # So that what was started is stopped on this way out as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    header = [
        "fault",
        "found after",
        "by",
        "failed there",
        "failed for users",
        *(f"{rule}: after, failed" for rule in RULES),
    ]
    print(" | ".join(header), flush=True)
    missed = []
    settings = Settings(options.rate, options.patience)
    for result in play(options.fault or [*FAULTS], settings, lambda line: print(line, file=sys.stderr, flush=True)):
        print(" | ".join(_line(result)), flush=True)
        if result.after is None and result.name not in _MAY_STAY:
            missed.append(result.name)
    print(f"{options.rate:g} requests a second, a fifth of them to the candidate; 2 instances of each revision")
    print(f"the others: {ARGO}; {FLAGGER}; on the recorded rate, error ratio and latency, continued for half an hour")
    if missed:
        print(f"not found: {', '.join(missed)}")
    return 1 if missed else 0


def _line(result: Result) -> list[str]:
    users = f"{result.users} of {result.sent:,}"
    others = [_opinion(result.others[rule]) for rule in RULES]
    return [result.name, _seconds(result.after), result.rule or "-", str(result.failed), users, *others]


def _opinion(one: Opinion) -> str:
    return f"{_seconds(one.after)}, {one.failed:,}"


def _seconds(value: float | None) -> str:
    return "not found" if value is None else f"{value:g} s"


if __name__ == "__main__":
    sys.exit(main())
