"""Measures in turns, tool after tool and again, so that a busy moment meets all of them.

The exit status is 1 if a limit is missed.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.machine import describe_machine
from benchmarks.versioning.repository import generate

PROGRAMS = Path(sys.executable).parent
COMMITS, TAGS = 25_000, 12_000
MOST_OF_GIT_LOG = 3.0
MOST_COLD, MOST_WARM = 0.5, 0.1  # seconds
MOST_MEMORY = 100  # MB


@dataclass
class Tool:
    """One command line and what it took each time."""

    name: str
    command: list[str]
    forget: bool = False
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    memory: float = 0.0

    def run(self, folder: Path) -> None:
        if self.forget:
            shutil.rmtree(folder / ".git/fairway", ignore_errors=True)
        began = time.perf_counter()
        with subprocess.Popen(
            self.command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, self.command
        self.wall.append(time.perf_counter() - began)
        self.cpu.append(used.ru_utime + used.ru_stime)
        self.memory = max(self.memory, used.ru_maxrss / 1024)

    def row(self) -> dict[str, float | str]:
        return {
            "name": self.name,
            "cpu": round(statistics.median(self.cpu), 3),
            "wall": round(statistics.median(self.wall), 3),
            "least_wall": round(min(self.wall), 3),
            "memory_mb": round(self.memory, 1),
        }


def tools() -> list[Tool]:
    fairway, cliff = str(PROGRAMS / "fairway"), str(PROGRAMS / "git-cliff")
    return [
        Tool("git log", ["git", "log"]),
        Tool("fairway changelog, first time", [fairway, "changelog"], forget=True),
        Tool("fairway changelog, again", [fairway, "changelog"]),
        Tool("git-cliff 2.12", [cliff, "--offline"]),
        Tool("fairway next, first time", [fairway, "next"], forget=True),
        Tool("fairway next, again", [fairway, "next"]),
        Tool("git-cliff 2.12 --bumped-version", [cliff, "--offline", "--bumped-version"]),
    ]


def main() -> int:
    parser = argparse.ArgumentParser("python -m benchmarks.versioning", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="how often each command runs")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout in place of a table")
    options = parser.parse_args()
    measured = tools()
    with tempfile.TemporaryDirectory(prefix="fairway-versioning-") as place:
        folder = Path(place) / "repository"
        print(f"making {COMMITS} commits and {TAGS} tags", file=sys.stderr)
        generate(folder, commits=COMMITS, tags=TAGS)
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
            for tool in measured:
                tool.run(folder)
    rows = [tool.row() for tool in measured]
    missed = limits(rows)
    if options.json:
        print(json.dumps({"machine": describe_machine(), "rows": rows, "missed": missed}, indent=2, default=str))
    else:
        _print(rows, missed)
    return 1 if missed else 0


def limits(rows: list[dict[str, float | str]]) -> list[str]:
    """A sentence for each limit that did not hold."""
    log, first, again, cliff, cold, warm, _ = (
        {key: value for key, value in row.items() if isinstance(value, float)} for row in rows
    )
    checks = [
        (
            first["cpu"] <= MOST_OF_GIT_LOG * log["cpu"],
            f"the first changelog takes more than {MOST_OF_GIT_LOG:g} git logs",
        ),
        (again["cpu"] <= MOST_OF_GIT_LOG * log["cpu"], f"a changelog takes more than {MOST_OF_GIT_LOG:g} git logs"),
        (first["cpu"] < cliff["cpu"], "git-cliff is faster"),
        (cold["wall"] < MOST_COLD, f"the first next version takes more than {MOST_COLD:g} s"),
        (warm["wall"] < MOST_WARM, f"a next version takes more than {MOST_WARM:g} s"),
        (max(one["memory_mb"] for one in (first, again, cold, warm)) < MOST_MEMORY, f"more than {MOST_MEMORY} MB"),
    ]
    return [sentence for holds, sentence in checks if not holds]


def _print(rows: list[dict[str, float | str]], missed: list[str]) -> None:
    print(f"{describe_machine()}\n{COMMITS} commits, {TAGS} tags; medians\n")
    print(f"{'':34}{'CPU s':>8}{'× git log':>11}{'wall s':>9}{'least':>8}{'MB':>8}")
    log = float(rows[0]["cpu"])
    for row in rows:
        share = float(row["cpu"]) / log
        numbers = f"{row['cpu']:>8}{share:>11.1f}{row['wall']:>9}{row['least_wall']:>8}{row['memory_mb']:>8}"
        print(f"{row['name']:34}{numbers}")
    for sentence in missed:
        print(f"MISSED: {sentence}")


if __name__ == "__main__":
    sys.exit(main())
