"""The facts of a run: past tense, append-only. The state of a run is the fold of its events.

Each event carries `at`, seconds since the epoch, UTC. `actor` is who did it: a person's account, or `fairway`.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from fairway.domain.cadence.policy import Passage
from fairway.domain.rollout.plan import Plan

Track = Literal["forward", "rollback"]
Cause = Literal["failed", "errored", "aborted"]
Outcome = Literal["completed", "rolled-back", "superseded", "failed"]


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run began with this plan.

    Attributes:
        lifts: why a quarantined artifact may come back with this run; None: it may not.
        passage: why it began although it was not the time for it; None: nobody had to say.
    """

    at: float
    actor: str
    reason: str
    plan: Plan
    lifts: str | None = None
    passage: Passage | None = None


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step is about to be performed; its effects may follow at any moment."""

    at: float
    track: Track
    index: int


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step's condition holds.

    Attributes:
        detail: what came out, in words.
        data: what later steps or people need of it.
    """

    at: float
    track: Track
    index: int
    detail: str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepFailed:
    """A step's condition cannot be reached.

    Attributes:
        cause: `failed`: the answer is no; `errored`: there was no answer.
        rule: stable code of what decided.
    """

    at: float
    track: Track
    index: int
    cause: Literal["failed", "errored"]
    rule: str
    reason: str
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Paused:
    """Progress stopped: by a person, or by Fairway because it needs one. The candidate is still judged."""

    at: float
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Resumed:
    """Progress goes on; a watch that had no answer begins again."""

    at: float
    actor: str


@dataclass(frozen=True, slots=True)
class Advanced:
    """A person skipped the rest of the step that was being waited in."""

    at: float
    actor: str
    index: int


@dataclass(frozen=True, slots=True)
class Extended:
    """A watch that had no answer at its deadline began once more, by itself."""

    at: float
    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Approved:
    """A person approved."""

    at: float
    actor: str


@dataclass(frozen=True, slots=True)
class AbortRequested:
    """A person asked for the way back."""

    at: float
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Held:
    """The analysis cannot judge at the moment; the clock of the watch stands still."""

    at: float
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Released:
    """The analysis judges again."""

    at: float


@dataclass(frozen=True, slots=True)
class RollbackStarted:
    """The run took its way back."""

    at: float
    cause: Cause
    rule: str
    reason: str
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ArtifactQuarantined:
    """The artifact was rejected and must not come back until a person lifts it."""

    at: float
    digest: str
    reason: str


@dataclass(frozen=True, slots=True)
class QuarantineLifted:
    """A person allowed a rejected artifact again."""

    at: float
    actor: str
    digest: str
    reason: str


@dataclass(frozen=True, slots=True)
class AttentionNeeded:
    """A step could not be done although it was tried again and again; a person has to look. It is still tried."""

    at: float
    reason: str


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run is over."""

    at: float
    outcome: Outcome
    reason: str


Event = (
    RunStarted
    | StepStarted
    | StepFinished
    | StepFailed
    | Paused
    | Resumed
    | Advanced
    | Extended
    | Approved
    | AbortRequested
    | Held
    | Released
    | RollbackStarted
    | ArtifactQuarantined
    | QuarantineLifted
    | AttentionNeeded
    | RunEnded
)
