"""`python -m benchmarks.canary_bench`: exit status 0 if the guarantee held in every row that it covers, 1 otherwise."""

import argparse
import sys
import time
from pathlib import Path

from benchmarks.canary_bench import contest, recorded, terminal
from benchmarks.canary_bench.score import guarantees, score_rows

SEED = 1


def main(arguments: list[str] | None = None) -> int:
    """Plays, prints, writes the report, and says whether the guarantee held."""
    options = _parse(arguments)
    recording = None
    if options.data is not None:
        try:
            recording = recorded.load(options.data)
        except (OSError, ValueError) as error:
            print(error, file=sys.stderr)
            return 2
    began = time.monotonic()
    choose = contest.full if options.full else contest.quick
    cells = choose(with_recording=recording is not None)
    played = contest.play(
        cells, seed=options.seed, data=options.data, report=lambda line: print(line, file=sys.stderr, flush=True)
    )
    rows = score_rows(played)
    print(terminal.text(rows, seed=options.seed))
    if recording is not None:
        print(f"recorded data: {recording.name}, sha256 {recording.sha256}")
    print(f"{time.monotonic() - began:.0f} s")
    return 0 if all(one.holds for one in guarantees(rows)) else 1


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.canary_bench", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="about a minute and a half (default)")
    size.add_argument("--full", action="store_true", help="about a quarter of an hour on two idle cores")
    parser.add_argument("--data", type=Path, help="folder with access logs whose real errors are replayed")
    parser.add_argument("--seed", type=int, default=SEED)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
