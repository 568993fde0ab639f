"""All measurements in their order, on one project."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import peers
from benchmarks.commands import measure_commands
from benchmarks.figures import Row
from benchmarks.processor import memory_of
from benchmarks.service import FIRST, Done, Service
from benchmarks.traffic import at_rest, onto_a_dead_candidate, through_a_canary_and_back, through_peer


@dataclass(frozen=True, slots=True)
class Settings:
    """How hard and how long.

    Attributes:
        rate: requests a second.
        rest: seconds of each measurement at rest.
        bake: seconds that each step of a canary is watched.
        repeats: runs of each quick command.
    """

    rate: float = 10_000.0
    rest: float = 10.0
    bake: int = 4
    repeats: int = 10


FULL = Settings()
QUICK = Settings(rest=3.0, bake=2, repeats=10)


@dataclass(frozen=True, slots=True)
class Results:
    """All rows."""

    traffic: list[Row]
    dead: Row
    commands: list[Row]
    fairway: list[Row]

    def rows(self) -> list[Row]:
        """In the order of the report."""
        return [*self.traffic, self.dead, *self.commands, *self.fairway]

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
    tell("through a canary and back, under the same load")
    canary, done = through_a_canary_and_back(service, rate)
    tell("onto a candidate that dies at 10 %, under the same load")
    dead = onto_a_dead_candidate(service, rate)
    tell("quick commands")
    commands = measure_commands(service, settings.repeats)
    fairway = [_overhead(service, {"first deployment": first} | done), _memory(service)]
    return Results([canary, calm, haproxy, nginx], dead, commands, fairway)


def _overhead(service: Service, done: dict[str, Done]) -> Row:
    """What a command took beyond the time for which its plan stands still and watches."""
    figures: dict[str, float | None] = {}
    steps = {}
    for name, one in done.items():
        figures[f"{name.replace(' ', '_')}_s"] = round(one.seconds - service.watched(one.report["run"]), 2)
        steps[name] = {step["name"]: step["seconds"] for step in one.report["steps"] if step["seconds"] is not None}
    return Row("command beyond its bakes", figures, detail={"step_seconds": steps})


def _memory(service: Service) -> Row:
    figures = {f"{name}_mb": round(memory_of(pid), 1) for name, pid in service.processes().items()}
    return Row("resident memory", figures)
