"""A candidate that takes requests and answers none of them.

Nothing has failed and nothing is slow as long as no answer has come, so neither lane sees it; meanwhile users wait. The
rule speaks when all of this has been so for `LEAST` seconds, and for twice the time that nearly all of stable's answers
take, if that is longer (long polling is no hang):

- the candidate finished no request although that is improbable (see `absence`), or stable has none to compare with;
- more requests wait there than when it last finished one, those included whose users have given up.
"""

from dataclasses import dataclass

from fairway.domain.analysis.evidence import Finding
from fairway.domain.analysis.latency import Cell, quantile
from fairway.domain.analysis.traffic import RevisionTraffic

LEAST = 10.0
WAITING = 5
NEARLY_ALL = 0.99
RULE = "hang"


@dataclass(slots=True)
class HangWatch:
    """What happened since the candidate last finished a request.

    Attributes:
        seconds: since then, as far as silence was improbable.
        before: requests that were waiting or given up then; None before the first reading.
        waiting: how many have been added.
    """

    seconds: float = 0.0
    before: int | None = None
    waiting: int = 0

    def observe(self, seconds: float, candidate: RevisionTraffic, *, finished: int, silent: bool) -> None:
        """Adds a reading.

        Args:
            seconds: since the reading before.
            candidate: its counters.
            finished: requests that it finished since the reading before.
            silent: that it finishes none is improbable.
        """
        unanswered = candidate.abandoned + sum(one.active for one in candidate.instances)
        if finished or self.before is None:
            self.seconds, self.before, self.waiting = 0.0, unanswered, 0
            return
        self.waiting = unanswered - self.before
        self.seconds = self.seconds + seconds if silent else 0.0

    def finding(self, stable: tuple[Cell, ...]) -> Finding | None:
        """Why the candidate has to be taken back; None if it has not.

        Args:
            stable: the latency of stable's answers.
        """
        if self.waiting < WAITING or self.seconds < LEAST:
            return None
        usual = (quantile(stable, NEARLY_ALL) or 0.0) / 1e6
        if self.seconds < 2.0 * usual:
            return None
        cause = f"the candidate has answered nothing for {self.seconds:.0f} s, and {self.waiting:,} requests waited"
        return Finding(RULE, cause)
