"""What a run takes over from earlier ones: evidence about the same artifact, and how instances of stable vary."""

from copy import copy
from dataclasses import replace

import pytest
from engine_world import BEGIN, Controller, Street, begin, drive_until

from fairway.domain.analysis.dispersion import Dispersion
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.codec import to_json
from fairway.domain.rollout.strategy import Canary
from fairway.engine.earlier import LEAST
from rollout_samples import NEW, deployment

CANARY = Canary(steps=(10.0, 100.0), bake=600.0)
POLICY = AnalysisPolicy(warmup=0.0, block=0.5)
SOME_SIGNS = 2.1
"""Seconds after which one failure in twenty shows, but is not proved."""


def abort_after(street: Street, seconds: float) -> float:
    """Drives the run for a while, lets a person abort it, and returns its last e-value."""
    controller = Controller(street, f"{street.id}-only")
    drive_until(controller, lambda: street.share() == 10.0)
    begun = street.clock()
    drive_until(controller, lambda: street.clock() >= begun + seconds)
    street.helm.abort_run(street.id, actor="bob", reason="lunch")
    drive_until(controller, lambda: street.run().outcome is not None)
    assert street.run().outcome == "rolled-back"
    return e_value(street)


def e_value(street: Street) -> float:
    return street.store.load_evidence(street.id)["assessment"]["evidence"]["e_value"]


def again(street: Street, run: str, **changes: object) -> Street:
    """The same plan is started again in the same environment."""
    later = copy(street)
    later.plan, later.id, later._seen = replace(street.plan, **changes), run, None
    begin(later)
    return later


def first_e_value(street: Street) -> float:
    drive_until(Controller(street, f"{street.id}-only"), lambda: street.store.load_evidence(street.id) is not None)
    return street.store.load_evidence(street.id)["analysis"]["carried"]


def test_a_second_try_of_an_artifact_goes_on_with_the_e_value_of_the_first(make):
    street = make(deployment(CANARY, analysis=POLICY), failing={NEW.id: 0.05})
    before = abort_after(street, SOME_SIGNS)
    assert 2.0 < before < 50.0
    second = again(street, "run-second")
    assert first_e_value(second) == before
    assert abort_after(second, 0.2) == pytest.approx(before, rel=0.3)
    third = again(street, "run-third")
    assert first_e_value(third) == e_value(second)


def test_what_was_found_against_stable_does_not_count_beside_a_baseline_and_the_other_way_round(make):
    street = make(deployment(CANARY, analysis=POLICY), failing={NEW.id: 0.05})
    assert abort_after(street, SOME_SIGNS) > 2.0
    plan = deployment(replace(CANARY, baseline=True), analysis=POLICY)
    parts = {name: getattr(plan, name) for name in ("baseline", "forward", "rollback")}
    beside = again(street, "run-beside", **parts)
    assert first_e_value(beside) == 1.0
    before = abort_after(beside, SOME_SIGNS)
    assert before > 1.0
    assert first_e_value(again(street, "run-beside-again", **parts)) == before


def test_a_try_that_ended_before_its_first_request_makes_nothing_forgotten(make):
    street = make(deployment(CANARY, analysis=POLICY), failing={NEW.id: 0.05})
    before = abort_after(street, SOME_SIGNS)
    second = again(street, "run-second")
    second.helm.abort_run(second.id, actor="bob", reason="breakfast")
    drive_until(Controller(second, "run-second-only"), lambda: second.run().outcome is not None)
    assert second.store.load_evidence(second.id) is None
    assert first_e_value(again(street, "run-third")) == before


def test_tries_that_looked_well_do_not_begin_at_one_again_and_not_at_nothing_either(make):
    street = make(deployment(CANARY, analysis=POLICY))
    before = abort_after(street, 30.0)
    assert before < 1.0
    second = again(street, "run-second")
    assert first_e_value(second) == before
    for number in range(7):
        abort_after(second, 55.0)
        second = again(street, f"run-{number}")
    assert first_e_value(second) == LEAST


def test_other_margins_ask_another_question(make):
    street = make(deployment(CANARY, analysis=POLICY), failing={NEW.id: 0.05})
    abort_after(street, SOME_SIGNS)
    assert first_e_value(again(street, "run-second", analysis=replace(POLICY, ratio_margin=3.0))) == 1.0


def test_another_artifact_begins_at_one(make):
    street = make(deployment(CANARY, analysis=POLICY), failing={NEW.id: 0.05})
    abort_after(street, SOME_SIGNS)
    other = replace(NEW, artifact=replace(NEW.artifact, digest="sha256:other"))
    assert first_e_value(again(street, "run-second", candidate=other)) == 1.0


def test_how_the_instances_of_stable_vary_is_known_from_the_rollout_that_made_it_live(make, sqlite):
    street = make(deployment(CANARY, analysis=POLICY))
    known = Dispersion(seconds=900.0, pearson=400.0, freedom=80)
    analysis = {"candidate": street.plan.stable.id, "own_dispersion": to_json(known)}
    sqlite.save_evidence(f"settled-{street.name}", {"analysis": analysis, "at": BEGIN}, epoch=0)
    drive_until(Controller(street, "only"), lambda: sqlite.load_evidence(street.id) is not None)
    taken = sqlite.load_evidence(street.id)["analysis"]["dispersion"]
    assert (taken["seconds"], taken["pearson"], taken["freedom"]) == (900.0, 400.0, 80)
    assert known.factor == pytest.approx(4.3)
