"""A budget of failed requests: counted whatever happens, frozen at half, taken back when it is spent."""

import pytest
from engine_world import Controller, approve, drive_until, facts, live_through
from scripts import WIDE

from fairway.domain.analysis.budget import Budget
from fairway.domain.rollout.events import Held, Released, RollbackStarted
from fairway.domain.rollout.strategy import BlueGreen, Canary
from fairway.engine.judge import READ_EVERY
from rollout_samples import deployment, returning

CANARY = Canary(steps=(10.0, 50.0, 100.0), bake=6.0)


def budgeted(make, limit, strategy=CANARY, **world):
    return make(deployment(strategy, analysis=WIDE, budget=Budget(limit)), **world)


def spending(street):
    return street.store.load_evidence(street.id)["assessment"]["evidence"]["budget"]


def some_fail(street, count):
    """So many requests fail on the candidate, and stable answers them."""
    candidate, stable = street.plan.candidate.id, street.plan.stable.id
    street.router.count(candidate, finished=count, failed=count)
    street.router.count(stable, finished=count, retried=count)


def at_ten(make, limit, **world):
    street = budgeted(make, limit, **world)
    controller = Controller(street, "only")
    drive_until(controller, lambda: street.share() == 10.0)
    return street, controller


def test_a_spent_budget_takes_the_candidate_back_at_the_next_reading(make):
    street, controller = at_ten(make, 50, rate=4_000.0)
    begun = street.clock()
    drive_until(controller, lambda: street.clock() >= begun + 2.0)
    some_fail(street, 50)
    spent = street.clock()
    drive_until(controller, lambda: street.share() == 0.0)
    assert street.clock() - spent <= 2 * READ_EVERY
    controller.drive(approve)
    run = street.run()
    assert (run.outcome, run.failure.rule, run.verdict) == ("rolled-back", "budget", "failed")
    assert "the budget is spent: 50 requests failed on the candidate, 50 may" in run.failure.reason
    assert facts(street, RollbackStarted)[0].rule == "budget"


def test_one_failure_less_takes_nothing_back(make):
    street, controller = at_ten(make, 50, rate=4_000.0)
    some_fail(street, 49)
    waited = street.clock() + 20.0
    drive_until(controller, lambda: street.clock() >= waited)
    assert (street.share(), street.run().track) == (10.0, "forward")
    assert spending(street) == {"type": "Spending", "failed": 49, "limit": 50}


def test_at_half_the_weight_is_frozen_and_people_are_told_once(make):
    street, controller = at_ten(make, 50, rate=4_000.0)
    some_fail(street, 25)
    frozen = street.clock()
    drive_until(controller, lambda: street.clock() >= frozen + 30.0)
    run = street.run()
    assert (run.phase, run.held, street.share()) == ("held", "budget", 10.0)
    assert "the weight stays at 10 % until a person promotes or aborts" in run.held_reason
    assert [event.rule for event in facts(street, Held)] == ["budget"]
    controller.deliver()
    assert list(street.notifier.received.values()).count("frozen") == 1


def test_below_half_nothing_is_frozen(make):
    street, controller = at_ten(make, 50, rate=4_000.0)
    some_fail(street, 24)
    drive_until(controller, lambda: street.share() == 50.0, seconds=10.0)
    assert facts(street, Held) == []


def test_a_person_may_go_on_step_by_step_with_half_of_the_budget_spent(make):
    street, controller = at_ten(make, 50, rate=4_000.0)
    some_fail(street, 25)
    drive_until(controller, lambda: street.run().held == "budget")
    street.helm.promote_run(street.id, actor="bob")
    drive_until(controller, lambda: street.share() == 50.0, seconds=2.0)
    drive_until(controller, lambda: street.run().held == "budget")
    assert "the weight stays at 50 %" in street.run().held_reason
    street.helm.promote_run(street.id, actor="bob")
    controller.drive(approve)
    assert street.run().outcome == "completed"


