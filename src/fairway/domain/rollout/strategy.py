"""Strategies: what the user wrote about how a revision is introduced. Weights are percent, times are seconds."""

from dataclasses import dataclass

from fairway.domain.rollout.routes import Mirror, Stickiness


@dataclass(frozen=True, slots=True)
class Rolling:
    """Instances are replaced one batch after the other, each ready before the next.

    Attributes:
        max_surge: how many instances may exist above the wanted number.
        max_unavailable: how many of the wanted number may be missing meanwhile; both cannot be 0.
        bake: how long to watch after each batch.
    """

    max_surge: int = 1
    max_unavailable: int = 0
    bake: float = 5.0


@dataclass(frozen=True, slots=True)
class BlueGreen:
    """A complete second set of instances is validated on its own address and switched to at once.

    Attributes:
        keep: how long the old set is kept running after the switch, for an instant way back.
    """

    keep: float = 1800.0


@dataclass(frozen=True, slots=True)
class StepTimes:
    """How long one weight of a canary is watched.

    Attributes:
        bake: for so long, or at most for so long where evidence may end it.
        min_bake: from here on evidence that the candidate is good enough ends it; None: time alone does.
    """

    weight: float
    bake: float
    min_bake: float | None = None


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Before it gets any request, the candidate is watched while copies of users' requests go to it.

    Attributes:
        bake: how long.
    """

    mirror: Mirror
    bake: float = 300.0


@dataclass(frozen=True, slots=True)
class Canary:
    """Requests move to the candidate in steps of weight, each watched.

    Attributes:
        steps: rising weights in percent, down to 0.1; the last is 100.
        bake: how long to watch at each weight below 100; at most so long where `min_bake` is given.
        min_bake: from here on evidence that the candidate is good enough ends a step; None: time alone does.
        own: the times of steps that have their own.
        sticky: by what users are kept on one revision; None: each request is divided by itself.
        rehearsal: with copies of requests, before the first step; None: without.
        baseline: the candidate is compared with fresh instances of the stable release instead of with stable.
    """

    steps: tuple[float, ...] = (10.0, 50.0, 100.0)
    bake: float = 300.0
    min_bake: float | None = None
    own: tuple[StepTimes, ...] = ()
    sticky: Stickiness | None = None
    rehearsal: Rehearsal | None = None
    baseline: bool = False

    def times(self, weight: float) -> StepTimes:
        """How long that weight is watched."""
        return next((one for one in self.own if one.weight == weight), StepTimes(weight, self.bake, self.min_bake))


Strategy = Rolling | BlueGreen | Canary
