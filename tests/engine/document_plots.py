"""Draws the pictures of `docs/explanation/analysis.md`: `python tests/engine/document_plots.py`.

Each is a rollout of the real engine, analysis and journal on a virtual clock; the requests are drawn by a seeded
generator, so that the same command makes the same pictures.
"""

import sys
import tempfile
from collections import Counter, defaultdict
from dataclasses import replace
from math import floor, log, log2
from pathlib import Path
from random import Random

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "engine")]

from engine_world import BEGIN, Clock, Controller, Street, approve, begin, drive_until  # noqa: E402

from fairway.adapters.stores.sql import SqlStore  # noqa: E402
from fairway.cli.plot.panel import (  # noqa: E402
    Panel,
    document,
    draw_axis,
    draw_clock,
    draw_limit,
    draw_line,
    label_beside,
    title,
)
from fairway.cli.plot.scale import Scale  # noqa: E402
from fairway.cli.plot.scene import number  # noqa: E402
from fairway.cli.plot.svg import draw_svg  # noqa: E402
from fairway.domain.analysis.analysis import Analysis  # noqa: E402
from fairway.domain.analysis.capital import PATIENT, Capital, Schedule  # noqa: E402
from fairway.domain.analysis.margin import Margin, best_bet, log_e_value  # noqa: E402
from fairway.domain.analysis.policy import AnalysisPolicy  # noqa: E402
from fairway.domain.analysis.traffic import RevisionTraffic, TrafficSnapshot  # noqa: E402
from fairway.domain.rollout.strategy import Canary  # noqa: E402
from fairway.usecases.course import Course, tell_course  # noqa: E402
from rollout_samples import deployment  # noqa: E402

FOLDER = ROOT / "docs" / "explanation"


class Chance(Street):
    """A street whose requests arrive, fail and take their time by chance.

    Args:
        course: from which second on which revision (`candidate`, `stable` or both) fails how many of its requests.
        slowdown: how many times as slow the candidate is.
    """

    def __init__(self, store, *, name, seed, course, rate=200.0, slowdown=1.0, steps=(10.0, 50.0, 100.0), bake=300.0):
        self.random, self.course, self.slowdown = Random(seed), course, slowdown
        self.cells = defaultdict(Counter)
        analysis = AnalysisPolicy(warmup=0.0, block=10.0)
        plan = deployment(Canary(steps=steps, bake=bake), analysis=analysis)
        super().__init__(plan, store, Clock(), name, rate=rate)
        observe = self.router.observe_traffic
        self.router.observe_traffic = lambda: self._timed(observe())

    def _count(self, revision, requests):
        if revision is None or requests <= 0.0:
            return 0
        # A normal distribution with the variance of Poisson's: good enough for arrivals.
        finished = max(0, round(self.random.gauss(requests, requests**0.5)))
        failed = sum(self.random.random() < self._ratio(revision) for _ in range(finished))
        if finished:
            self.router.count(revision, finished=finished, failed=failed)
        slowdown = self.slowdown if revision == self.plan.candidate.id else 1.0
        for _ in range(finished - failed):
            self.cells[revision][floor(16.0 * log2(self.random.lognormvariate(log(20_000.0 * slowdown), 0.5)))] += 1
        return failed

    def _timed(self, seen):
        return replace(seen, revisions=tuple(replace(one, latency=self._cells(one.revision)) for one in seen.revisions))

    def _cells(self, revision):
        edges = [(2.0 ** (cell / 16.0), count) for cell, count in sorted(self.cells[revision].items())]
        return tuple((lower, lower * (2.0 ** (1.0 / 16.0) - 1.0), count) for lower, count in edges)

    def _ratio(self, revision):
        role = "candidate" if revision == self.plan.candidate.id else "stable"
        gone, now = self.clock() - BEGIN, 0.0
        for since, roles, ratio in self.course:
            now = ratio if since <= gone and role in roles else now
        return now


BOTH = ("candidate", "stable")
HEALTHY = (0.0, BOTH, 0.001)
ROLLOUTS = {
    "healthy": {"seed": 1, "course": (HEALTHY, (200.0, BOTH, 0.03), (230.0, BOTH, 0.001))},
    "poison": {"seed": 2, "course": (HEALTHY, (0.0, ("candidate",), 0.01))},
    "late": {"seed": 3, "course": (HEALTHY, (430.0, ("candidate",), 0.004))},
    "slow": {"seed": 4, "course": (HEALTHY,), "slowdown": 1.3},
}


def live_through(store, name, **settings) -> Course:
    """The course of one rollout, from its beginning to its end."""
    street = Chance(store, name=name, **settings)
    begin(street)
    controller = Controller(street, "only")
    drive_until(controller, lambda: street.run().outcome is not None or approve(street), seconds=1e5)
    return tell_course(store, street.id)


