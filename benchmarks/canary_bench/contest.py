"""All contestants on the same draws: what is run, and how each run ended."""

import os
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.canary_bench import kayenta, ours, peeking, recorded, thresholds
from benchmarks.canary_bench.recorded import Recording
from benchmarks.canary_bench.scenarios import BAD, HEALTHY, RECORDED, SCENARIOS_BY_NAME, SPARSE, UNCLEAR, Scenario
from benchmarks.canary_bench.simulate import simulate
from benchmarks.canary_bench.trace import Trace, minutes
from benchmarks.canary_bench.verdict import Contestant, Outcome

CONTESTANTS: tuple[Contestant, ...] = (
    ours.CONTESTANT,
    *thresholds.CONTESTANTS,
    *kayenta.CONTESTANTS,
    *peeking.CONTESTANTS,
)

PROCESSES = 2

READ_EVERY = 0.25
"""Seconds between two readings of Fairway's engine."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One scenario at one rate, run some times.

    Attributes:
        rate: requests a second to both revisions together.
        tick: seconds between two readings.
    """

    scenario: Scenario
    rate: float
    runs: int
    tick: float

    @property
    def label(self) -> str:
        """Name, rate, and the pace of the readings where it is not one a second."""
        pace = f", {1.0 / self.tick:g} readings/s" if self.tick < 1.0 else ""
        return f"{self.scenario.name}, {self.rate:g}/s{pace}"


@dataclass(frozen=True, slots=True)
class Ending:
    """How one run ended for one contestant.

    Attributes:
        at: seconds after the rollout began; None: at its end.
        failed: requests that failed on the candidate until then, or that clients gave up there.
        exposed: requests that the candidate finished until then.
        rule: what decided, where that is known.
    """

    outcome: Outcome
    at: float | None
    failed: int
    exposed: int
    rule: str


@dataclass(frozen=True, slots=True)
class Played:
    """One cell with the endings of all runs, by contestant, in the order of the runs."""

    cell: Cell
    endings: dict[str, tuple[Ending, ...]]


@dataclass(frozen=True, slots=True)
class _Task:
    scenario: str
    rate: float
    tick: float
    seed: int
    run: int


def quick(*, with_recording: bool) -> tuple[Cell, ...]:
    """About a minute and a half. Readings once a second but where seconds decide."""
    cells = [Cell(one, 100.0, 12, 1.0) for one in HEALTHY]
    cells += [Cell(HEALTHY[row], 1000.0, 8, 1.0) for row in (0, 1, 4)]
    cells += [Cell(SPARSE, 1.0, 8, 1.0)]
    cells += [Cell(one, 100.0, 8, 1.0) for one in UNCLEAR]
    cells += [Cell(one, rate, 6, _pace(one)) for rate in (10.0, 100.0, 1000.0) for one in BAD]
    if with_recording:
        cells += [Cell(one, 100.0, 12, 1.0) for one in RECORDED]
    return tuple(cells)


def full(*, with_recording: bool) -> tuple[Cell, ...]:
    """About a quarter of an hour on two idle cores: more rates, more runs, and some rows at the engine's own pace."""
    cells = [Cell(one, rate, 60, 1.0) for rate in (10.0, 100.0, 1000.0) for one in HEALTHY]
    cells += [Cell(one, 100.0, 20, READ_EVERY) for one in HEALTHY[:2]]
    cells += [Cell(one, 10_000.0, 10, 1.0) for one in HEALTHY[:5]]
    cells += [Cell(SPARSE, 1.0, 60, 1.0)]
    cells += [Cell(one, rate, 30, 1.0) for rate in (10.0, 100.0, 1000.0) for one in UNCLEAR]
    cells += [Cell(one, rate, 20, _pace(one)) for rate in (1.0, 10.0, 100.0, 1000.0) for one in BAD]
    cells += [Cell(one, 10_000.0, 10, _pace(one)) for one in BAD]
    if with_recording:
        cells += [Cell(one, 100.0, 60, 1.0) for one in RECORDED]
    return tuple(cells)


def narrow(cells: tuple[Cell, ...], *, only: str, runs: int | None) -> tuple[Cell, ...]:
    """Those cells whose scenario has a text in its name, with another number of runs if one is given."""
    chosen = [cell for cell in cells if only in cell.scenario.name]
    return tuple(chosen if runs is None else [replace(cell, runs=runs) for cell in chosen])


def _pace(scenario: Scenario) -> float:
    return READ_EVERY if scenario.candidate == 1.0 else 1.0


def play(
    cells: tuple[Cell, ...], *, seed: int, data: Path | None, report: Callable[[str], None], processes: int = PROCESSES
) -> list[Played]:
    """Runs everything. The same seed gives the same endings, however many processes work on it."""
    tasks = [_Task(cell.scenario.name, cell.rate, cell.tick, seed, run) for cell in cells for run in range(cell.runs)]
    played = []
    with ProcessPoolExecutor(processes, initializer=_begin, initargs=(data,)) as pool:
        endings = pool.map(_play, tasks, chunksize=4)
        for cell in cells:
            played.append(_gather(cell, endings))
            report(f"{len(played)} of {len(cells)}: {cell.label}")
    return played


def _gather(cell: Cell, endings: Iterator[dict[str, Ending]]) -> Played:
    runs = [next(endings) for _ in range(cell.runs)]
    return Played(cell, {one.name: tuple(run[one.name] for run in runs) for one in CONTESTANTS})


#: Of this worker process; read once.
_recording: list[Recording] = []


def _begin(data: Path | None) -> None:
    os.nice(10)
    if data is not None:
        _recording.append(recorded.load(data))


def _play(task: _Task) -> dict[str, Ending]:
    scenario = SCENARIOS_BY_NAME[task.scenario]
    name = zlib.crc32(scenario.name.encode())
    rng = np.random.default_rng([task.seed, name, round(task.rate), task.run])
    recording = _recording[0] if scenario in RECORDED and _recording else None
    trace = simulate(scenario, rate=task.rate, tick=task.tick, rng=rng, recording=recording)
    return endings(trace)


def endings(trace: Trace) -> dict[str, Ending]:
    """How a trace ends for each contestant."""
    by_minute = minutes(trace)
    failed = np.cumsum(trace.candidate.failed.sum(axis=1) + trace.candidate.left)
    finished = np.cumsum(trace.candidate.finished.sum(axis=1))
    found = {}
    for one in CONTESTANTS:
        verdict = one.judge(trace, by_minute)
        last = (trace.ticks if verdict.at is None else max(1, trace.tick_at(verdict.at))) - 1
        found[one.name] = Ending(verdict.outcome, verdict.at, int(failed[last]), int(finished[last]), verdict.rule)
    return found
