"""What a rollout could find, as `fairway plan` shows it."""

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from fairway.cli.output import note, seconds, table
from fairway.config.durations import format_duration
from fairway.domain.analysis.planning.course import Detection
from fairway.domain.analysis.planning.forecast import Forecast
from fairway.domain.analysis.planning.ladder import Ladder
from fairway.domain.analysis.planning.premises import Fault
from fairway.domain.analysis.planning.promotion import Ending
from fairway.domain.errors import UserError
from fairway.domain.rollout.plan import Plan
from fairway.domain.rollout.strategy import Strategy
from fairway.usecases.deploy import find_environment
from fairway.usecases.predict import (
    Assumptions,
    Prediction,
    next_plan,
    own_weights,
    place,
    predict,
    stretches_of,
)
from fairway.usecases.present_traffic import counted_before, measure

MOST_RPS = 1e9
NOTHING_LIVE = "Nothing is live yet: there is no traffic to divide and no stable to compare with, so nothing is judged."
NEXT_ONE = "what the next deployment would find: suppose its traffic with --rps 20 and, in percent, --errors 0.1"

if TYPE_CHECKING:
    from fairway.bootstrap import Project


def foresee(
    project: "Project", plan: Plan, strategy: Strategy | None, *, rps: float | None, errors: float | None
) -> Prediction:
    """What the plan would find, with the traffic that there is or is supposed.

    Args:
        project: the service.
        plan: what the deployment would do.
        strategy: in place of the environment's own.
        rps: requests a second; None: as counted now.
        errors: percentage that fails on stable; None: as counted.

    Raises:
        UserError: what is supposed cannot be.
    """
    from fairway import bootstrap

    assumed = _assume(rps, errors)
    environment = find_environment(project.spec, plan.environment)
    if strategy is not None:
        environment = replace(environment, strategy=strategy)
    if plan.stable is None:
        if plan.kind != "deploy" or rps is None:
            return Prediction(NOTHING_LIVE, hint=NEXT_ONE if plan.kind == "deploy" else "")
        following = next_plan(project.spec, environment, plan)
        return replace(predict(following, NOTHING_LIVE, assumed, own=own_weights(environment)), next_one=True)
    if not any(stretches_of(plan)):
        return predict(plan, "", assumed)
    if rps is None and sys.stderr.isatty():
        note("fairway: counting requests for some seconds")
    router, store = project.router_of(plan.service, plan.environment, plan.router), project.store
    by = store.environment(plan.service, plan.environment).by
    before = counted_before(store.load_evidence(by) if by is not None else None, plan.stable.id)
    measured = measure(router, plan.stable.id, bootstrap.pause, before=before, at_once=rps is not None)
    return predict(plan, measured, assumed, own=own_weights(environment))


def _assume(rps: float | None, errors: float | None) -> Assumptions:
    if rps is not None and not 0.0 < rps <= MOST_RPS:
        raise UserError("rps", f"--rps {rps:g} is not a rate of requests", "requests a second, above 0")
    if errors is not None and not 0.0 <= errors < 100.0:
        raise UserError("errors", f"--errors {errors:g} is not a percentage", "0 or more, below 100")
    return Assumptions(rps, None if errors is None else errors / 100.0)


def forecast_text(prediction: Prediction) -> str:
    """The forecast for people."""
    told = prediction.forecast
    if told is None:
        return "\n".join([prediction.basis, *([f"  {prediction.hint}"] if prediction.hint else [])])
    what = f"{NOTHING_LIVE}\n\nWhat the next deployment" if prediction.next_one else "What this"
    lines = [f"{what} would find, with {prediction.basis}:", "", *_tables(told), *_endings(told, prediction.seconds)]
    lines += [f"! {one}" for one in prediction.warnings]
    if prediction.aim is not None:
        lines.append(_advice(prediction.aim, prediction.ladder))
    return "\n".join(lines)


def forecast_object(prediction: Prediction) -> dict[str, object]:
    """The forecast for programs: ratios as fractions of 1, times in seconds, null where nothing is found."""
    told, ladder = prediction.forecast, prediction.ladder
    value: dict[str, object] = {
        "basis": prediction.basis,
        "hint": prediction.hint,
        "of_next_deployment": prediction.next_one,
    }
    if told is None:
        return value | {"steps": []}
    return value | {
        "rps": told.traffic.rps,
        "stable_errors": told.traffic.errors,
        "margin_errors": told.limit,
        "usual_seconds": prediction.seconds,
        "promotion_margin": None
        if told.good_enough is None
        else dict(zip(("errors", "slower"), told.good_enough, strict=True)),
        "steps": [
            {
                "name": place(step.stretch),
                "weight": step.stretch.weight,
                "copies": step.stretch.copies,
                "seconds": step.stretch.seconds,
                "rps": step.rps,
                "requests": step.requests,
                "shows_nothing": step.blind,
                "too_few_requests": step.scarce,
                "promotion": None if step.ending is None else _ending_object(step.ending),
                "faults": [
                    _fault_object(fault) | _found_object(found)
                    for fault, found in zip(told.faults, step.found, strict=True)
                ],
            }
            for step in told.steps
        ],
        "from_the_start": [
            _fault_object(fault)
            | _found_object(found)
            | {"step": None if found is None else place(told.steps[found.stretch].stretch)}
            for fault, found in zip(told.faults, told.whole, strict=True)
        ],
        "least_errors": told.least_errors,
        "least_slower": told.least_slower,
        "warnings": list(prediction.warnings),
        "better": None if ladder is None else {"steps": list(ladder.weights), "bake": ladder.bake},
    }


