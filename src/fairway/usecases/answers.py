"""What a command may answer: an expected "no" is a value with a reason, not an exception."""

from dataclasses import dataclass

from fairway.domain.rollout.plan import Plan
from fairway.domain.rollout.revision import Revision


@dataclass(frozen=True, slots=True)
class Started:
    """A run began, or an existing one was told what to do.

    Attributes:
        taken_back: the run was told to go back, so that its way back is what was asked for.
    """

    run: str
    plan: Plan
    taken_back: bool = False


@dataclass(frozen=True, slots=True)
class Unchanged:
    """What was asked for is so already."""

    live: Revision
    sentence: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The answer is no.

    Attributes:
        code: stable, in kebab-case.
        hint: what would have to be done for a yes.
    """

    code: str
    sentence: str
    hint: str
