"""`python -m benchmarks.canary_bench`: exit status 0 if the guarantee held in every row that it covers, 1 otherwise."""

import argparse
import sys
import time
from pathlib import Path

from benchmarks.canary_bench import contest, recorded, report, terminal
from benchmarks.canary_bench.score import guarantees, score_rows

SEED = 1
DATA = Path("../shared/data/apache_logs")
"""Where recorded data, a folder or one log, are looked for without being named."""

OUT = Path("benchmarks/results/canary_bench.html")


def main(arguments: list[str] | None = None) -> int:
    """Plays, prints, writes the report, and says whether the guarantee held."""
    options = _parse(arguments)
    recording = None
    data = options.data or (DATA if DATA.exists() else None)
    if data is not None:
        try:
            recording = recorded.load(data)
        except (OSError, ValueError) as error:
            print(error, file=sys.stderr)
            return 2
    began = time.monotonic()
    choose = contest.full if options.full else contest.quick
    cells = contest.narrow(choose(with_recording=recording is not None), only=options.only, runs=options.runs)
    if not cells:
        print(f"No row has {options.only!r} in its name.", file=sys.stderr)
        return 2
    played = contest.play(
        cells, seed=options.seed, data=data, report=lambda line: print(line, file=sys.stderr, flush=True)
    )
    rows = score_rows(played)
    print(terminal.text(rows, seed=options.seed))
    source = f"; recorded data: {recording.name}, sha256 {recording.sha256}" if recording is not None else ""
    options.out.parent.mkdir(parents=True, exist_ok=True)
    size = "--full" if options.full else "--quick"
    settings = f"python -m benchmarks.canary_bench {size} --seed {options.seed}{source}"
    options.out.write_text(report.page(rows, settings=settings))
    print(f"{settings}: {time.monotonic() - began:.0f} s; report: {options.out}")
    return 0 if all(one.holds for one in guarantees(rows)) else 1


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.canary_bench", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="about a minute and a half (default)")
    size.add_argument("--full", action="store_true", help="about a quarter of an hour on two idle cores")
    parser.add_argument(
        "--data",
        type=Path,
        help=f"folder with access logs whose real errors are replayed (where it is not named: {DATA}, if present)",
    )
    parser.add_argument("--out", type=Path, default=OUT, help="where the report goes, an HTML file")
    parser.add_argument("--only", default="", metavar="TEXT", help="only rows with this in their names")
    parser.add_argument("--runs", type=int, help="rollouts of each row, in place of its own number")
    parser.add_argument("--seed", type=int, default=SEED)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
