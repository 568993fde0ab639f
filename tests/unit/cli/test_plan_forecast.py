"""How `plan` shows what a rollout would find."""

import json
from dataclasses import dataclass
from functools import cache

import pytest

from fairway.cli.forecast import forecast_object, forecast_text, foresee
from fairway.cli.output import seconds
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.errors import UserError
from fairway.domain.rollout.routes import Mirror
from fairway.domain.rollout.strategy import Canary, Rehearsal
from fairway.usecases.predict import Assumptions, Prediction, predict
from fairway.usecases.present_traffic import Measured
from rollout_samples import SERVICE, deployment

CELLS = tuple((1.1**place, 1.1**place * 0.1, 50) for place in range(90, 120))
EARLY_PLAN = deployment(Canary(min_bake=30.0), analysis=AnalysisPolicy(), observe=600.0)


@cache
def low() -> Prediction:
    plan = deployment(Canary(steps=(1.0, 50.0, 100.0), bake=60.0), analysis=AnalysisPolicy(), observe=600.0)
    return predict(plan, Measured(4, 2.0, 5000, 5, ()), Assumptions(), own=(1.0, 50.0))


@cache
def early() -> Prediction:
    return predict(EARLY_PLAN, Measured(800, 2.0, 5000, 5, CELLS), Assumptions())


@cache
def high() -> Prediction:
    plan = deployment(Canary(), analysis=AnalysisPolicy(), observe=600.0)
    return predict(plan, Measured(800, 2.0, 5000, 5, CELLS), Assumptions())


@dataclass
class Project:
    """Only what is asked before anything is live."""

    spec: object = SERVICE


def test_each_step_is_a_column_and_each_fault_a_row():
    lines = forecast_text(high()).splitlines()
    assert lines[0].startswith("What this would find, with 400 requests a second (800 in 2 s); stable failed 0.1 % of")
    assert [lines[2].count(name) for name in ("bake at 10 %", "bake at 50 %", "observe at 100 %")] == [1, 1, 1]
    rows = {line.split("  ")[0]: line for line in lines[3:15]}
    assert "40/s, 12,000" in rows["requests"]
    assert "failed" in rows["all fail"]
    assert "served" in rows["2 times as slow"]
    assert "slowest 2 %: 2 times as slow" in rows
    assert rows["2 times as slow"].endswith("–")
    assert not any(line.startswith("!") for line in lines)


def test_a_step_that_shows_nothing_is_warned_of_and_the_advice_can_be_copied():
    text = forecast_text(low())
    assert "! bake at 1 % shows nothing" in text
    assert "{kind: canary, steps: [" in text
    assert low().ladder is not None
    assert forecast_object(low())["better"] == {"steps": list(low().ladder.weights), "bake": low().ladder.bake}


def test_programs_get_the_same_numbers():
    value = json.loads(json.dumps(forecast_object(high())))
    assert (value["rps"], value["stable_errors"]) == (400.0, 0.001)
    first = value["steps"][0]
    assert (first["name"], first["weight"], first["requests"], first["shows_nothing"]) == (
        "bake at 10 %",
        10.0,
        12_000.0,
        False,
    )
    total = next(one for one in first["faults"] if one["errors"] == 1.0)
    assert total["failed"] == pytest.approx(total["after"] * 40.0, rel=0.01)
    assert next(one for one in value["from_the_start"] if one["errors"] == 1.0)["step"] == "bake at 10 %"
    assert value["better"] is None


def test_where_evidence_ends_a_step_it_is_said_when_and_how_long_the_whole_rollout_then_takes():
    text, value = forecast_text(early()), forecast_object(early())
    row = next(line for line in text.splitlines() if line.startswith("bake at 10 %"))
    moments = value["steps"][0]["promotion"]
    assert moments["not_before"] == 30.0
    assert moments["one_in_ten"] <= moments["half"] <= moments["nine_in_ten"] < 300.0
    assert row.split("  ")[0] == "bake at 10 %"
    assert row.endswith("5 min")
    assert seconds(moments["half"]) in row
    saved = sum(step["seconds"] - step["promotion"]["half"] for step in value["steps"] if step["promotion"])
    assert value["usual_seconds"] == pytest.approx(EARLY_PLAN.seconds - saved)
    assert f"half of all rollouts are over in about {seconds(value['usual_seconds'])}." in text
    assert value["steps"][-1]["promotion"] is None
    # 1.25 times 0.1 percent, and 0.2 points.
    assert value["promotion_margin"] == {"errors": pytest.approx(0.00325), "slower": 1.2}
    assert "so a step may end before it finds them: error ratios up to 0.33 %, latency up to 1.2 times" in text


def test_a_step_that_has_no_answer_at_its_deadline_says_what_is_missing_and_what_is_done_then():
    told = predict(EARLY_PLAN, Measured(4, 2.0, 5000, 5, ()), Assumptions())
    text = forecast_text(told)
    assert told.seconds is None
    assert next(line for line in text.splitlines() if line.startswith("bake at 10 %")).count("no answer") == 3
    said = next(one for one in told.warnings if one.startswith("bake at 10 %: most rollouts have no answer"))
    assert "requests, and 60 come" in said
    assert "Then the run waits for a person (inconclusive: pause)" in said
    assert "Latency has to be shown as well; it is not known here" in text


def test_the_rehearsal_with_copies_is_a_step_of_its_own_and_its_failures_reach_nobody():
    plan = deployment(Canary(rehearsal=Rehearsal(Mirror(30.0), 120.0)), analysis=AnalysisPolicy())
    told = predict(plan, Measured(800, 2.0, 5000, 5, ()), Assumptions())
    text, first = forecast_text(told), forecast_object(told)["steps"][0]
    assert (first["name"], first["weight"], first["copies"]) == ("rehearse with copies of 30 %", 0.0, 30.0)
    assert (first["seconds"], first["requests"]) == (120.0, 14_400.0)
    assert "Copies that fail are seen by nobody." in text
    assert "only requests that only read are copied" in text


def test_without_traffic_it_is_said_what_to_suppose():
    told = Prediction("What could be found depends on the traffic, and nobody came.", hint="suppose some: --rps 20")
    assert forecast_text(told) == (
        "What could be found depends on the traffic, and nobody came.\n  suppose some: --rps 20"
    )
    assert forecast_object(told)["steps"] == []


def test_a_first_deployment_is_not_judged_but_the_next_one_can_be_asked_about():
    first = deployment(Canary(), first=True)
    plain = foresee(Project(), first, None, rps=None, errors=None)
    assert plain.forecast is None
    assert forecast_text(plain).startswith("Nothing is live yet")
    assert "--rps 20" in plain.hint
    asked = foresee(Project(), first, Canary(steps=(25.0, 100.0), bake=60.0), rps=50.0, errors=0.2)
    text = forecast_text(asked)
    assert text.startswith("Nothing is live yet")
    assert "What the next deployment would find, with 50 requests a second, as you suppose; 0.2 %" in text
    assert "bake at 25 %" in text
    assert forecast_object(asked)["of_next_deployment"] is True


@pytest.mark.parametrize(("rps", "errors"), [(0.0, None), (-1.0, None), (None, 100.0), (None, -0.1)])
def test_traffic_that_cannot_be_is_refused(rps, errors):
    with pytest.raises(UserError):
        foresee(Project(), deployment(Canary(), first=True), None, rps=rps, errors=errors)
