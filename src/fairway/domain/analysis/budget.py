"""A budget of failed requests: how much harm a candidate may do in one rollout, whatever the evidence says.

Evidence answers whether the candidate is worse than stable; the budget bounds what it costs to find out. It counts
attempts that failed on the candidate, also those that stable then answered, from the first weight to the commit point,
by the router's own counters. It is a rule without a guarantee: a healthy candidate spends it as well if it is served
long enough.

At half of it the weight is frozen: the clock of the watch stands still until a person promotes or aborts. Spent, the
candidate is taken back. What fails while stable fails alike (a shared incident) is not counted: no other weight would
have spared it.
"""

from dataclasses import dataclass

from fairway.domain.analysis.evidence import Finding, Spending
from fairway.domain.analysis.traffic import TrafficSnapshot

RULE = "budget"
"""Code of both rules."""

FREEZE_AT = 0.5
"""Part of the budget from which on the weight does not rise."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What the user allows.

    Attributes:
        failed_requests: 1 or more: with so many the budget is spent.
    """

    failed_requests: int


@dataclass(slots=True)
class BudgetWatch:
    """What is spent so far.

    Attributes:
        limit: how many requests may fail.
        spent: how many have.
        origin: identity of the counters' beginning at the last reading.
        counted: the counter at the last reading; None before the first, which only says where counting begins.
    """

    limit: int
    spent: int = 0
    origin: str = ""
    counted: int | None = None

    def observe(self, snapshot: TrafficSnapshot, candidate: str, *, shared: bool) -> None:
        """Adds what failed since the last reading.

        Counters that began again hold nothing but what came after the last reading, so that all of it counts.

        Args:
            snapshot: the router's counters, newer than the last.
            candidate: id of the revision being introduced.
            shared: stable is failing alike; what failed is then not counted.
        """
        seen = next((traffic for traffic in snapshot.revisions if traffic.revision == candidate), None)
        if seen is None and self.counted is not None and snapshot.origin == self.origin:
            return
        now = seen.failed if seen is not None else 0
        before = self.counted
        if before is not None and snapshot.origin != self.origin:
            before = 0
        if before is not None and not shared:
            self.spent += max(0, now - before)
        self.origin, self.counted = snapshot.origin, now

    def verdict(self) -> Finding | None:
        """Why the candidate has to be taken back, once the budget is spent."""
        if self.spent < self.limit:
            return None
        return Finding(
            RULE, f"the budget is spent: {self.spent:,} requests failed on the candidate, {self.limit:,} may"
        )

    def freeze(self, weight: float) -> Finding | None:
        """Why the weight stays as it is, from half of the budget on; nothing where it cannot rise any more."""
        if self.spent < FREEZE_AT * self.limit or not 0.0 < weight < 100.0:
            return None
        cause = (
            f"{self.spent:,} requests have failed on the candidate, half or more of the {self.limit:,} that its budget "
            f"allows, so the weight stays at {weight:g} % until a person promotes or aborts"
        )
        return Finding(RULE, cause)

    def spending(self) -> Spending:
        """What to show."""
        return Spending(self.spent, self.limit)
