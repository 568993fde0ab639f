"""From endings to figures: shares with their standard errors, quantiles, guarantees, and who is better where."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isinf, sqrt

from scipy.stats import binom

from benchmarks.canary_bench.contest import CONTESTANTS, Ending, Played
from benchmarks.canary_bench.ours import CONTESTANT

ALPHA = 0.01
"""Fairway's promise: greatest probability of taking back a candidate within its margins."""

CERTAIN = 0.999
"""A promise counts as broken only beyond this limit of the binomial distribution."""


@dataclass(frozen=True, slots=True)
class Score:
    """One contestant in one cell.

    Attributes:
        runs: how many.
        taken_back: runs rolled back; for a fault that begins later only those after it began.
        too_early: runs rolled back before there was any fault.
        stopped: runs that ended without an answer, for a person to decide.
        delay: median and 90 % quantile of the seconds from the fault's beginning to the roll-back; infinite where
            so many runs were not rolled back.
        failed: median and 90 % quantile of the requests that failed on the candidate until the end.
    """

    runs: int
    taken_back: int
    too_early: int
    stopped: int
    delay: tuple[float, float]
    failed: tuple[float, float]

    @property
    def share(self) -> float:
        """Part of the runs that were rolled back."""
        return self.taken_back / self.runs

    @property
    def error(self) -> float:
        """Standard error of that share, from the Agresti-Coull estimate: not 0 where nothing was seen."""
        estimate = (self.taken_back + 2.0) / (self.runs + 4.0)
        return sqrt(estimate * (1.0 - estimate) / (self.runs + 4.0))


@dataclass(frozen=True, slots=True)
class Row:
    """One cell: the score of each contestant."""

    played: Played
    scores: dict[str, Score]

    @property
    def ours(self) -> Score:
        """Fairway's."""
        return self.scores[CONTESTANT.name]


@dataclass(frozen=True, slots=True)
class Guarantee:
    """A promise and what was seen of it.

    Attributes:
        limit: greatest number of wrong roll-backs that is still in accord with it.
    """

    name: str
    runs: int
    wrong: int
    limit: int

    @property
    def holds(self) -> bool:
        """False beyond reasonable doubt only."""
        return self.wrong <= self.limit


@dataclass(frozen=True, slots=True)
class Win:
    """A row in which another does better than Fairway.

    Attributes:
        sentence: in what.
    """

    name: str
    row: Row
    sentence: str


def score_rows(played: Sequence[Played]) -> list[Row]:
    """The figures of every cell."""
    return [Row(one, {name: _score(one, endings) for name, endings in one.endings.items()}) for one in played]


def _score(played: Played, endings: tuple[Ending, ...]) -> Score:
    onset = played.cell.scenario.onset
    back = [one for one in endings if one.outcome == "rollback"]
    delays = [one.at - onset for one in back if one.at is not None and one.at >= onset]
    missing = [inf] * (len(endings) - len(delays))
    failed = [float(one.failed) for one in endings]
    return Score(
        runs=len(endings),
        taken_back=len(delays),
        too_early=len(back) - len(delays),
        stopped=sum(one.outcome == "inconclusive" for one in endings),
        delay=_quantiles(delays + missing),
        failed=_quantiles(failed),
    )


def _quantiles(values: list[float]) -> tuple[float, float]:
    """Median and 90 % quantile: the smallest value that so many do not exceed."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return ordered[last // 2], ordered[min(last, -(-9 * len(ordered) // 10) - 1)]


def guarantees(rows: Sequence[Row]) -> list[Guarantee]:
    """Fairway's promise in each row that it covers, and in all of them together."""
    covered = [row for row in rows if row.played.cell.scenario.covered]
    found = [_guarantee(row.played.cell.label, row.ours.runs, row.ours.taken_back) for row in covered]
    if covered:
        runs, wrong = sum(row.ours.runs for row in covered), sum(row.ours.taken_back for row in covered)
        found.append(_guarantee("all of these together", runs, wrong))
    return found


def _guarantee(name: str, runs: int, wrong: int) -> Guarantee:
    return Guarantee(name, runs, wrong, int(binom.ppf(CERTAIN, runs, ALPHA)))


def wins(rows: Sequence[Row]) -> list[Win]:
    """Where another does better than Fairway: fewer wrong roll-backs, more faults found, or found sooner.

    A rule that cannot see what is wrong cannot win: what it rolls back there, it rolls back by mistake.
    """
    found = []
    for row in rows:
        scenario = row.played.cell.scenario
        if scenario.kind == "ambiguous":
            continue
        for one in CONTESTANTS[1:]:
            if scenario.only_waiting or (scenario.only_slower and not one.sees_latency):
                continue
            score = row.scores[one.name]
            sentence = _fewer(row.ours, score) if scenario.harmless else _sooner(row.ours, score)
            if sentence is not None:
                found.append(Win(one.name, row, sentence))
    return found


def _fewer(ours: Score, other: Score) -> str | None:
    return f"{other.share:.0%}" if other.share < ours.share else None


def _sooner(ours: Score, other: Score) -> str | None:
    """More found beyond two standard errors, or a smaller median at no fewer found."""
    doubt = 2.0 * sqrt(ours.error**2 + other.error**2)
    sooner = other.delay[0] < ours.delay[0] and other.share >= ours.share - doubt
    if not sooner and other.share - ours.share <= doubt:
        return None
    return f"{other.share:.0%}" + ("" if isinf(other.delay[0]) else f" after {other.delay[0]:,.0f} s")


def prices(rows: Sequence[Row]) -> dict[str, tuple[float, str]]:
    """For each contestant the greatest share of wrong roll-backs in any harmless row, and which row that was."""
    worst: dict[str, tuple[float, str]] = {}
    for row in rows:
        if not row.played.cell.scenario.harmless:
            continue
        for name, score in row.scores.items():
            if name not in worst or score.share > worst[name][0]:
                worst[name] = (score.share, row.played.cell.label)
    return worst
