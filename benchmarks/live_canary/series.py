"""The candidate's counters four times a second, and what threshold rules would have said of them."""

import threading
import time
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from benchmarks.canary_bench import thresholds
from benchmarks.canary_bench.latency import LOWER, Counts, Histogram
from benchmarks.canary_bench.trace import DURATION, Side, Trace, minutes
from benchmarks.live_canary.project import LiveProject
from fairway.domain.analysis.traffic import RevisionTraffic
from fairway.domain.errors import FairwayError

READ_EVERY = 0.25
"""Seconds."""

LAG = 0.5
"""Seconds after which the last answers of a candidate that lost its requests are counted."""

SURE = 5.0

RULES = ("Argo 1m/.99/0", "Argo 1m/.99/3", "Flagger 1m/99/5")


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of the candidate's cumulative counters; `at` in seconds since the epoch."""

    at: float
    traffic: RevisionTraffic


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a rule would have done.

    Attributes:
        after: seconds from the fault to its roll-back; None: none within half an hour.
        failed: requests that would have failed on the candidate until then.
    """

    after: float | None
    failed: int


class Recorder:
    """Reads the counters again and again for the length of the block."""

    def __init__(self, project: LiveProject) -> None:
        self._project, self._stable = project, project.stable()
        self._stop = threading.Event()
        self.readings: list[Reading] = []

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def await_candidate(self, patience: float) -> None:
        """Waits until a candidate has finished a request.

        Raises:
            RuntimeError: none has in so many seconds.
        """
        deadline = time.monotonic() + patience
        while not (self.readings and self.readings[-1].traffic.finished):
            if time.monotonic() > deadline:
                raise RuntimeError("the candidate got no requests")
            self._stop.wait(0.1)

    def _read(self) -> None:
        while not self._stop.wait(READ_EVERY):
            try:
                snapshot = self._project.traffic()
            except FairwayError:
                continue
            candidates = [one for one in snapshot.revisions if one.revision != self._stable]
            if candidates:
                self.readings.append(Reading(snapshot.at, max(candidates, key=lambda one: one.finished)))


def opinions(readings: list[Reading], *, fault: float, taken_back: float) -> dict[str, Opinion]:
    """What each threshold rule would have done, had the candidate gone on as it was recorded.

    Args:
        readings: the recording.
        fault: when the fault was switched on, seconds since the epoch.
        taken_back: when the candidate lost its requests; likewise.
    """
    first = next(index for index, one in enumerate(readings) if one.traffic.finished)
    readings = readings[max(0, first - 1) :]
    onset = round(fault - readings[0].at)
    trace = _trace(_split(readings, fault, taken_back), onset)
    by_minute = minutes(trace)
    failed = np.cumsum(trace.candidate.failed.sum(axis=1))
    found = {}
    for rule in thresholds.CONTESTANTS:
        if rule.name in RULES:
            verdict = rule.judge(trace, by_minute)
            last = trace.ticks if verdict.at is None else trace.tick_at(verdict.at)
            after = None if verdict.at is None else verdict.at - onset
            found[rule.name] = Opinion(after, int(failed[last - 1] - failed[onset - 1]))
    return found


@dataclass(frozen=True, slots=True)
class _Stretch:
    """How the candidate was for a while.

    Attributes:
        rate: requests that ended in a second.
        ratio: those of them that failed.
        cells: latency.
    """

    rate: float
    ratio: float
    cells: Counts


def _split(readings: list[Reading], fault: float, taken_back: float) -> tuple[_Stretch, _Stretch]:
    """Before the fault and after it. A rate cannot be told from less than `SURE` seconds; then it stays as before."""
    before = [one for one in readings if one.at < fault]
    after = [one for one in readings if fault <= one.at <= taken_back + LAG]
    after = after if len(after) > 1 else [before[-1], *after]
    calm, bad = _stretch(before), _stretch(after)
    rate = bad.rate if taken_back - fault >= SURE else calm.rate
    return calm, replace(bad, rate=min(rate, calm.rate))


def _stretch(readings: list[Reading]) -> _Stretch:
    first, last = readings[0], readings[-1]
    finished = last.traffic.finished - first.traffic.finished
    failed = last.traffic.failed - first.traffic.failed
    cells = np.maximum(0, _cells(last.traffic) - _cells(first.traffic))
    return _Stretch(finished / max(0.001, last.at - first.at), failed / max(1, finished), cells)


def _trace(stretches: tuple[_Stretch, _Stretch], onset: int) -> Trace:
    """Half an hour of whole seconds at the recorded rates."""
    ticks = round(DURATION)
    calm, bad = stretches
    rates = np.where(np.arange(ticks) < onset, calm.rate, bad.rate)
    ratios = np.where(np.arange(ticks) < onset, calm.ratio, bad.ratio)
    finished = np.diff(np.floor(np.cumsum(rates)), prepend=0.0).astype(np.int64)
    failed = np.minimum(np.diff(np.floor(np.cumsum(rates * ratios)), prepend=0.0).astype(np.int64), finished)
    cells = np.where((np.arange(ticks) < onset)[:, None], calm.cells, bad.cells)
    side = Side(finished[:, None], failed[:, None], Histogram(np.arange(len(LOWER)), cells[:, None, :]), (-1,))
    nothing = np.zeros((ticks, 1), dtype=np.int64)
    empty = Side(nothing, nothing, Histogram(np.arange(0), np.zeros((ticks, 1, 0), dtype=np.int64)), (-1,))
    weights, readable = np.ones(ticks), np.ones(ticks, dtype=bool)
    return Trace(1.0, weights, side, empty, nothing, nothing, readable, None, float(onset), None)


def _cells(traffic: RevisionTraffic) -> Counts:
    counts = np.zeros(len(LOWER), dtype=np.int64)
    for lower, _, count in traffic.latency:
        counts[max(0, int(np.searchsorted(LOWER, lower, side="right")) - 1)] += count
    return counts
