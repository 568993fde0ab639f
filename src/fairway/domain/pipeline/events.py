"""The facts of a release: past tense, append-only. Each carries `at`, seconds since the epoch, UTC."""

from dataclasses import dataclass, field
from typing import Any, Literal

from fairway.domain.cadence.policy import Passage
from fairway.domain.pipeline.plan import ReleasePlan
from fairway.domain.pipeline.products import Product

Cause = Literal["failed", "errored"]


@dataclass(frozen=True, slots=True)
class ReleaseStarted:
    """A release began with this plan."""

    at: float
    actor: str
    plan: ReleasePlan


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """A task is about to be done; its effects may follow at any moment."""

    at: float
    task: str


@dataclass(frozen=True, slots=True)
class TaskFinished:
    """A task's condition holds.

    Attributes:
        detail: what came out, in words.
        products: what it made.
        data: what later tasks or people need of it.
    """

    at: float
    task: str
    detail: str = ""
    products: tuple[Product, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskFailed:
    """A task's condition cannot be reached.

    Attributes:
        cause: `failed`: the answer is no; `errored`: there was no answer.
        rule: stable code of what decided.
    """

    at: float
    task: str
    cause: Cause
    rule: str
    reason: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class TaskLost:
    """What a task had brought about is no longer there: it is done once more."""

    at: float
    task: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReleaseHalted:
    """Nothing more can be done until a person resumes or abandons the release; another one may have its turn."""

    at: float
    task: str
    cause: Cause
    reason: str


@dataclass(frozen=True, slots=True)
class ReleaseResumed:
    """A person lets the release go on, from what failed.

    Attributes:
        passage: why it goes on although it is not the time for it; None: what was said before counts, if anything.
    """

    at: float
    actor: str
    passage: Passage | None = None


@dataclass(frozen=True, slots=True)
class ReleaseEnded:
    """The release is over.

    Attributes:
        outcome: `completed`: everything is published; `abandoned`: a person gave it up as it was.
    """

    at: float
    outcome: Literal["completed", "abandoned"]
    reason: str


ReleaseEvent = (
    ReleaseStarted | TaskStarted | TaskFinished | TaskFailed | TaskLost | ReleaseHalted | ReleaseResumed | ReleaseEnded
)
