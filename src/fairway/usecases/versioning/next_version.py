"""What the next version is."""

import datetime
from typing import NamedTuple

from fairway.domain.versioning.decision import NOTHING_ASKED, Asked, Decision, Situation, decide
from fairway.domain.versioning.line import Line, find_line
from fairway.domain.versioning.policy import Policy
from fairway.domain.versioning.scheme import find_scheme
from fairway.ports.history import History, Place
from fairway.usecases.versioning.situation import examine


class Question(NamedTuple):
    """Which next version is asked for.

    Attributes:
        pre: token of the pre-release; empty: a stable one; None: as the branch's channel has it.
        channel: in place of the branch's own.
    """

    asked: Asked = NOTHING_ASKED
    pre: str | None = None
    channel: str | None = None


class Answer(NamedTuple):
    """The decision, and where it was taken."""

    decision: Decision
    place: Place
    line: Line
    situation: Situation


def next_version(history: History, policy: Policy, question: Question, day: datetime.date) -> Answer:
    """The next version of the branch, or why there is none.

    Args:
        history: the repository.
        policy: the project's rules.
        question: what is asked for.
        day: today where the project lives, for calendar versions.

    Raises:
        UserError: the branch has no channel, or what was asked for cannot be.
        PermanentError: the clone is shallow, or there is no repository.
    """
    place = history.locate()
    line = find_line(place.branch, policy, pre=question.pre, channel=question.channel)
    situation = examine(history, policy, place, line, day)
    scheme = find_scheme(policy.scheme, policy.calver)
    return Answer(decide(scheme, policy, situation, question.asked), place, line, situation)
