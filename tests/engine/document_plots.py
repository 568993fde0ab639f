"""Draws the pictures of `docs/explanation/analysis.md`: `python tests/engine/document_plots.py`.

Each is a rollout of the real engine, analysis and journal on a virtual clock; the requests are drawn by a seeded
generator, so that the same command makes the same pictures.
"""

import sys
import tempfile
from pathlib import Path
from random import Random

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "engine")]

from engine_world import BEGIN, Clock, Controller, Street, approve, begin, drive_until  # noqa: E402

from fairway.adapters.stores.sql import SqlStore  # noqa: E402
from fairway.cli.plot.svg import draw_svg  # noqa: E402
from fairway.domain.rollout.strategy import Canary  # noqa: E402
from fairway.usecases.course import Course, tell_course  # noqa: E402
from rollout_samples import deployment  # noqa: E402

FOLDER = ROOT / "docs" / "explanation"


class Chance(Street):
    """A street whose requests arrive and fail by chance.

    `course` says from which second on which revision (`candidate`, `stable` or both) fails how many of its requests.
    """

    def __init__(self, store, *, seed, rate, course, steps=(10.0, 50.0, 100.0), bake=300.0, name="production"):
        self.random, self.course = Random(seed), course
        super().__init__(deployment(Canary(steps=steps, bake=bake)), store, Clock(), name, rate=rate)

    def _count(self, revision, requests):
        if revision is None or requests <= 0.0:
            return 0
        finished = self._draw(requests)
        failed = sum(self.random.random() < self._ratio(revision) for _ in range(finished))
        if finished:
            self.router.count(revision, finished=finished, failed=failed)
        return failed

    def _draw(self, mean):
        """A whole number around the mean, by a normal distribution: good enough for arrivals."""
        return max(0, round(self.random.gauss(mean, mean**0.5)))

    def _ratio(self, revision):
        role = "candidate" if revision == self.plan.candidate.id else "stable"
        gone, now = self.clock() - BEGIN, 0.0
        for since, roles, ratio in self.course:
            now = ratio if since <= gone and role in roles else now
        return now


BOTH = ("candidate", "stable")
HEALTHY = (0.0, BOTH, 0.001)
ROLLOUTS = {
    "healthy": {"seed": 1, "rate": 200.0, "course": (HEALTHY, (200.0, BOTH, 0.03), (230.0, BOTH, 0.001))},
    "poison": {"seed": 2, "rate": 200.0, "course": (HEALTHY, (0.0, ("candidate",), 0.01))},
    "late": {"seed": 3, "rate": 200.0, "course": (HEALTHY, (430.0, ("candidate",), 0.004))},
    "dead": {"seed": 4, "rate": 200.0, "course": (HEALTHY, (90.0, ("candidate",), 1.0))},
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
