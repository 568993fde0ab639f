"""What an analysis says: the evidence put together, the decision, the sentence."""

from dataclasses import replace
from typing import TypeVar

from fairway.domain.analysis import sentences
from fairway.domain.analysis.evidence import (
    GREATEST_E_VALUE,
    Assessment,
    Counts,
    Decision,
    Evidence,
    LaneEvidence,
    Promotion,
)
from fairway.domain.analysis.state import AnalysisState

_Shown = TypeVar("_Shown", LaneEvidence, Promotion)


def gather_evidence(analysis: AnalysisState) -> Evidence:
    """What all verdicts rest on."""
    analysis.promotion.bring_up_to_date(analysis.policy)
    t = analysis.tally
    return Evidence(
        e_value=min(analysis.e_value(), GREATEST_E_VALUE),
        threshold=1.0 / analysis.policy.alpha,
        since=analysis.since,
        weight=0.0 if analysis.step.copies else analysis.step.weight,
        candidate=Counts(t.candidate_finished, t.candidate_failed),
        stable=Counts(t.stable_finished, t.stable_failed),
        lanes=tuple([_named(analysis, lane.evidence()) for lane in analysis.lanes]),
        promotion=tuple([_named(analysis, one) for one in analysis.promotion.shown])
        if analysis.paired
        else analysis.promotion.shown,
        budget=analysis.budget.spending() if analysis.budget is not None else None,
        reference="baseline" if analysis.paired else "stable",
    )


def decide(analysis: AnalysisState, evidence: Evidence) -> tuple[Decision, str, str]:
    """Decision, rule and sentence."""
    watched = analysis.before + analysis.watched
    if analysis.verdict is not None:
        lane = next((one for one in evidence.lanes if one.name == analysis.verdict.rule), None)
        if lane is None:
            return "roll-back", analysis.verdict.rule, sentences.by_rule(analysis.verdict, evidence)
        return "roll-back", lane.name, sentences.by_lane(lane, evidence, watched=watched)
    if analysis.obstacle is not None:
        absence, rule = analysis.absence, analysis.obstacle.rule
        if rule == "no-candidate-traffic" and absence.seconds >= analysis.policy.no_data:
            expected = absence.expected(analysis.candidate_share)
            return "inconclusive", rule, sentences.absent(evidence, seconds=absence.seconds, expected=expected)
        return "hold", rule, sentences.hold(analysis.obstacle, evidence)
    rule, sentence = _go_on(analysis, evidence, watched)
    return "continue", rule, sentence


def _go_on(analysis: AnalysisState, evidence: Evidence, watched: float) -> tuple[str, str]:
    """Rule and sentence where nothing speaks against the candidate and nothing stops the clock."""
    silent = analysis.step.weight > 0.0 and analysis.tally.candidate_finished == 0
    if silent or analysis.unmatched:
        say = sentences.no_requests if silent else sentences.no_comparison
        return "no-requests", say(evidence, watched=watched)
    over = 0.0 < analysis.step.bake <= analysis.watched
    if over and analysis.step.weight > 0.0 and not analysis.finished_enough:
        wanted = analysis.policy.min_requests
        return "few-requests", sentences.few_requests(evidence, watched=watched, wanted=wanted)
    warming = analysis.warm_left > 0.0 and not analysis.paired
    return "watching", sentences.watching(evidence, watched=watched, warming=warming)


def _named(analysis: AnalysisState, shown: _Shown) -> _Shown:
    """Margins are those of the policy, in words that name stable; here the baseline stands for it."""
    return replace(shown, margin=shown.margin.replace("stable", "the baseline")) if analysis.paired else shown


def is_still_said(analysis: AnalysisState, last: Assessment, *, at: float, sufficient: bool, good_for: float) -> bool:
    """Nothing happened that would make the last assessment another one, but for counts and e-values."""
    evidence, over = last.evidence, 0.0 < analysis.step.bake <= analysis.watched
    return (
        analysis.verdict is None
        and analysis.obstacle is None
        and last.decision == "continue"
        and last.sufficient == sufficient
        and last.before == analysis.before
        and evidence.since == analysis.since
        and over == (0.0 < analysis.step.bake <= last.watched)
        and 0.0 <= at - (last.said_at or last.at) < good_for
    )


def said_again(last: Assessment, *, watched: float, at: float, said_at: float) -> Assessment:
    """The same at a later moment. Written out, because that is what most readings end with."""
    evidence, rules, metrics = last.evidence, last.rules, last.metrics
    decision, sufficient, rule, sentence = last.decision, last.sufficient, last.rule, last.sentence
    return Assessment(decision, sufficient, rule, sentence, watched, at, evidence, rules, metrics, last.before, said_at)
