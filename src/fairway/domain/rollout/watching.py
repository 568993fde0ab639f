"""When a watch is over, and with what answer: pure.

Time decides, or evidence does. By time, a watch lasts until its end and has passed if the candidate had enough requests
and nothing spoke against it. By evidence it ends as soon as the candidate is shown to be good enough, not before
`least`; its end is a deadline, at which it has no answer. What is done without an answer is the user's policy.
"""

from dataclasses import dataclass
from typing import Literal

from fairway.domain.analysis.evidence import Assessment
from fairway.domain.analysis.noninferiority import about, explain_shown, explain_unshown, is_shown
from fairway.domain.rollout.steps import Watch

MOST_EXTENSIONS = 3
"""How often a watch without an answer begins again by itself under the policy `extend`; then it waits for a person."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a watch ended.

    Attributes:
        sentence: for people.
    """

    answer: Literal["passed", "inconclusive"]
    sentence: str


def end_of(step: Watch, assessment: Assessment) -> Ending | None:
    """How the watch has ended; None while it goes on.

    Args:
        step: what was asked for.
        assessment: what is known; nothing speaks against the candidate.
    """
    if assessment.decision == "hold":
        return None
    if assessment.decision == "inconclusive":
        return Ending("inconclusive", assessment.sentence)
    return _end_by_time(step, assessment) if step.least is None else _end_by_evidence(step, step.least, assessment)


def _end_by_time(step: Watch, assessment: Assessment) -> Ending | None:
    if assessment.watched < step.seconds:
        return None
    if assessment.sufficient:
        return Ending("passed", assessment.sentence)
    # Nobody need ask for anything but in a bake or a rehearsal; that others are answered and the candidate's are not is
    # no such case.
    if step.purpose not in {"bake", "rehearse"}:
        asked = "hardly anybody" if assessment.evidence.candidate.finished else "nobody"
        return Ending("passed", f"nothing spoke against it, and {asked} asked for anything")
    return Ending("inconclusive", assessment.sentence)


def _end_by_evidence(step: Watch, least: float, assessment: Assessment) -> Ending | None:
    if assessment.watched >= min(least, step.seconds) and is_shown(assessment.evidence.promotion):
        return Ending("passed", explain_shown(assessment))
    return Ending("inconclusive", explain_unshown(assessment)) if assessment.watched >= step.seconds else None


def outlook(step: Watch, assessment: Assessment) -> str:
    """When a watch that evidence ends may be expected to end, while the candidate is as good as stable.

    Args:
        step: what was asked for.
        assessment: what is known, with how many requests each test still lacks.

    Returns:
        A sentence; empty where time decides, where the clock stands still, or where it ends at once.
    """
    evidence = assessment.evidence
    if step.least is None or assessment.decision != "continue" or not evidence.promotion:
        return ""
    unshown = [one for one in evidence.promotion if one.e_value < one.threshold]
    wait = min(step.least, step.seconds) - assessment.watched
    if not unshown:
        return f"It is shown to be good, and goes on in {_span(wait)}." if wait > 0.0 else ""
    missing = [one.missing for one in unshown if one.missing is not None]
    if len(missing) < len(unshown):
        return "No number of requests would show that it is good enough."
    said = f"Enough evidence to go on takes about {about(max(missing)):,} more requests of the candidate"
    if not evidence.candidate.finished or assessment.watched <= 0.0:
        return f"{said}."
    needed = max(wait, max(missing) * assessment.watched / evidence.candidate.finished)
    left = step.seconds - assessment.watched
    if needed > left:
        return f"{said}: at the present pace it has no answer at its deadline in {_span(left)}."
    return f"{said}, at the present pace {_span(needed)}."


def _span(seconds: float) -> str:
    """To a precision that an estimate has."""
    return f"{max(1.0, seconds):.0f} s" if seconds < 120.0 else f"{seconds / 60.0:.0f} min"
