"""What was shown for a candidate, and what is missing, in words."""

from fairway.domain.analysis.evidence import Assessment, Promotion
from fairway.domain.analysis.sentences import e_value


def is_shown(evidence: tuple[Promotion, ...]) -> bool:
    """Every test has refuted that the candidate is beyond its margin."""
    return bool(evidence) and all(one.e_value >= one.threshold for one in evidence)


def explain_shown(assessment: Assessment) -> str:
    """Why a step may end before its time."""
    evidence = assessment.evidence
    tests = "; ".join(f"{one.name} {_odds(one)}, {one.margin}" for one in evidence.promotion)
    return (
        f"Good enough to go on after {_watched(assessment):.0f} s at {evidence.weight:g} %: {tests}. "
        f"{assessment.sentence}"
    )


def explain_unshown(assessment: Assessment) -> str:
    """Why a step has no answer at its deadline, and what would give one."""
    evidence = assessment.evidence
    unshown = [one for one in evidence.promotion if one.e_value < one.threshold]
    tests = "; ".join(f"{one.name} {_odds(one)}, {one.margin}" for one in unshown)
    said = f"Inconclusive after {_watched(assessment):.0f} s at {evidence.weight:g} %: "
    said += f"it is not shown that the candidate is good enough ({tests or 'there is nothing to compare with'}). "
    missing = [one.missing for one in unshown]
    if missing and None not in missing:
        other = "the baseline" if evidence.reference == "baseline" else "stable"
        most = about(max(one for one in missing if one is not None))
        said += f"It needs about {most:,} more canary requests if it is as good as {other}: "
        said += "raise the weight, bake longer, or decide yourself. "
    return said + assessment.sentence


def _watched(assessment: Assessment) -> float:
    """Seconds in this step altogether."""
    return assessment.before + assessment.watched


def _odds(one: Promotion) -> str:
    return f"e-value {e_value(one.e_value)} of {one.threshold:g}"


def about(count: int) -> int:
    """A number of requests to two digits: it is an estimate."""
    digits = max(0, len(str(count)) - 2)
    return round(count, -digits)
