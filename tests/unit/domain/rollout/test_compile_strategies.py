from dataclasses import replace

import pytest

from fairway.domain.analysis.budget import Budget
from fairway.domain.codec import from_json, to_json
from fairway.domain.rollout.compile import compile_deploy, describe, revision_of
from fairway.domain.rollout.plan import Plan
from fairway.domain.rollout.spec import Adapter, HttpCheck, StageChecks
from fairway.domain.rollout.steps import Announce, AwaitReady, RunCommand, Scale, Shift, Watch
from fairway.domain.rollout.strategy import BlueGreen, Canary, Rolling, StepTimes
from rollout_samples import ENVIRONMENT, NEW, OLD, SERVICE, artifact, deployment, returning, revision, scaling

PLAIN = {"stages": {}, "observe": 0.0}


def lines(steps):
    return [f"{planned.stage}: {planned.step.title}" for planned in steps]


def moves(plan):
    """Counts and weights only, in short."""
    shown = []
    for planned in plan.forward:
        match planned.step:
            case Scale(role=role, count=count):
                shown.append(f"{role[0]}{count}")
            case AwaitReady(role=role, count=count):
                shown.append(f"{role[0]}{count}!")
            case Shift(weight=weight):
                shown.append(f"{weight:g}%")
            case Watch(purpose=purpose):
                shown.append(purpose)
    return " ".join(shown)


def test_a_canary_moves_requests_step_by_step_and_keeps_the_old_revision_until_the_observation_has_ended():
    plan = deployment(Canary(steps=(10.0, 50.0, 100.0), bake=300.0), observe=60.0, approvals=2)
    assert lines(plan.forward) == [
        "validate: verify the artifact",
        "migrate: run migrate up",
        "prepare: save configuration and routing",
        "deploy: 2 instances of the candidate",
        "check: candidate ready",
        "check: weight 0 %, reached by its own address only",
        "switch: wait for 2 approvals",
        "switch: weight 10 %",
        "switch: bake at 10 %",
        "switch: weight 50 %",
        "switch: bake at 50 %",
        "switch: weight 100 %",
        "verify: 1 request to the public address",
        "verify: promote",
        "observe: observe at 100 %",
        "observe: retire the stable",
    ]
    assert plan.forward[plan.commit].step == Scale("stable", 0)
    assert plan.strategy == "canary 10 % → 50 % → 100 %"


def test_the_way_back_of_a_canary_moves_requests_first_and_then_puts_everything_as_it_was():
    assert lines(deployment(Canary()).rollback) == [
        "switch: weight 0 %, reached by its own address only",
        "switch: 2 instances of the stable",
        "switch: stable ready",
        "switch: weight 0 %, reached by its own address only",
        "switch: retire the candidate",
    ]


def test_a_baseline_starts_with_the_candidate_and_ends_when_nothing_is_left_to_it():
    plan = deployment(Canary(steps=(10.0, 50.0, 100.0), baseline=True), instances=3, stable_instances=2, **PLAIN)
    assert moves(plan) == "c3 b3 c3! b3! 0% 10% bake 50% bake 100% b0 s0"
    assert plan.baseline == replace(OLD, id=plan.baseline.id)
    assert plan.strategy == "canary 10 % → 50 % → 100 % beside a baseline of the same age"
    assert lines(plan.rollback)[-2:] == ["switch: retire the candidate", "switch: retire the baseline"]
    assert lines(plan.rollback)[0] == "switch: weight 0 %, reached by its own address only"


def test_the_baseline_of_a_revision_has_an_id_of_its_own_however_long_that_of_the_revision():
    names = {}
    for version in ("1.0.0", "2024.09.01-rc.1-" + "x" * 60, "2024.09.01-rc.1-" + "x" * 60 + "y"):
        stable = revision(version)
        environment = replace(ENVIRONMENT, strategy=Canary(baseline=True))
        made = compile_deploy(SERVICE, environment, candidate=NEW, stable=stable, stable_instances=1).baseline
        names[made.id] = stable.id
        assert len(made.id) <= 60
        assert made.id.endswith("-baseline")
    assert len(names) == 3
    assert not names.keys() & names.values()


@pytest.mark.parametrize("strategy", [Rolling(), BlueGreen(), Canary()])
def test_no_other_strategy_has_a_baseline(strategy):
    assert deployment(strategy).baseline is None


def test_a_first_deployment_has_no_baseline():
    plan = deployment(Canary(baseline=True), first=True, **PLAIN)
    assert (plan.baseline, moves(plan)) == (None, "c2 c2! 0% 100%")
    assert lines(plan.rollback) == [
        "switch: weight 0 %, reached by its own address only",
        "switch: retire the candidate",
    ]


