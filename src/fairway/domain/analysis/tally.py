"""Counts of both revisions over a stretch of time, and which of stable's requests were its own."""

from dataclasses import dataclass
from math import sqrt


@dataclass(slots=True)
class Tally:
    """Attempts that ended, of the candidate and of stable."""

    candidate_finished: int = 0
    candidate_failed: int = 0
    stable_finished: int = 0
    stable_failed: int = 0

    def add(self, other: "Tally") -> None:
        """Adds the counts of another stretch of time."""
        self.candidate_finished += other.candidate_finished
        self.candidate_failed += other.candidate_failed
        self.stable_finished += other.stable_finished
        self.stable_failed += other.stable_failed


def own_requests(tally: Tally, weight: float) -> int:
    """How many of stable's attempts were requests routed to it, not second tries of what failed on the candidate.

    Second tries are no sample of the traffic, and their number depends on the candidate's failures. The proxy does
    not count them apart, so the truth lies between all attempts of stable and these less the candidate's failures.
    The smaller number is taken (it makes stable look smaller and so the test more careful), but not less than the
    weight makes plausible (two standard deviations of the negative binomial distribution): a candidate that fails every
    request, none of which may be repeated, must not make stable's own requests disappear.

    Args:
        tally: what ended while the weight was the same.
        weight: percent of the requests that go to the candidate, above 0.
    """
    if tally.candidate_failed == 0:
        return tally.stable_finished
    share = min(1.0, weight / 100.0)
    rest = tally.candidate_finished * (1.0 - share)
    plausible = int(max(0.0, rest - 2.0 * sqrt(rest)) / share)
    return max(0, tally.stable_finished - tally.candidate_failed, min(tally.stable_finished, plausible))