def _tables(told: Forecast) -> list[str]:
    """One column for each step, one row for each fault."""
    stretches = [step.stretch for step in told.steps]
    rows = [
        ["for", *(seconds(stretch.seconds) for stretch in stretches)],
        ["requests", *(f"{_number(step.rps)}/s, {_number(step.requests)}" for step in told.steps)],
    ]
    for index, fault in enumerate(told.faults):
        rows.append([_fault(fault), *(_cell(fault, step.found[index]) for step in told.steps)])
    return [
        table(["FAULT BEGINS WITH", *(place(stretch) for stretch in stretches)], rows),
        "",
        "Half of all rollouts go back so soon, with so many requests failed on or served by the candidate.",
        "–: most do not go back within that step.",
        *(["Copies that fail are seen by nobody."] if any(stretch.copies for stretch in stretches) else []),
        *_whole(told),
    ]


def _endings(told: Forecast, usual: float | None) -> list[str]:
    """When steps end whose end is decided by evidence."""
    steps = [(step, step.ending) for step in told.steps if step.ending is not None]
    if not steps:
        return []
    rows = [
        [place(step.stretch), *(seconds(one) or "no answer" for one in _moments(end)), seconds(step.stretch.seconds)]
        for step, end in steps
    ]
    lines = [
        "",
        "When a candidate that is as good as stable may go on, for the evidence is there:",
        table(["STEP", "NOT BEFORE", "1 IN 10 BY", "HALF BY", "9 IN 10 BY", "DEADLINE"], rows),
    ]
    if not all(end.latency_known for _, end in steps):
        lines.append("Latency has to be shown as well; it is not known here and may take longer.")
    if told.good_enough is not None:
        errors, slower = told.good_enough
        within = f"error ratios up to {_percent(errors)}, latency up to {slower:g} times stable's"
        lines.append(f"Within the promotion margin, so a step may end before it finds them: {within}.")
    if usual is not None:
        lines.append(f"With such a candidate half of all rollouts are over in about {seconds(usual)}.")
    return [*lines, ""]


def _moments(end: Ending) -> tuple[float | None, ...]:
    return end.least, end.lucky, end.usual, end.unlucky


def _whole(told: Forecast) -> list[str]:
    unseen = [_fault(f) for f, found in zip(told.faults, told.whole, strict=True) if found is None]
    lines = []
    if unseen:
        lines.append(f"Most rollouts would never find: {', '.join(unseen)}.")
    least = [] if told.least_errors is None else [f"error ratios from {_percent(told.least_errors)}"]
    least += [] if told.least_slower is None else [f"{told.least_slower:.3g} times as slow"]
    if least:
        lines.append(f"Found by nine of ten rollouts before the candidate gets all requests: {', '.join(least)}.")
    within = [f"error ratios up to {_percent(told.limit)}"]
    if told.slack is not None:
        within.append(f"latency up to {told.slack[0] * 100:g} % or {told.slack[1] * 1000:g} ms more")
    lines.append(f"Within the margin, so no fault: {', '.join(within)}.")
    return lines


def _advice(aim: Fault, ladder: Ladder | None) -> str:
    goal = f"an error ratio of {_percent(aim.errors or 0.0)}"
    if ladder is None:
        return f"  No ladder with bakes of at most a day finds {goal} with this traffic; send it requests of your own."
    weights = ", ".join(f"{weight:g}" for weight in ladder.weights)
    better = f"{{kind: canary, steps: [{weights}], bake: {format_duration(ladder.bake)}}}"
    return f"  {better} shows something at each step,\n  and finds {goal} in nine of ten rollouts."


def _cell(fault: Fault, found: Detection | None) -> str:
    if found is None:
        return "–"
    count = f"{_number(found.served)} served" if fault.errors is None else f"{_number(found.failed)} failed"
    return f"{seconds(found.seconds)}, {count}"


def _fault(fault: Fault) -> str:
    if fault.slowest < 1.0:
        return f"slowest {fault.slowest * 100:g} %: {fault.slower:g} times as slow"
    if fault.errors is None:
        return f"{fault.slower:g} times as slow"
    return "all fail" if fault.errors == 1.0 else f"{_percent(fault.errors)} fail"


def _fault_object(fault: Fault) -> dict[str, object]:
    return {"errors": fault.errors, "slower": fault.slower, "slowest": fault.slowest}


def _ending_object(end: Ending) -> dict[str, object]:
    moments = dict(zip(("not_before", "one_in_ten", "half", "nine_in_ten"), _moments(end), strict=True))
    return moments | {"requests": end.requests, "slowest": end.slowest, "latency_known": end.latency_known}


def _found_object(found: Detection | None) -> dict[str, object]:
    if found is None:
        return {"after": None, "failed": None, "served": None}
    return {"after": round(found.seconds, 2), "failed": round(found.failed, 1), "served": round(found.served, 1)}


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10.0 else f"{value:.2g}"


def _percent(ratio: float) -> str:
    return f"{ratio * 100:.2g} %"