def test_a_plan_that_was_stored_before_there_were_baselines_is_read():
    plan = deployment(Canary())
    stored = to_json(plan)
    assert stored.pop("baseline") is None
    assert from_json(Plan, stored) == plan
    beside = deployment(Canary(baseline=True))
    assert from_json(Plan, to_json(beside)) == beside


def test_a_canary_without_observation_commits_with_the_retirement_of_the_old_revision():
    plan = deployment(Canary(), **PLAIN)
    assert moves(plan) == "c2 c2! 0% 10% bake 50% bake 100% s0"
    assert plan.commit == len(plan.forward) - 1
    assert ("observe", "observe is 0 s") not in plan.skipped, "the stage has the retirement in it"


def test_blue_green_switches_at_once_and_keeps_the_old_revision():
    plan = deployment(BlueGreen(keep=1800.0), stages={}, observe=60.0)
    assert moves(plan) == "c2 c2! 0% 100% observe s0"
    assert plan.forward[-2].step == Watch(1800.0, 100.0, "observe")
    assert deployment(BlueGreen(keep=10.0), observe=60.0).forward[-2].step == Watch(60.0, 100.0, "observe")
    assert plan.forward[plan.commit].step == Scale("stable", 0)
    assert plan.rollback[0].step == Shift(0.0)


@pytest.mark.parametrize(
    ("surge", "unavailable", "wanted", "present", "expected"),
    [
        (1, 0, 3, 3, "c1 c1! 0% 25% s2 c2 c2! 50% s1 c3 c3! 100% s0"),
        (0, 1, 3, 3, "s2 c1 c1! 0% 33.33% s1 c2 c2! 100% s0 c3 c3! 100%"),
        (1, 1, 3, 3, "s2 c2 c2! 0% 100% s0 c3 c3! 100%"),
        (3, 0, 3, 3, "c3 c3! 0% 100% s0"),
        (5, 0, 3, 3, "c3 c3! 0% 100% s0"),
        (1, 0, 1, 1, "c1 c1! 0% 100% s0"),
        (1, 0, 2, 5, "s2 c1 c1! 0% 33.33% s1 c2 c2! 100% s0"),
        (1, 0, 4, 1, "c4 c4! 0% 100% s0"),
        (2, 0, 4, 4, "c2 c2! 0% 33.33% s2 c4 c4! 100% s0"),
    ],
)
def test_a_rolling_update_replaces_batch_by_batch(surge, unavailable, wanted, present, expected):
    strategy = Rolling(max_surge=surge, max_unavailable=unavailable, bake=0.0)
    plan = deployment(strategy, instances=wanted, stable_instances=present, **PLAIN)
    assert moves(plan) == expected
    assert plan.commit == len(plan.forward)


def test_a_rolling_update_watches_after_each_batch_and_can_return_until_the_end_of_its_observation():
    plan = deployment(Rolling(bake=5.0), instances=2, stages={}, observe=30.0)
    assert moves(plan) == "c1 c1! 0% 33.33% settle s1 c2 c2! 100% settle s0 observe"
    assert plan.commit == len(plan.forward)


def test_the_way_back_of_a_rolling_update_starts_the_old_instances_before_requests_move():
    assert lines(deployment(Rolling(), instances=3, stable_instances=3).rollback) == [
        "switch: 3 instances of the stable",
        "switch: stable ready",
        "switch: weight 0 %, reached by its own address only",
        "switch: retire the candidate",
    ]


@pytest.mark.parametrize("strategy", [Rolling(), BlueGreen(), Canary()])
def test_a_first_deployment_is_the_same_for_every_strategy_and_commits_with_its_checks(strategy):
    plan = deployment(strategy, first=True)
    assert lines(plan.forward) == [
        "validate: verify the artifact",
        "migrate: run migrate up",
        "prepare: save configuration and routing",
        "deploy: 2 instances of the candidate",
        "check: candidate ready",
        "check: weight 0 %, reached by its own address only",
        "switch: weight 100 %",
        "verify: 1 request to the public address",
        "verify: promote",
    ]
    assert plan.commit == len(plan.forward)
    assert lines(plan.rollback) == [
        "switch: weight 0 %, reached by its own address only",
        "switch: retire the candidate",
    ]
    assert plan.strategy == "first deployment"
    assert ("observe", "first deployment: nothing to go back to") in plan.skipped


def test_the_same_revision_with_another_number_of_instances_is_only_scaled():
    plan = scaling(5)
    assert (plan.kind, plan.candidate, plan.stable) == ("scale", OLD, None)
    assert moves(plan) == "c5 c5! 100%"
    assert plan.rollback[0].step == Scale("candidate", 2)
    assert plan.strategy == "from 2 to 5 instances"
    assert plan.commit == len(plan.forward)


