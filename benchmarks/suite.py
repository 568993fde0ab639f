"""All measurements in their order, on one project."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import peers
from benchmarks.commands import measure_commands
from benchmarks.figures import Limit, Row
from benchmarks.processor import memory_of
from benchmarks.service import FIRST, GOOD, STRATEGIES, Done, Service
from benchmarks.traffic import (
    at_rest,
    compare,
    onto_a_dead_candidate,
    onto_a_sick_candidate,
    through,
    through_peer,
)

#: Megabytes that a controller with one service may take, and the runs after which its memory is taken for warm.
MOST_MB, WARM_AFTER = 150.0, 5


@dataclass(frozen=True, slots=True)
class Settings:
    """How hard and how long.

    Attributes:
        rate: requests a second.
        rest: seconds of each measurement at rest.
        bake: seconds that each step of a canary is watched.
        repeats: runs of each quick command.
        runs: rollouts between the first and the last look at the controller's memory; 0: its growth is not measured.
    """

    rate: float = 10_000.0
    rest: float = 8.0
    bake: int = 3
    repeats: int = 10
    runs: int = 20


FULL = Settings()
QUICK = Settings(rest=3.0, bake=2, repeats=10, runs=0)


@dataclass(frozen=True, slots=True)
class Results:
    """All rows."""

    traffic: list[Row]
    bad: list[Row]
    commands: list[Row]
    fairway: list[Row]

    def rows(self) -> list[Row]:
        """In the order of the report."""
        return [*self.traffic, *self.bad, *self.commands, *self.fairway]

    def missed(self) -> list[str]:
        """A sentence for each limit that did not hold."""
        return [sentence for row in self.rows() for sentence in row.missed()]


def run(settings: Settings, tell: Callable[[str], None]) -> Results:
    """Measures everything, in a folder of its own that is gone afterwards.

    Args:
        settings: how hard and how long.
        tell: receives a line before each measurement.
    """
    folder = Path(tempfile.mkdtemp(prefix="fairway-bench-"))
    service = Service(folder, bake=f"{settings.bake}s", healthy_for=settings.bake / 2)
    try:
        return _measure(service, settings, tell)
    finally:
        service.close()


def _measure(service: Service, settings: Settings, tell: Callable[[str], None]) -> Results:
    tell("first deployment")
    first = service.deploy(FIRST)
    if first.status != 0:
        raise RuntimeError(f"the first deployment failed: {first.report}")
    rate, rest = settings.rate, settings.rest
    tell(f"Envoy at rest, {rate:g} requests a second for {rest:g} s")
    calm = at_rest(service, rate, rest)
    tell(f"HAProxy, {rate:g} requests a second for {rest:g} s")
    haproxy = through_peer("HAProxy", peers.haproxy, service, rate, rest)
    tell(f"nginx, {rate:g} requests a second for {rest:g} s")
    nginx = through_peer("nginx", peers.nginx, service, rate, rest)
    ours, done = [], {"first deployment": first}
    for strategy in STRATEGIES:
        tell(f"through {strategy} and back, under the same load")
        row, commands_run = through(strategy, service, rate)
        ours.append(row)
        done |= commands_run
    tell("onto a candidate that dies at 10 %, and onto one that fails a fifth, under the same load")
    bad = [onto_a_dead_candidate(service, rate), onto_a_sick_candidate(service, rate)]
    tell("quick commands")
    commands = measure_commands(service, settings.repeats)
    tell(f"the controller's memory over {settings.runs} rollouts")
    fairway = [_overhead(service, done), _memory(service, settings.runs)]
    return Results([*compare(ours, calm), calm, haproxy, nginx], bad, commands, fairway)


def _overhead(service: Service, done: dict[str, Done]) -> Row:
    """What a command took beyond the time for which its plan stands still and watches."""
    figures: dict[str, float | None] = {}
    steps = {}
    for name, one in done.items():
        figures[f"{name.replace(' ', '_')}_s"] = round(one.seconds - service.watched(one.report["run"]), 2)
        steps[name] = {step["name"]: step["seconds"] for step in one.report["steps"] if step["seconds"] is not None}
    return Row("command beyond its bakes", figures, detail={"step_seconds": steps})


def _memory(service: Service, runs: int) -> Row:
    """Now, and how the controller's grows with further rollouts, the first few of which warm everything up."""
    figures: dict[str, float | None] = {f"{name}_mb": round(memory_of(p), 1) for name, p in service.processes().items()}
    if runs:
        service.use("rolling", bake="0s")
        warm = _after(service, WARM_AFTER)
        figures["controller_mb_per_100_runs"] = round((_after(service, runs) - warm) * 100 / runs, 1)
    return Row("resident memory", figures, (Limit("controller_mb", below=MOST_MB),))


def _after(service: Service, runs: int) -> float:
    """Megabytes of the controller after so many rollouts, one release after the other."""
    for _ in range(runs):
        ended = service.deploy(FIRST if service.live() == GOOD else GOOD)
        if ended.status != 0:
            raise RuntimeError(f"a rollout did not go as it should: {ended.report}")
    return memory_of(service.processes()["controller"])
