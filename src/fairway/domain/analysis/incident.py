"""Shared incidents: both revisions fail alike, so the cause is not the candidate, and nothing can be judged.

A rule, not a statistic with a guarantee; it only ever stops the clock. It looks at the last two seconds. Stable counts
as failing when its error ratio is certainly above a limit: three times what was ordinary before in this rollout, but at
least the policy's reference (where stable is usually cleaner than that) and at most 20 % (whatever is usual). The
incident is shared when the candidate is above that limit too, and not more than three times as bad as stable: a
candidate that fails everything and thereby makes stable stumble is no shared incident. Second tries on stable count
here: at weight 100 they are all that stable gets, and if they fail as well, it was not the candidate's fault.
"""

from dataclasses import dataclass, field

from fairway.domain.analysis.proportion import lower_limit
from fairway.domain.analysis.tally import Tally

WINDOW = 2.0
GREATEST_LIMIT = 0.2
ALIKE = 3.0
KNOWN = 100


@dataclass(slots=True)
class IncidentWatch:
    """The last two seconds, and what was ordinary before.

    Attributes:
        window: readings as `[seconds, candidate finished, candidate failed, stable finished, stable failed]`.
        ordinary: finished and failed requests of stable outside its bad moments.
        stable_fails: stable is failing now.
        shared: both are.
    """

    window: list[list[float]] = field(default_factory=list)
    ordinary: list[int] = field(default_factory=lambda: [0, 0])
    stable_fails: bool = False
    shared: bool = False

    def observe(self, seconds: float, tally: Tally, *, reference: float) -> None:
        """Adds a reading and decides anew."""
        t = tally
        stable = (t.stable_finished + t.again_finished, t.stable_failed + t.again_failed)
        # A new list: the one before may be part of a stored value.
        self.window = window = [*self.window, [seconds, t.candidate_finished, t.candidate_failed, *stable]]
        whole = 0.0
        for entry in window:
            whole += entry[0]
        while len(window) > 1 and whole - window[0][0] >= WINDOW:
            whole -= window[0][0]
            self._age(window.pop(0))
        self.stable_fails = self.shared = False
        s_failed = 0
        for entry in window:
            s_failed += int(entry[4])
        if not s_failed:
            return
        s_finished = int(sum([entry[3] for entry in window]))
        if s_failed <= reference * s_finished:
            return  # not above the least limit, as nearly always
        c_finished, c_failed = (int(sum([entry[i] for entry in window])) for i in (1, 2))
        limit = self._limit(reference)
        self.stable_fails = lower_limit(s_failed, s_finished) > limit
        if self.stable_fails and c_finished:
            candidate = c_failed / c_finished
            self.shared = limit < candidate <= ALIKE * s_failed / s_finished

    def _age(self, entry: list[float]) -> None:
        if not self.stable_fails:
            self.ordinary = [self.ordinary[0] + int(entry[3]), self.ordinary[1] + int(entry[4])]

    def _limit(self, reference: float) -> float:
        finished, failed = self.ordinary
        usual = 3.0 * failed / finished if finished >= KNOWN else GREATEST_LIMIT
        return max(reference, min(GREATEST_LIMIT, usual))
