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
from fairway.cli.plot.svg import draw_svg  # noqa: E402
from fairway.domain.analysis.policy import AnalysisPolicy  # noqa: E402
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


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, SqlStore.open(f"{folder}/journal") as store:
        for name, settings in ROLLOUTS.items():
            if not sys.argv[1:] or name in sys.argv[1:]:
                path = FOLDER / f"analysis-{name}.svg"
                path.write_text(draw_svg(live_through(store, name, **settings)), encoding="utf-8")
                print(path)


if __name__ == "__main__":
    main()