def test_a_person_may_abort_a_frozen_run(make):
    street, controller = at_ten(make, 50)
    some_fail(street, 25)
    drive_until(controller, lambda: street.run().held == "budget")
    street.helm.abort_run(street.id, actor="bob", reason="enough")
    controller.drive(approve)
    assert (street.run().outcome, street.run().failure.cause) == ("rolled-back", "aborted")


def test_all_steps_together_spend_one_budget(make):
    street, controller = at_ten(make, 50, rate=4_000.0)
    some_fail(street, 20)
    drive_until(controller, lambda: street.share() == 50.0)
    some_fail(street, 30)
    controller.drive(approve)
    assert street.run().failure.rule == "budget"


def test_the_budget_counts_while_a_person_has_paused(make):
    street, controller = at_ten(make, 50, rate=4_000.0)
    street.helm.pause_run(street.id, actor="bob", reason="lunch")
    drive_until(controller, lambda: street.run().paused is not None)
    some_fail(street, 50)
    controller.drive(approve)
    assert street.run().failure.rule == "budget"


def test_the_budget_counts_while_the_candidate_gets_nothing_else(make):
    street, controller = at_ten(make, 10, rate=0.0)
    some_fail(street, 10)
    controller.drive(approve)
    assert street.run().failure.rule == "budget"


def test_what_failed_while_no_controller_lived_is_counted_by_the_next_one(make):
    street, first = at_ten(make, 50, rate=4_000.0)
    some_fail(street, 20)
    begun = street.clock()
    drive_until(first, lambda: street.clock() >= begun + 1.5)
    some_fail(street, 30)
    street.pass_time(9.0)
    Controller(street, "second").drive(approve)
    assert street.run().failure.rule == "budget"


def test_a_proxy_that_starts_again_gives_no_budget_back(make):
    street, controller = at_ten(make, 50, rate=4_000.0)
    some_fail(street, 20)
    drive_until(controller, lambda: spending(street)["failed"] == 20)
    street.router.restart()
    some_fail(street, 10)
    drive_until(controller, lambda: spending(street)["failed"] == 30)
    some_fail(street, 20)
    controller.drive(approve)
    assert street.run().failure.rule == "budget"


def test_what_fails_in_an_incident_that_hits_stable_alike_is_not_spent(make):
    street, controller = at_ten(make, 2_000, rate=4_000.0)
    street.failing.update({street.plan.candidate.id: 0.5, street.plan.stable.id: 0.5})
    drive_until(controller, lambda: street.run().held == "shared-incident")
    before = spending(street)["failed"]
    since = street.clock()
    drive_until(controller, lambda: street.clock() >= since + 5.0)
    assert spending(street)["failed"] <= before + 250
    street.failing.clear()
    drive_until(controller, lambda: facts(street, Released) != [])
    controller.drive(approve)
    assert street.run().outcome == "completed"


def test_at_full_weight_there_is_nothing_to_freeze(make):
    strategy = BlueGreen(keep=8.0)
    street = budgeted(make, 1000, strategy)
    controller = Controller(street, "only")
    drive_until(controller, lambda: street.share() == 100.0)
    some_fail(street, 5)
    controller.drive(approve)
    assert street.run().outcome == "completed"
    assert facts(street, Held) == []


@pytest.mark.parametrize("failed", [5, 9])
def test_at_full_weight_a_spent_budget_leads_back(failed, make):
    street = budgeted(make, failed, BlueGreen(keep=8.0), rate=4_000.0)
    controller = Controller(street, "only")
    drive_until(controller, lambda: street.share() == 100.0)
    some_fail(street, failed)
    controller.drive(approve)
    assert (street.run().outcome, street.run().failure.rule) == ("rolled-back", "budget")


def test_a_way_back_has_no_budget():
    assert returning(budget=Budget(1)).budget is None


def test_a_run_without_a_budget_shows_none(make):
    street = make()
    assert live_through(street).outcome == "completed"
    assert spending(street) is None
