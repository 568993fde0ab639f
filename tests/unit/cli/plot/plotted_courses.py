"""Courses to draw, by hand.

`PYTHONPATH=tests python tests/unit/cli/plot/plotted_courses.py` writes the pictures that they are compared with.
"""

from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from fairway.cli.plot.terminal import draw_text
from fairway.domain.analysis.evidence import Counts
from fairway.domain.analysis.history import Latency, Point
from fairway.domain.codec import to_json
from fairway.domain.rollout.events import (
    Held,
    Paused,
    Released,
    Resumed,
    RollbackStarted,
    RunEnded,
    RunStarted,
    StepFinished,
    StepStarted,
)
from fairway.domain.rollout.run import fold
from fairway.domain.rollout.steps import Promote, Shift, Watch
from fairway.domain.rollout.strategy import Canary
from fairway.usecases.course import tell_course
from rollout_samples import BEGIN, deployment, place

PICTURES = Path(__file__).with_name("pictures")
PLAN = deployment(Canary(steps=(10.0, 50.0, 100.0), bake=60.0))


@dataclass
class Told:
    """A run that is known by heart."""

    events: tuple
    points: tuple

    def load(self, run):
        return fold(run, self.events)

    def list_events(self, run):
        return self.events

    def load_history(self, run):
        return tuple((number, to_json(point)) for number, point in enumerate(self.points))


def course(points=(), *events, plan=PLAN):
    return tell_course(Told((RunStarted(BEGIN, "ann", "new prices", plan), *events), tuple(points)), "r-7kq2mz")


def point(gone, *, since=0.0, weight=10.0, e_value=1.0, ratio=None, low=None, high=None, **more):
    """What was known so many seconds after the beginning; the step began `since`."""
    return Point(
        at=BEGIN + gone,
        since=BEGIN + since,
        watched=gone - since,
        weight=weight,
        decision=more.pop("decision", "continue"),
        rule=more.pop("rule", "watching"),
        e_value=e_value,
        lanes=more.pop("lanes", {"hard-lane": e_value / 4.0, "error-lane": e_value * 3.0 / 4.0}),
        candidate=Counts(int(100 * (gone - since)), int(gone - since)),
        stable=more.pop("stable", Counts(int(900 * (gone - since)), int(gone - since))),
        ratio=ratio,
        low=low,
        high=high,
        **more,
    )


def shifted(gone, number=0, *, plan=PLAN):
    """The weight of the plan's step of that number begins."""
    return StepStarted(BEGIN + gone, "forward", place(plan, Shift, number + 1))


def watched(gone, number=0, *, plan=PLAN):
    return StepFinished(BEGIN + gone, "forward", place(plan, Watch, number), "nothing spoke against it")


def taken_back(gone, rule="error-lane", reason="11 of 1,064 requests failed"):
    at = BEGIN + gone
    return (
        RollbackStarted(at, "failed", rule, reason),
        StepStarted(at, "rollback", 0),
        RunEnded(at + 1.0, "rolled-back", "taken back"),
    )


def climbing():
    """A bad candidate: evidence grows tenfold every ten seconds."""
    return [
        point(t, e_value=10.0 ** (t / 10.0 - 1.0), ratio=8.0, low=0.1 * 1.1**t, high=800.0 / 1.1**t)
        for t in range(0, 31, 2)
    ]


def first_deployment():
    return course(plan=deployment(Canary(steps=(10.0, 100.0), bake=60.0), first=True))


def rolled_back():
    return course(climbing(), shifted(0), *taken_back(30))


def promoted():
    """Two steps, a hold, a pause and a promotion; no failure of stable at first, then none of the candidate."""
    first = [point(t, e_value=0.9, low=0.5, high=None) for t in range(0, 61, 3)]
    second = [
        point(
            t,
            since=60.0,
            weight=50.0,
            e_value=0.3,
            ratio=0.0,
            low=0.0,
            high=90.0 / (t - 50),
            promotion={"errors": 0.1 * t},
        )
        for t in range(61, 121, 3)
    ]
    events = (
        shifted(0),
        Held(BEGIN + 20, "shared-incident", "both fail"),
        Released(BEGIN + 30),
        watched(60),
        shifted(60, 1),
        Paused(BEGIN + 80, "bob", "lunch"),
        Resumed(BEGIN + 90, "bob"),
        watched(120, 1),
        StepFinished(BEGIN + 121, "forward", place(PLAN, Promote)),
        RunEnded(BEGIN + 7200, "completed", "1.1.0 is live"),
    )
    return course([*first, *second], *events)


def quick():
    """Latency, and one reading."""
    seen = {PLAN.candidate.id: Latency(30.0, 250.0), PLAN.stable.id: Latency(20.0, 90.0)}
    return course([point(3, ratio=1.0, low=0.2, high=5.0, latency=seen)], shifted(0))


COURSES = {
    "nothing-yet": course,
    "first-deployment": first_deployment,
    "one-reading": quick,
    "rolled-back": rolled_back,
    "promoted": promoted,
}


def text_of(drawn, *, width=80):
    """As it comes out where there is no terminal."""
    console = Console(width=width, color_system=None, force_terminal=False, highlight=False)
    with console.capture() as captured:
        console.print(draw_text(drawn, width=width))
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


if __name__ == "__main__":
    for name, make in COURSES.items():
        (PICTURES / f"{name}.txt").write_text(text_of(make()), encoding="utf-8")
