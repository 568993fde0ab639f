"""What a contestant says of a rollout, and who it is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from benchmarks.canary_bench.trace import Minutes, Trace

Outcome = Literal["rollback", "promote", "inconclusive"]

RULE = "re-implemented rule, not the program"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The end of a rollout as one contestant would have it.

    Attributes:
        at: seconds after the rollout began; None: only at its end.
        rule: what decided; for reading.
        e_value: the greatest evidence seen; None where there is no such thing.
    """

    outcome: Outcome
    at: float | None = None
    rule: str = ""
    e_value: float | None = None


PROMOTE = Verdict("promote")

Judge = Callable[[Trace, Minutes], Verdict]


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way to judge.

    Attributes:
        source: repository and commit that the rule was written from, or what is run.
        setting: its parameters in words.
        sees_latency: its rule looks at latency at all.
    """

    name: str
    source: str
    setting: str
    judge: Judge
    sees_latency: bool = False
