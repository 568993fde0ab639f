"""Counts of both revisions over a stretch of time.

Only first tries are compared: they are a random sample of the requests. A second try is not: which requests are tried
again, and how many, depends on what failed before. What failed on the candidate and was answered by stable stays a
failure of the candidate and is no success of stable.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """First tries that ended, of the candidate and of stable; second tries that stable took over, apart.

    Attributes:
        candidate_abandoned: first tries that the client gave up before an answer came; in none of the other numbers.
        stable_abandoned: likewise.
    """

    candidate_finished: int = 0
    candidate_failed: int = 0
    stable_finished: int = 0
    stable_failed: int = 0
    again_finished: int = 0
    again_failed: int = 0
    candidate_abandoned: int = 0
    stable_abandoned: int = 0

    @property
    def is_empty(self) -> bool:
        """Nothing ended, and nothing was given up."""
        return not (
            self.candidate_finished
            or self.stable_finished
            or self.again_finished
            or self.candidate_abandoned
            or self.stable_abandoned
        )

    def add(self, other: "Tally") -> None:
        """Adds the counts of another stretch of time."""
        self.candidate_finished += other.candidate_finished
        self.candidate_failed += other.candidate_failed
        self.stable_finished += other.stable_finished
        self.stable_failed += other.stable_failed
        self.again_finished += other.again_finished
        self.again_failed += other.again_failed
        self.candidate_abandoned += other.candidate_abandoned
        self.stable_abandoned += other.stable_abandoned

    def given_up(self) -> "Tally":
        """The same requests by another question: did the client wait for the answer? Those given up have failed it."""
        mine, theirs = self.candidate_abandoned, self.stable_abandoned
        return Tally(self.candidate_finished + mine, mine, self.stable_finished + theirs, theirs)
