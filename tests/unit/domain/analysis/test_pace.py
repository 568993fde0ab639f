"""How often a candidate is looked at: quiet ones of many less often, all others at full pace."""

from dataclasses import replace

import pytest
from simulated_rollout import TICK, World, instance

from fairway.domain.analysis.analysis import Analysis
from fairway.domain.analysis.budget import BudgetWatch
from fairway.domain.analysis.pace import FRESH, OFTEN, SELDOM, interval, is_suspected
from fairway.domain.analysis.policy import AnalysisPolicy

POLICY = AnalysisPolicy(warmup=0.0)
BAKE = 300.0


class Street(World):
    """With what the router says of the candidate's instances besides."""

    unhealthy = False
    abandoned = 0

    def snapshot(self):
        seen = super().snapshot()
        mine, *others = seen.revisions
        instances = tuple(replace(one, healthy=not self.unhealthy) for one in mine.instances)
        return replace(seen, revisions=(replace(mine, instances=instances, abandoned=self.abandoned), *others))


def pace(world, rollouts=1000):
    return interval(world.analysis, at=world.now, rollouts=rollouts, suspected=is_suspected(world.analysis))


def quiet(rps=100, weight=20.0, seconds=FRESH + 2.0, **world):
    """A rollout whose step began a while ago and in which nothing fails."""
    street = Street(policy=POLICY, **world).enter(weight, bake=BAKE)
    street.run(seconds, rps=rps)
    return street


def test_quiet_ones_share_a_thousand_readings_a_second_and_each_has_one_at_least():
    street = quiet()
    paces = {rollouts: pace(street, rollouts) for rollouts in (1, 100, 250, 251, 400, 500, 1000, 5000)}
    assert paces.pop(251) == pytest.approx(0.251)
    assert paces == {1: 0.25, 100: 0.25, 250: 0.25, 400: 0.4, 500: 0.5, 1000: 1.0, 5000: 1.0}


def test_one_failure_brings_the_full_pace_until_the_next_reading_without_one():
    street = quiet(rps=1000)
    street.candidate_counts[0] += 1
    street.candidate_counts[1] += 1
    street.tick(rps=1000)
    assert pace(street) == OFTEN
    street.tick(rps=1000)
    assert pace(street) == SELDOM


def test_with_few_requests_one_failure_keeps_the_full_pace_for_two_seconds():
    street = quiet(rps=40)
    street.candidate_counts[0] += 1
    street.candidate_counts[1] += 1
    paces = []
    for _ in range(12):
        street.tick(rps=40)
        paces.append(pace(street))
    assert paces[:8] == [OFTEN] * 8
    assert paces[-1] == SELDOM


def test_the_first_seconds_after_each_change_of_weight_have_the_full_pace():
    street = quiet(seconds=FRESH - TICK)
    assert pace(street) == OFTEN
    street.tick(rps=100)
    assert pace(street) == SELDOM
    street.enter(50.0, bake=BAKE)
    for _ in range(round(FRESH / TICK) - 1):
        street.tick(rps=100)
        assert pace(street) == OFTEN


def fall_silent(street):
    street.stable_counts[0] += 5 * 4
    return {}


def eject(street):
    street.ejected = ("c-1",)
    return {"rps": 100}


def eject_while_stable_fails(street):
    street.run(2.0, rps=100, stable=1.0)
    return eject(street)


def lose_health(street):
    street.unhealthy = True
    return {"rps": 100}


def lose_readiness(street):
    street.health = (instance(ready=False),)
    return {"rps": 100}


def lose_patience(street):
    street.abandoned += 1
    return {"rps": 100}


def hide(street):
    return {"rps": 100, "readable": False}


def begin_again(street):
    street.origin = "second"
    return {"rps": 100}


def fail_with_stable(street):
    street.run(2.0, rps=100, candidate=0.5, stable=0.5)
    return {"rps": 100, "candidate": 0.0, "stable": 0.5}


SIGNS = [
    fall_silent,
    eject,
    eject_while_stable_fails,
    lose_health,
    lose_readiness,
    lose_patience,
    hide,
    begin_again,
    fail_with_stable,
]


@pytest.mark.parametrize("sign", SIGNS, ids=lambda one: one.__name__)
def test_every_sign_of_trouble_brings_the_full_pace(sign):
    street = quiet()
    assert pace(street) == SELDOM
    street.tick(**sign(street))
    assert pace(street) == OFTEN


def test_evidence_against_the_candidate_keeps_the_full_pace_while_nothing_fails():
    street = quiet()
    street.analysis.lanes[1].capital.stakes[0] += 40.0
    street.analysis.lanes[1].capital.worth = None
    street.tick(rps=100)
    assert street.analysis.e_value() > 1.0
    assert pace(street) == OFTEN


def test_a_budget_of_failed_requests_keeps_the_full_pace():
    street = quiet()
    street.analysis.budget = BudgetWatch(50)
    assert pace(street) == OFTEN


def test_few_requests_are_no_missing_ones():
    street = quiet(rps=1, weight=10.0, seconds=60.0)
    paces = []
    for _ in range(40):
        street.tick(rps=1)
        paces.append(pace(street))
    assert set(paces) == {SELDOM}


def test_alone_a_candidate_without_a_request_in_a_reading_is_looked_at_at_full_pace():
    street = quiet(weight=100.0)
    assert pace(street) == SELDOM
    street.tick()
    assert pace(street) == OFTEN


def test_a_step_ends_in_time():
    street = Street(policy=POLICY).enter(20.0, bake=FRESH + 2.5)
    street.run(FRESH + 1.0, rps=100)
    assert pace(street) == SELDOM
    street.run(0.75, rps=100)
    assert pace(street) == pytest.approx(0.75)
    street.run(0.75, rps=100)
    assert pace(street) == OFTEN


def test_whoever_takes_over_begins_at_full_pace():
    street = quiet()
    street.analysis = Analysis.from_json(street.analysis.to_json())
    assert pace(street) == OFTEN
    street.tick(rps=100)
    street.tick(rps=100)
    assert pace(street) == SELDOM