def judge_many(seed, candidate):
    """E-values of a five-minute step at 10 %, every five seconds.

    Args:
        candidate: its error ratio; that of stable is 0.1 %.
    """
    random, counts = Random(seed), {"candidate": [0, 0], "stable": [0, 0]}
    analysis = Analysis(AnalysisPolicy(warmup=0.0), candidate="candidate", stable="stable")
    values = []
    for tick in range(1201):
        at = BEGIN + tick * 0.25
        seen = tuple(RevisionTraffic(name, *counts[name]) for name in counts)
        analysis.observe(TrafficSnapshot(at, "first", seen), (), at=at)
        if tick == 0:
            analysis.enter_step(10.0, at=at, scaled_up=False, bake=300.0)
        if tick % 20 == 0:
            values.append((tick * 0.25, analysis.e_value()))
        for name, mean, ratio in (("candidate", 5.0, candidate), ("stable", 45.0, 0.001)):
            finished = max(0, round(random.gauss(mean, mean**0.5)))
            counts[name][0] += finished
            counts[name][1] += sum(random.random() < ratio for _ in range(finished))
    return values


def draw_many() -> str:
    """A hundred healthy candidates and ten bad ones."""
    healthy, bad = [judge_many(seed, 0.001) for seed in range(100)], [judge_many(seed, 0.01) for seed in range(10)]
    panel = Panel(48.0, 260.0, Scale(0.0, 300.0), Scale(0.02, 2000.0, logarithmic=True))
    body = [
        title(panel, "e-value of 100 candidates as good as stable (grey) and of 10 that fail ten times as often (red)")
    ]
    body += [*draw_axis(panel, number), *draw_clock([panel], 1.0, "seconds since the first request")]
    for kind, rollouts in (("many", healthy), ("bad", bad)):
        for values in rollouts:
            body += draw_line(panel, values, kind)
    body += [draw_limit(panel, 100.0), *label_beside(panel, [(panel.y(100.0), "roll-back at 100", "red")])]
    return document(body, height=360.0, name="Many rollouts", description=_told(healthy, bad))


def _told(healthy, bad):
    peaks = [max(value for _, value in values) for values in healthy]
    found = [next((at for at, value in values if value >= 100.0), None) for values in bad]
    times = sorted(at for at in found if at is not None)
    middle = times[len(times) // 2]
    wrong = sum(peak >= 100.0 for peak in peaks)
    return (
        f"Of {len(healthy)} healthy candidates {wrong} reached 100; the highest e-value was {max(peaks):.2g}. "
        f" Of {len(bad)} bad ones {len(times)} were found, half of them within {middle:.0f} seconds."
    )


def draw_capital() -> str:
    """One bet on a candidate that fails from the tenth minute on: all at stake at once, and in parts."""
    random, margin, finished, theirs = Random(5), Margin(1.25, 0.0001), 200, 1800
    at_once, parts = Schedule(1.0, 0.0, 0.0, 1.0), PATIENT
    capitals = {
        "everything at once": (at_once, Capital.begin(at_once, 1)),
        "in parts": (parts, Capital.begin(parts, 1)),
    }
    values = {name: [(0.0, 1.0)] for name in capitals}
    for block in range(1, 91):
        ratio = 0.001 if block <= 60 else 0.01
        failed, theirs_failed = (
            sum(random.random() < p for _ in range(n)) for p, n in ((ratio, finished), (0.001, theirs))
        )
        bet = best_bet(0.01, stable=0.001, balance=finished / theirs, margin=margin)
        gain = log_e_value(
            bet, candidate=(finished, failed), stable_failed=theirs_failed, balance=finished / theirs, margin=margin
        )
        for name, (schedule, capital) in capitals.items():
            capital.grow([gain], schedule=schedule, cap=100.0 ** (1.0 / 3.0))
            values[name].append((block * 10.0, capital.total(schedule)))
    panel = Panel(48.0, 220.0, Scale(0.0, 900.0), Scale(1e-3, 1e4, logarithmic=True))
    body = [title(panel, "one bet on a candidate that begins to fail ten times as often after ten minutes")]
    body += [*draw_axis(panel, number), *draw_clock([panel], 60.0, "minutes since the first request")]
    body += [draw_limit(panel, 100.0)]
    labels = [(panel.y(100.0), "roll-back at 100", "red")]
    for kind, (name, places) in zip(("lane", "line"), values.items(), strict=True):
        body += draw_line(panel, places, kind)
        labels.append((panel.y(places[-1][1]), name, "blue" if kind == "line" else ""))
    crossed = {name: next((at for at, value in places if value >= 100.0), None) for name, places in values.items()}
    words = ", ".join(f"{name}: {f'{at:g} s' if at else 'never'}" for name, at in crossed.items())
    return document(
        [*body, *label_beside(panel, labels)],
        height=320.0,
        name="Capital in parts",
        description=f"Reaches 100 after {words}.",
    )


def main() -> None:
    drawings = {"many": draw_many, "capital": draw_capital}
    with tempfile.TemporaryDirectory() as folder, SqlStore.open(f"{folder}/journal") as store:
        for name, settings in ROLLOUTS.items():
            drawings[name] = lambda name=name, settings=settings: draw_svg(live_through(store, name, **settings))
        for name in sys.argv[1:] or drawings:
            path = FOLDER / f"analysis-{name}.svg"
            path.write_text(drawings[name](), encoding="utf-8")
            print(path)


if __name__ == "__main__":
    main()