def test_a_rollback_has_the_six_phases_and_commits_when_it_lets_go_of_what_it_came_from():
    plan = returning(rollback_scripts=("down.sql",))
    assert lines(plan.forward) == [
        "validation: verify the artifact",
        "backup: save configuration and routing",
        "database: show the prepared database scripts",
        "application: 2 instances of the candidate",
        "application: candidate ready",
        "application: weight 100 %",
        "verification: 1 request to the public address",
        "verification: settle at 100 %",
        "verification: promote",
        "verification: retire the stable",
        "notification: tell 1 receiver",
    ]
    assert plan.forward[plan.commit].step == Scale("stable", 0)
    assert (plan.kind, plan.candidate, plan.stable, plan.skipped) == ("rollback", NEW, OLD, ())
    assert plan.rollback[0].step == Shift(0.0)


def test_a_rollback_says_which_phases_it_has_nothing_to_do_in():
    assert returning(stages={}).skipped == (("database", "no scripts under rollback.scripts"),)


def test_stages_hold_the_users_own_work_in_its_place_and_with_its_time_limit():
    stages = {
        "validate": StageChecks(commands=("lint",), http=(HttpCheck("/ignored"),), timeout=5.0),
        "migrate": StageChecks(commands=("up one", "up two")),
        "check": StageChecks(commands=("probe",), http=(HttpCheck("/a"), HttpCheck("/b"))),
        "verify": StageChecks(commands=("smoke",)),
    }
    plan = deployment(Canary(), stages=stages)
    assert lines(plan.forward)[:12] == [
        "validate: verify the artifact",
        "validate: run lint",
        "migrate: run up one",
        "migrate: run up two",
        "prepare: save configuration and routing",
        "deploy: 2 instances of the candidate",
        "check: candidate ready",
        "check: weight 0 %, reached by its own address only",
        "check: run probe",
        "check: 2 requests to the preview address",
        "switch: weight 10 %",
        "switch: bake at 10 %",
    ]
    assert plan.forward[1].step == RunCommand("lint", 5.0)
    assert plan.skipped == ()


def test_skipped_stages_say_why():
    assert deployment(Rolling(), **PLAIN).skipped == (
        ("migrate", "no commands under stages.migrate"),
        ("verify", "no commands or requests under stages.verify"),
        ("observe", "observe is 0 s"),
    )


def test_the_same_artifact_and_configuration_have_the_same_revision_and_anything_else_another():
    assert revision("1.1.0") == NEW
    assert revision("1.2.0").id != NEW.id
    changed = compile_deploy(SERVICE, ENVIRONMENT, candidate=NEW, stable=OLD, stable_instances=2)
    assert changed.candidate.id == NEW.id
    odd = revision_of(SERVICE, ENVIRONMENT, artifact("V2.0_RC+É" + "x" * 80)).id
    assert odd.startswith("v2.0-rc--")
    assert len(odd) <= 60
    assert set(odd) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")


def test_a_rollback_returns_requests_first_whatever_the_strategy_because_the_live_revision_keeps_its_instances():
    for strategy in (Rolling(), BlueGreen(), Canary()):
        assert returning(strategy=strategy).rollback[0].step == Shift(0.0)


def test_receivers_are_told_only_where_there_are_some():
    assert any(isinstance(planned.step, Announce) for planned in returning().forward)
    assert deployment(Canary()).notify == (Adapter("webhook"),)
    assert describe(ENVIRONMENT) == "rolling, at most 1 above and 0 below 2"


def test_each_step_of_a_canary_is_watched_for_its_own_times():
    own = (StepTimes(1.0, 600.0, 60.0), StepTimes(50.0, 30.0, None))
    plan = deployment(Canary(steps=(1.0, 10.0, 50.0, 100.0), bake=300.0, min_bake=45.0, own=own))
    bakes = [planned for planned in plan.forward if isinstance(planned.step, Watch) and planned.step.purpose == "bake"]
    assert [(one.step.weight, one.step.seconds, one.step.least, one.seconds) for one in bakes] == [
        (1.0, 600.0, 60.0, 600.0),
        (10.0, 300.0, 45.0, 300.0),
        (50.0, 30.0, None, 30.0),
    ]
    assert bakes[0].step.title == "bake at 1 % until it is shown to be good"
    assert bakes[2].step.title == "bake at 50 %"


def test_no_other_watch_ends_on_evidence():
    plan = deployment(Canary(min_bake=1.0))
    others = [one.step for one in plan.forward if isinstance(one.step, Watch) and one.step.purpose != "bake"]
    assert others
    assert all(step.least is None for step in others)


def test_the_budget_is_part_of_the_plan_of_a_deployment_only():
    assert deployment(Rolling(), budget=Budget(7)).budget == Budget(7)
    assert deployment(Canary()).budget is None
    assert returning(budget=Budget(7)).budget is None
