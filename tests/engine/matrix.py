"""Plays a script again and again, each time with something else happening at one of its boundaries."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from engine_world import DOWN, Clock, Street, approve, live_through
from scripts import Script

from fairway.adapters.stores.sql import SqlStore
from fairway.domain.rollout.events import (
    ArtifactQuarantined,
    Event,
    RollbackStarted,
    RunEnded,
    RunStarted,
    StepFailed,
    StepFinished,
    StepStarted,
)

#: What is not told where the end comes at once.
EARLIER = ("promoted", "frozen")

Happening = Callable[[Street], None]
"""What happens at a boundary."""


class Matrix:
    """One script on one journal.

    Attributes:
        reference: the street after a run in which nothing happened.
    """

    def __init__(self, script: Script, store: SqlStore, clock: Clock, *, prefix: str = "e") -> None:
        self.script, self.store, self.clock, self.prefix = script, store, clock, prefix
        self._played = 0
        self.reference = self.street()
        live_through(self.reference)
        assert self.faults(self.reference) == []
        assert self.reference.run().outcome == script.outcome
        self.picture = self.reference.picture()
        self.names = list(self.reference.boundaries.names)

    def street(self) -> Street:
        """A new one, in an environment of its own."""
        self._played += 1
        script = self.script
        return Street(
            script.plan(),
            self.store,
            self.clock,
            f"{self.prefix}{self._played}",
            failing=script.failing,
            behaviours=script.behaviours,
            statuses=script.statuses,
        )

    def play(
        self, happenings: Mapping[int, Happening], act: Callable[[Street], bool] = approve, *, down: float = DOWN
    ) -> Street:
        """Runs the script with things happening at boundaries.

        Args:
            happenings: what, by number of the boundary.
            act: the person that runs wait for.
            down: seconds from a death to the next controller.
        """
        street = self.street()
        street.boundaries.planned = {number: partial(happen, street) for number, happen in happenings.items()}
        live_through(street, act, down=down)
        return street

    def check(self, numbers: Iterable[int], judge: Callable[[int], list[str]]) -> None:
        """Fails with all that `judge` finds wrong at any of the boundaries."""
        wrong = []
        for number in numbers:
            try:
                problems = judge(number)
            except AssertionError as error:
                problems = [str(error)]
            wrong += [f"{number} {self.names[number]}: {problem}" for problem in problems]
        assert not wrong, "\n".join(wrong[:20])

    def astray(self, street: Street, outcome: str | None = None) -> list[str]:
        """All that is wrong with a run, other than how the world differs."""
        run, outcome = street.run(), outcome or self.script.outcome
        ended = [] if run.outcome == outcome else [f"ended {run.outcome}: {run.ended_reason}"]
        return ended + self.faults(street)

    def faults(self, street: Street) -> list[str]:
        """Whatever must not be so after any run."""
        events = self.store.list_events(street.id)
        return [*dict.fromkeys(street.faults), *order_faults(events), *_repeated(street)]

    def differences(self, street: Street) -> list[str]:
        """How the world at the end differs from that of the run in which nothing happened."""
        picture = street.picture()
        return [
            f"{key}: {picture[key]!r} instead of {value!r}"
            for key, value in self.picture.items()
            if _plain(picture[key], street) != _plain(value, self.reference) and not self._tolerated(key, picture)
        ]

    def _tolerated(self, key: str, picture: dict[str, Any]) -> bool:
        """A controller that was dead finds all at once what was counted meanwhile, and may be sure a step earlier."""
        if key != "messages" or self.script.outcome != "rolled-back":
            return False
        found, expected = ([event for event in told[key] if event not in EARLIER] for told in (picture, self.picture))
        return found == expected and len(picture[key]) <= len(self.picture[key])


def _plain(value: Any, street: Street) -> str:
    """Without the name of the street."""
    return repr(value).replace(street.id, "RUN").replace(repr(street.name), "NAME")


def _repeated(street: Street) -> list[str]:
    return [f"{key} was executed {count} times" for key, count in street.commands.executions.items() if count > 1]


def order_faults(events: tuple[Event, ...]) -> list[str]:
    """What is wrong with the order of a run's events; nothing may be there twice."""
    faults = []
    if not isinstance(events[0], RunStarted) or not isinstance(events[-1], RunEnded):
        faults.append(f"from {type(events[0]).__name__} to {type(events[-1]).__name__}")
    for kind, most in ((RunStarted, 1), (RunEnded, 1), (RollbackStarted, 1), (ArtifactQuarantined, 1), (StepFailed, 1)):
        count = sum(isinstance(event, kind) for event in events)
        if count > most:
            faults.append(f"{count} times {kind.__name__}")
    expected, begun, track = 0, False, "forward"
    for event in events:
        if isinstance(event, RollbackStarted):
            expected, begun, track = 0, False, "rollback"
        elif isinstance(event, StepStarted):
            if begun or (event.track, event.index) != (track, expected):
                faults.append(f"{event} where {track} {expected} was due")
            begun = True
        elif isinstance(event, StepFinished):
            if not begun or (event.track, event.index) != (track, expected):
                faults.append(f"{event} where {track} {expected} was under way")
            expected, begun = expected + 1, False
    return faults
