"""`python -m benchmarks.journal_growth [--events N]`: how questions take their time as the journal grows.

A real run is recorded once and copied until the journal holds as many events; then commands are timed as a user would
see them, from their start to their end. Their processor time is told beside it: on a busy machine it says what the
journal costs, where the time says what the others cost.
"""

import argparse
import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from benchmarks.machine import describe_machine
from benchmarks.service import FAIRWAY
from fairway.adapters.stores.sql import SqlStore
from fairway.testing.journal_samples import BEGIN, deployed, plan

CONFIG = """\
service: shop
build: {steps: []}
run: {command: 'serve --port {port}'}
environments:
  production: {router: {kind: envoy, listen: '127.0.0.1:1'}}
"""
QUESTIONS = {
    "status": ("status", "--env", "production"),
    "status of all": ("status",),
    "history": ("history", "--env", "production"),
    "watch of an old run": ("watch", "run-1"),
}
#: Milliseconds that a question may take.
LIMIT = 400.0


def main() -> int:
    """Fills, measures, prints; 0 if every question stayed below the limit."""
    parser = argparse.ArgumentParser("python -m benchmarks.journal_growth")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    slow = 0
    with tempfile.TemporaryDirectory(prefix="fairway-growth-") as place:
        folder = Path(place)
        (folder / "fairway.yaml").write_text(CONFIG)
        journal = folder / ".fairway/journal.db"
        (folder / ".fairway").mkdir(mode=0o700)
        with SqlStore.open(str(journal)) as store:
            deployed(store, "run-1", plan("1.0.0"))
            state = store.load("run-1")
        print(json.dumps({"machine": describe_machine(), "events_of_a_run": state.version}))
        for events in (1_000, 10_000, 100_000, 1_000_000, 10_000_000):
            if events > options.events:
                break
            began = time.monotonic()
            held = fill(journal, events)
            filled = time.monotonic() - began
            line: dict[str, float] = {"events": held, "bytes_per_event": round(journal.stat().st_size / held)}
            for name, command in QUESTIONS.items():
                times, used = zip(*(ask(folder, command) for _ in range(options.repeats)), strict=True)
                line[f"{name} ms"] = round(statistics.median(times))
                line[f"{name} processor ms"] = round(statistics.median(used))
                slow += statistics.median(times) > LIMIT
            line["append ms"] = round(append_time(journal), 2)
            found, used_by_it = find_time(journal)
            line["find what was live ms"] = round(found, 1)
            line["find what was live processor ms"] = round(used_by_it, 1)
            slow += found > LIMIT
            line["filled in s"] = round(filled, 1)
            line["load"] = round(os.getloadavg()[0], 1)
            print(json.dumps(line), flush=True)
    return 1 if slow else 0


def fill(journal: Path, events: int) -> int:
    """Copies the first run until there are so many events; says how many there are then."""
    with closing(sqlite3.connect(journal)) as connection:
        (held,) = connection.execute("SELECT count(*) FROM fairway_events").fetchone()
        (runs,) = connection.execute("SELECT count(*) FROM fairway_runs").fetchone()
        one = connection.execute("SELECT version, at, type, data FROM fairway_events WHERE run = 'run-1'").fetchall()
        columns = [
            row[1] for row in connection.execute("PRAGMA table_info(fairway_runs)") if row[1] not in ("id", "number")
        ]
        listed = ", ".join(columns)
        copy = f"INSERT INTO fairway_runs (id, {listed}) SELECT ?, {listed} FROM fairway_runs WHERE id = 'run-1'"
        with connection:
            for number in range(runs + 1, runs + 1 + max(0, (events - held) // len(one))):
                run = f"run-{number}"
                connection.execute(copy, (run,))
                connection.executemany(
                    "INSERT INTO fairway_events (run, version, at, type, data) VALUES (?, ?, ?, ?, ?)",
                    [(run, *row) for row in one],
                )
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (held,) = connection.execute("SELECT count(*) FROM fairway_events").fetchone()
        return int(held)


def ask(folder: Path, command: tuple[str, ...]) -> tuple[float, float]:
    """Milliseconds from a command's start to its end, and of processor time that it used."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [str(FAIRWAY), *command, "--json"], cwd=folder, capture_output=True, text=True, env=os.environ, check=False
    )
    took, after = (time.perf_counter() - began) * 1000, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1, 4):
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr}")
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return took, used * 1000


def append_time(journal: Path) -> float:
    """Milliseconds of one whole run of events, begun and ended, on the disk; the median of some."""
    times = []
    with SqlStore.open(str(journal)) as store:
        for number in range(5):
            wanted = plan("1.0.0", environment=f"bench-{number}-{time.monotonic_ns()}")
            began = time.perf_counter()
            deployed(store, f"bench-{number}-{time.monotonic_ns()}", wanted, BEGIN)
            times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def find_time(journal: Path) -> tuple[float, float]:
    """Milliseconds until it is known that a release was never live, for which every promoted run is looked at.

    Also of processor time.
    """
    times, used = [], []
    with SqlStore.open(str(journal)) as store:
        for _ in range(5):
            began, before = time.perf_counter(), time.process_time()
            assert store.list_revisions("shop", "production", named="9.9.9", limit=1) == ()
            times.append((time.perf_counter() - began) * 1000)
            used.append((time.process_time() - before) * 1000)
    return statistics.median(times), statistics.median(used)


if __name__ == "__main__":
    sys.exit(main())
