"""A better ladder for the traffic there is: weights and bakes at which every step can show something.

Asked for are ladders whose every step has enough requests for an answer and finds total failure, and that as a whole
find a moderate fault, both with a probability of 90 %, before the candidate gets all requests. Of those that take
little longer than the quickest one, the one with the smallest first weight puts the fewest users at risk.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from fairway.domain.analysis.planning.course import Course, walk
from fairway.domain.analysis.planning.forecast import TOTAL, is_found, is_scarce
from fairway.domain.analysis.planning.premises import HEALTHY, Fault, Stretch, Traffic
from fairway.domain.analysis.planning.promotion import NINE_OF_TEN
from fairway.domain.analysis.policy import AnalysisPolicy

MODERATE = 0.05
BEYOND = 3.0
"""A moderate fault: so many of the requests fail, or so many times as many as the margin allows."""

LADDERS = ((1.0, 10.0, 50.0), (5.0, 25.0, 50.0), (10.0, 50.0), (25.0, 50.0), (50.0,))
"""Weights below 100 percent."""

MINUTES = (0.5, 1, 2, 3, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720, 1440)
"""Bakes that are tried."""

LITTLE_LONGER = 1.5
OWN_LONGER = 3.0
"""What is a little longer than the quickest, and what is not too long for weights that the user chose."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Weights, of which the last is 100, seconds that each but the last is held, and whether beside a baseline."""

    weights: tuple[float, ...]
    bake: float
    baseline: bool = False

    @property
    def seconds(self) -> float:
        """All bakes together."""
        return self.bake * (len(self.weights) - 1)

    def stretches(self) -> tuple[Stretch, ...]:
        """The stretches that are watched before the candidate gets all requests."""
        return tuple(
            Stretch(weight, self.bake, "bake", not place, baseline=self.baseline)
            for place, weight in enumerate(self.weights[:-1])
        )


def moderate(limit: float) -> Fault:
    """The fault that a ladder should find, given the greatest error ratio within the margin."""
    return Fault(min(1.0, max(MODERATE, BEYOND * limit)))


def better_ladder(
    policy: AnalysisPolicy, traffic: Traffic, fault: Fault, own: tuple[float, ...] = (), *, baseline: bool = False
) -> Ladder | None:
    """A ladder that finds the fault; None if there is none with bakes of at most a day.

    Args:
        policy: margins, limits and times.
        traffic: what is supposed.
        fault: what the ladder as a whole must find.
        own: the user's own weights below 100, kept if a longer bake is all that is missing.
        baseline: the candidate is compared with a baseline of its own age.
    """
    if traffic.rps <= 0.0:
        return None
    begin = Course.begin(policy, traffic)
    ladders = list(_able(begin, fault, own, baseline=baseline))
    if not ladders:
        return None
    quickest = min(ladder.seconds for ladder in ladders)
    for ladder in ladders:
        if ladder.weights[:-1] == own and ladder.seconds <= OWN_LONGER * quickest:
            return ladder
    return min(
        (ladder for ladder in ladders if ladder.seconds <= LITTLE_LONGER * quickest), key=lambda ladder: ladder.weights
    )


def _able(begin: Course, fault: Fault, own: tuple[float, ...], *, baseline: bool) -> Iterator[Ladder]:
    """For each choice of weights the shortest bake that is enough."""
    for weights in {own, *LADDERS} - {()}:
        for minutes in MINUTES:
            ladder = Ladder((*weights, 100.0), minutes * 60.0, baseline)
            if _serves(begin, ladder.stretches(), fault):
                yield ladder
                break


def _serves(begin: Course, stretches: tuple[Stretch, ...], fault: Fault) -> bool:
    if any(is_scarce(begin.policy, begin.traffic, stretch) for stretch in stretches):
        return False
    if not is_found(begin, stretches, fault):
        return False
    course = begin.copy()
    for index, stretch in enumerate(stretches):
        if walk(course, stretches[: index + 1], TOTAL, first=index, doubt=NINE_OF_TEN) is None:
            return False
        course.pass_through(stretch, HEALTHY)
    return True
