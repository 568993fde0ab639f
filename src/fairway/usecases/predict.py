"""What a rollout could find, with the traffic there is or is supposed: the plan's steps, and a forecast."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import floor, log10

from fairway.domain.analysis.planning.forecast import Forecast, StepForecast, forecast
from fairway.domain.analysis.planning.ladder import Ladder, better_ladder, moderate
from fairway.domain.analysis.planning.premises import Fault, Stretch, Traffic
from fairway.domain.rollout.compile import compile_deploy
from fairway.domain.rollout.plan import Plan
from fairway.domain.rollout.spec import EnvironmentSpec, ServiceSpec
from fairway.domain.rollout.steps import Copy, Scale, Watch
from fairway.domain.rollout.strategy import Canary
from fairway.domain.rollout.watching import MOST_EXTENSIONS
from fairway.usecases.present_traffic import Measured

USUAL_ERRORS = 0.001
"""Stable's error ratio where nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the user says of the traffic.

    Attributes:
        rps: requests a second; None: as measured.
        errors: stable's error ratio, as a fraction of 1; None: as measured.
    """

    rps: float | None = None
    errors: float | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """What is told about a plan.

    Attributes:
        basis: a sentence: which traffic was supposed, and where that comes from.
        forecast: None where nothing can be said; `basis` then says why.
        hint: what to do about that; empty where there is nothing to be done.
        warnings: sentences.
        aim: the fault that the ladder is meant for; None where no other ladder is needed.
        ladder: a better one; None where none is needed or there is none.
        next_one: this is about the deployment after the plan's, which is not judged itself.
        seconds: how long a rollout of a candidate that is in order usually takes; None where that is not known, or
            where it usually has no answer in some step.
    """

    basis: str
    forecast: Forecast | None = None
    hint: str = ""
    warnings: tuple[str, ...] = ()
    aim: Fault | None = None
    ladder: Ladder | None = None
    next_one: bool = False
    seconds: float | None = None


def predict(plan: Plan, measured: Measured | str, assumed: Assumptions, *, own: tuple[float, ...] = ()) -> Prediction:
    """What the plan's analysis would find.

    Args:
        plan: with a revision that is live already.
        measured: the present traffic, or why it is not known.
        assumed: what the user says in its place.
        own: the weights below 100 that the user chose.
    """
    stretches = tuple(stretches_of(plan))
    if not stretches:
        return Prediction("No step of this plan is watched, so nothing can be found.")
    if assumed.rps is None:
        reason = measured if isinstance(measured, str) else ""
        if not reason and isinstance(measured, Measured) and not measured.requests:
            reason = f"no request came within {measured.seconds:.0f} s"
        if reason:
            hint = "suppose some: --rps 20, and --errors 0.1 for the percentage of requests that fail on stable"
            return Prediction(f"What could be found depends on the traffic, and {reason}.", hint=hint)
    traffic, basis = _suppose(measured, assumed)
    told = forecast(plan.analysis, traffic, stretches)
    aim = moderate(told.limit)
    compares = not all(stretch.alone for stretch in stretches)
    enough = (
        not told.blind
        and not told.scarce
        and told.least_errors is not None
        and told.least_errors <= (aim.errors or 0.0)
    )
    warnings = (*_warnings(told, compares=compares, enough=enough), *_of_plan(told, plan))
    prediction = Prediction(basis, told, warnings=warnings, seconds=_usual_seconds(plan, told))
    if enough or not compares:
        return prediction
    ladder = better_ladder(plan.analysis, traffic, aim, own, baseline=plan.baseline is not None)
    return replace(prediction, aim=aim, ladder=ladder)


def stretches_of(plan: Plan) -> Iterator[Stretch]:
    """The stretches of a plan that are watched."""
    count, scaled_up, copies = 0, False, 0.0
    for planned in plan.forward:
        match planned.step:
            case Scale(role="candidate", count=wanted):
                scaled_up, count = scaled_up or wanted > count, wanted
            case Copy(mirror=mirror):
                copies = mirror.share
            case Watch(seconds=seconds, weight=weight, purpose=purpose, least=least) if seconds > 0.0:
                rehearsed = copies if purpose == "rehearse" else 0.0
                if weight > 0.0 or rehearsed:
                    beside = plan.baseline is not None and (weight < 100.0)
                    yield Stretch(weight, seconds, purpose, scaled_up, rehearsed, least, beside)
                    scaled_up = False


def _usual_seconds(plan: Plan, told: Forecast) -> float | None:
    """How long the way there takes with a candidate that is in order, half of the time."""
    saved = 0.0
    for step in told.steps:
        if step.ending is not None:
            if step.ending.usual is None:
                return None
            saved += step.stretch.seconds - step.ending.usual
    return plan.seconds - saved


def next_plan(service: ServiceSpec, environment: EnvironmentSpec, first: Plan) -> Plan:
    """What the deployment after a first one would do: the same strategy, with something to compare with."""
    live = replace(first.candidate, id=f"{first.candidate.id}-before")
    return compile_deploy(
        service, environment, candidate=first.candidate, stable=live, stable_instances=environment.instances
    )


def own_weights(environment: EnvironmentSpec) -> tuple[float, ...]:
    """The weights below 100 percent of a canary; none of other strategies."""
    strategy = environment.strategy
    return tuple(one for one in strategy.steps if one < 100.0) if isinstance(strategy, Canary) else ()


def _suppose(measured: Measured | str, assumed: Assumptions) -> tuple[Traffic, str]:
    """The traffic, and where it comes from."""
    seen = measured if isinstance(measured, Measured) else None
    if assumed.rps is not None:
        rps, words = assumed.rps, f"{assumed.rps:g} requests a second, as you suppose"
    elif seen is not None:
        rps = seen.requests / seen.seconds
        words = f"{rps:.3g} requests a second ({seen.requests:,} in {_time(seen.seconds)})"
    else:
        rps, words = 0.0, "no requests"
    if assumed.errors is not None:
        errors, how = assumed.errors, f"{assumed.errors * 100:.3g} % of which fail on stable, as you suppose"
    elif seen is not None and seen.finished:
        errors = seen.failed / seen.finished
        how = f"stable failed {errors * 100:.2g} % of the {seen.finished:,} counted so far"
    else:
        errors, how = USUAL_ERRORS, f"{USUAL_ERRORS * 100:g} % of which are supposed to fail on stable"
    return Traffic(rps, errors, seen.latency if seen is not None else ()), f"{words}; {how}"


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120.0 else f"the last {seconds / 60.0:,.0f} minutes"


def place(stretch: Stretch) -> str:
    """What a stretch is called."""
    if stretch.copies:
        return f"{stretch.purpose} with copies of {stretch.copies:g} %"
    return f"{stretch.purpose} at {stretch.weight:g} %"


def _warnings(told: Forecast, *, compares: bool, enough: bool) -> Iterator[str]:
    if not compares:
        yield "no step compares the candidate with stable: a fault shows when the candidate has all requests"
    for step in told.blind:
        where = place(step.stretch)
        few = f"about {step.requests:.3g} requests, too few to be sure of finding even a total failure"
        yield f"{where} shows nothing: {few}"
    if compares and not enough and not told.blind and not told.scarce:
        yield "the steps before 100 % find gross faults only"


_THEN = {
    "pause": "the run waits for a person",
    "extend": f"it is watched anew, {MOST_EXTENSIONS} times at most, and the run waits for a person",
    "promote": "it goes on all the same",
    "rollback": "it goes back",
}
"""What is done without an answer, by policy."""


def _unanswered(step: StepForecast) -> str:
    """What is said of a step that may have no answer at its deadline; empty if it has one."""
    told = step.ending
    if told is None or told.unlucky is not None:
        return ""
    few = "most rollouts have" if told.usual is None else "more than one rollout in ten has"
    said = f"{place(step.stretch)}: {few} no answer at its deadline even if the candidate is as good as stable; "
    if told.requests is None:
        said += "no number of requests would show it"
    elif told.usual is None:
        said += f"to show it takes about {_about(told.requests)} requests, and {_about(step.requests)} come"
    else:
        said += f"to show it takes about {_about(told.requests)} of the {_about(step.requests)} requests that come"
    return said


def _about(count: float) -> str:
    """To two digits: it is an estimate."""
    return f"{round(count, 1 - floor(log10(count))):,.0f}" if count >= 10.0 else f"{count:.2g}"


def _of_plan(told: Forecast, plan: Plan) -> Iterator[str]:
    """What the plan holds that the forecast cannot know of."""
    then = f"Then {_THEN[plan.analysis.inconclusive]} (inconclusive: {plan.analysis.inconclusive})"
    for step in told.steps:
        if unanswered := _unanswered(step):
            yield f"{unanswered}. {then}"
        if step.scarce and not step.blind:
            few = f"{_about(step.requests)} requests come, and min_requests asks for {plan.analysis.min_requests:,}"
            yield f"{place(step.stretch)} has no answer at its end: about {few}. {then}"
    if any(step.ending for step in told.steps) and any(metric.judged for metric in plan.analysis.metrics.metrics):
        yield "your own metrics must be shown to be good as well before a step ends early, which takes longer than said"
    if any(isinstance(one.step, Copy) and not one.step.mirror.unsafe for one in plan.forward):
        yield "only requests that only read are copied: the rehearsal sees fewer than said where others come as well"
    if plan.sticky is not None:
        yield "users are kept on one revision, so failures come in clusters, and all of this holds only roughly"
    if plan.budget is None:
        return
    limit = plan.budget.failed_requests
    if any(found is not None and found.failed > limit / 2.0 for step in told.steps for found in step.found):
        yield (
            f"the budget of {limit:,} failed requests comes before the evidence where more than {limit / 2.0:g} fail: "
            f"the weight stays from there on, and at {limit:,} the candidate is taken back"
        )
