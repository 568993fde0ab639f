from dataclasses import replace

import pytest
from simulated_rollout import World, instance

from fairway.domain.analysis.policy import AnalysisPolicy

QUIET = AnalysisPolicy(warmup=0.0)


def test_a_healthy_candidate_is_watched_and_the_time_counts():
    assessment = World(policy=QUIET).enter(10.0).run(30.0, rps=100, candidate=0.01, stable=0.01)
    assert (assessment.decision, assessment.rule, assessment.sufficient) == ("continue", "watching", True)
    assert assessment.watched == pytest.approx(30.0)
    assert assessment.evidence.e_value < 5.0


def test_no_request_at_all_is_not_sufficient_and_the_sentence_says_what_to_do():
    assessment = World().enter(0.1).run(30.0, rps=2)
    assert (assessment.decision, assessment.rule, assessment.sufficient) == ("continue", "no-requests", False)
    assert assessment.watched == pytest.approx(30.0)
    assert "finished 0 requests (stable 60; about 0.06 were to be expected)" in assessment.sentence
    assert "Send requests, raise the weight or bake longer" in assessment.sentence


def test_at_weight_zero_no_request_is_asked_for_and_none_is_judged():
    world = World().enter(0.0)
    world.candidate_counts = [500, 500]
    assessment = world.run(10.0)
    assert (assessment.decision, assessment.sufficient) == ("continue", True)
    assert assessment.evidence.e_value == pytest.approx(1.0)


def test_each_step_needs_requests_of_its_own():
    world = World().enter(50.0)
    assert world.run(5.0, rps=20).sufficient
    assert not world.enter(60.0).run(5.0).sufficient


def test_unreadable_counters_hold_and_neither_pass_nor_fail():
    world = World(policy=QUIET).enter(50.0)
    before = world.run(10.0, rps=100)
    assessment = world.run(60.0, rps=100, candidate=1.0, readable=False)
    assert (assessment.decision, assessment.rule) == ("hold", "metrics-outage")
    assert assessment.watched == before.watched
    assert assessment.evidence.e_value == before.evidence.e_value
    assert "could not be read" in assessment.sentence
    later = world.tick(rps=100)
    assert later.decision == "continue"  # what was counted meanwhile is read at last, but one block cannot decide
    assert later.evidence.candidate.failed > 2500


def test_a_pause_stops_the_time_but_not_the_evidence():
    world = World(policy=QUIET).enter(50.0)
    watched = world.run(5.0, rps=100).watched
    assessment = world.run(20.0, rps=100, counting=False)
    assert (assessment.decision, assessment.watched) == ("continue", watched)
    assert world.run(5.0, rps=100, candidate=1.0, counting=False).decision == "roll-back"


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_an_hour_that_the_clock_jumped_does_not_count_as_watched(jump):
    world = World(policy=QUIET).enter(50.0)
    before = world.run(5.0, rps=100).watched
    world.now += jump
    world.tick(rps=100)
    assert 0.0 <= world.analysis.watched - before <= 2.0
    assert world.run(5.0, rps=100).watched == pytest.approx(before + 5.0, abs=2.0)


def test_a_controller_that_was_dead_for_ten_minutes_did_not_watch():
    world = World(policy=QUIET).enter(10.0)
    before = world.run(5.0, rps=100).watched
    for _ in range(2400):
        world.now += 0.25
        world.serve(10, 0.0, 0.0)
    assert world.tick().watched <= before + 2.0


def test_counters_that_begin_again_keep_the_evidence():
    world = World(policy=QUIET).enter(10.0)
    before = world.run(30.0, rps=200, candidate=0.02, stable=0.01).evidence.e_value
    world.origin, world.candidate_counts, world.stable_counts = "second", [40, 40], [0, 0, 0, 0]
    assessment = world.tick()
    assert assessment.decision == "continue"
    assert assessment.evidence.e_value == before


def dead(name="c-1", how="signal SIGKILL", **more):
    return replace(instance(name, ready=False, **more), last_exit=how)


def test_an_ejected_instance_whose_process_ended_is_told_as_its_exit():
    world = World().enter(50)
    world.run(10.0, rps=100)
    world.ejected, world.health = ("c-1",), (dead(), instance("c-2"))
    assessment = world.tick(rps=100)
    assert (assessment.decision, assessment.rule) == ("roll-back", "crash")
    assert "the process of the candidate's c-1 (signal SIGKILL) ended" in assessment.sentence


def test_a_process_that_was_started_again_meanwhile_has_ended_as_well():
    world = World().enter(50)
    world.run(10.0, rps=100)
    world.ejected, world.health = ("c-1",), (instance("c-1", restarts=1), instance("c-2"))
    assessment = world.tick(rps=100)
    assert assessment.rule == "crash"
    assert "c-1 (exit status 1)" in assessment.sentence


def looked(world, *, before):
    """A reading with what was known of the instances some seconds earlier."""
    world.now += 0.25
    world.analysis.observe(world.snapshot(), world.health, at=world.now, looked_at=world.now - before)
    return world.analysis.assess(at=world.now)


def test_an_ejection_waits_for_a_look_at_the_process_but_not_for_long():
    world = World().enter(50)
    world.run(10.0, rps=100)
    world.ejected = ("c-1",)
    assert [looked(world, before=9.0).decision for _ in range(4)] == ["continue"] * 4
    assert looked(world, before=9.0).rule == "ejected"


def test_a_look_made_after_the_ejection_says_what_it_was():
    for health, rule in (((instance(),), "ejected"), ((dead(),), "crash")):
        world = World().enter(50)
        world.run(10.0, rps=100)
        world.ejected = ("c-1",)
        assert looked(world, before=1.0).decision == "continue"
        world.health = health
        assert looked(world, before=0.1).rule == rule


def test_how_the_process_ended_is_said_of_an_instance_that_does_not_come_back():
    world = World(health=(dead(how="exit status 3"),)).enter(50)
    assert "has not been ready for 30 s (last: exit status 3)" in world.run(60.0, rps=100).sentence


def test_an_ejected_instance_ends_the_rollout_even_if_others_serve():
    world = World(policy=QUIET).enter(10.0)
    world.run(5.0, rps=100)
    world.ejected = ("c-2",)
    assessment = world.tick(rps=100)
    assert (assessment.decision, assessment.rule) == ("roll-back", "ejected")
    assert "ejected 1 of 2 instances of the candidate (c-2)" in assessment.sentence
    assert "e-value" in assessment.sentence
    world.ejected = ()
    assert world.run(5.0, rps=100).rule == "ejected"


def test_an_ejection_while_stable_fails_as_well_holds_and_stays_excused_until_it_ends():
    world = World(policy=QUIET).enter(10.0)
    world.run(20.0, rps=200)
    world.run(1.0, rps=200, candidate=0.9, stable=0.9)
    world.ejected = ("c-1", "c-2")
    assessment = world.run(3.0, rps=200, candidate=0.9, stable=0.9)
    assert (assessment.decision, assessment.rule) == ("hold", "shared-incident")
    assert world.run(10.0, rps=200).decision == "hold"
    world.ejected = ()
    assert world.run(5.0, rps=200).decision == "continue"
    world.ejected = ("c-1",)
    assert world.tick(rps=200).rule == "ejected"


def test_ejections_do_not_matter_while_the_candidate_has_no_weight():
    world = World().enter(0.0)
    world.ejected = ("c-1",)
    assert world.run(2.0).decision == "continue"


@pytest.mark.parametrize(
    ("changed", "rule"),
    [({"restarts": 3}, "crash"), ({"crash_loop": True}, "crash")],
)
def test_an_instance_that_crashes_after_the_analysis_began_ends_the_rollout(changed, rule):
    world = World(health=(instance(restarts=1), instance("c-2"))).enter(10.0)
    assert world.run(5.0, rps=10).decision == "continue"
    world.health = (instance(**{"restarts": 1, **changed}), instance("c-2"))
    assessment = world.tick(rps=10)
    assert (assessment.decision, assessment.rule) == ("roll-back", rule)
    assert "c-1" in assessment.sentence
    assert "exit status 1" in assessment.sentence


def test_restarts_before_the_analysis_and_a_single_one_after_do_not_count():
    world = World(health=(instance(restarts=7),)).enter(10.0)
    world.health = (instance(restarts=8),)
    assert world.run(5.0, rps=10).decision == "continue"


def test_an_instance_that_came_later_begins_at_no_restarts():
    world = World().enter(10.0)
    world.health = (instance(), instance("c-2", restarts=2))
    assert world.tick(rps=10).rule == "crash"


def test_readiness_lost_for_thirty_seconds_ends_the_rollout_and_a_shorter_loss_does_not():
    world = World().enter(10.0)
    world.health = (instance(ready=False),)
    assert world.run(29.0, rps=10).decision == "continue"
    world.health = (instance(),)
    world.run(1.0, rps=10)
    world.health = (instance(ready=False),)
    assert world.run(29.0, rps=10).decision == "continue"
    assessment = world.run(2.0, rps=10)
    assert (assessment.decision, assessment.rule) == ("roll-back", "not-ready")


def test_crashes_of_stable_as_well_hold():
    stable = instance("s-1", revision="stable")
    world = World(health=(instance(), stable)).enter(10.0)
    world.health = (instance(restarts=2), instance("s-1", revision="stable", restarts=2))
    assessment = world.run(2.0, rps=10)
    assert (assessment.decision, assessment.rule) == ("hold", "shared-incident")
    world.health = (instance(restarts=2), stable)
    assert world.tick(rps=10).rule == "crash"


def both(*, ready=True, restarts=2, stable_restarts=2):
    return (
        instance(ready=ready, restarts=restarts),
        instance("s-1", revision="stable", restarts=stable_restarts),
    )


def test_what_hit_both_counts_for_nothing_once_both_have_been_well_for_thirty_seconds():
    world = World(health=both(restarts=0, stable_restarts=0)).enter(10.0)
    world.health = both()
    assert world.run(29.0, rps=10).decision == "hold"
    assert world.run(2.0, rps=10).decision == "continue"
    # It is no pardon for what comes later.
    world.health = both(restarts=4)
    assessment = world.tick(rps=10)
    assert (assessment.decision, assessment.rule) == ("roll-back", "crash")


def test_what_hits_both_again_holds_again():
    world = World(health=both(restarts=0, stable_restarts=0)).enter(10.0)
    world.health = both()
    world.run(29.0, rps=10)
    world.health = both(restarts=3, stable_restarts=3)
    assert world.run(29.0, rps=10).decision == "hold"


def test_a_candidate_that_is_down_when_stable_has_been_well_for_thirty_seconds_is_taken_back():
    world = World(health=both(restarts=0, stable_restarts=0)).enter(10.0)
    world.health = both(ready=False)
    assert world.run(29.0, rps=10).decision == "hold"
    assessment = world.run(2.0, rps=10)
    assert (assessment.decision, assessment.rule) == ("roll-back", "crash")


def after_a_stall(failed, *, ejected=()):
    """A reader that was away for two seconds comes back; it looked at the instances before."""
    world = World().enter(100.0, scaled_up=True, bake=2.0)
    looked_at = world.now
    world.run(0.25, rps=100)
    world.now += 2.0
    world.candidate_counts[0] += 100
    world.candidate_counts[1] += failed
    world.ejected = ejected
    world.analysis.observe(world.snapshot(), world.health, at=world.now, looked_at=looked_at)
    return world, world.analysis.assess(at=world.now)


@pytest.mark.parametrize(("failed", "ejected"), [(20, ("c-1",)), (0, ("c-1",)), (20, ())])
def test_a_step_does_not_end_with_a_reading_after_a_stall_that_shows_failures(failed, ejected):
    world, assessment = after_a_stall(failed, ejected=ejected)
    assert assessment.decision == "continue"
    assert assessment.watched < 2.0
    assessment = world.run(1.5, rps=100, candidate=1.0)
    assert assessment.decision == "roll-back"


def test_a_step_may_end_with_a_reading_after_a_stall_in_which_nothing_happened():
    assert after_a_stall(0)[1].watched == pytest.approx(2.25)


def test_a_candidate_without_requests_holds_only_when_that_is_improbable():
    world = World().enter(0.0)
    world.analysis.enter_step(50.0, at=world.now, scaled_up=False)  # the router still sends everything to stable
    assert world.run(0.5, rps=100).decision == "continue"
    assessment = world.run(0.25, rps=100)
    assert (assessment.decision, assessment.rule) == ("hold", "no-candidate-traffic")
    assert assessment.watched == pytest.approx(0.5)
    world.weight = 50.0
    assert world.run(1.0, rps=100).decision == "continue"


def test_a_candidate_without_requests_for_five_minutes_is_inconclusive():
    world = World().enter(0.0)
    world.analysis.enter_step(50.0, at=world.now, scaled_up=False)
    assert world.run(300.0, rps=10).decision == "hold"
    assessment = world.run(3.0, rps=10)
    assert (assessment.decision, assessment.rule) == ("inconclusive", "no-candidate-traffic")
    assert "finished no request" in assessment.sentence


def test_a_tiny_weight_at_low_traffic_expects_silence():
    world = World().enter(0.0)
    world.analysis.enter_step(0.1, at=world.now, scaled_up=False)
    assert world.run(300.0, rps=20).decision == "continue"  # 6,000 requests: e^-6 is not improbable enough
    assert world.run(200.0, rps=20).decision == "hold"


def test_a_rejection_is_final():
    world = World(policy=QUIET).enter(50.0)
    rejected = world.run(5.0, rps=200, candidate=1.0)
    world.enter(10.0)
    later = world.run(60.0, rps=200)
    assert (later.decision, later.rule) == ("roll-back", "hard-lane")
    assert later.evidence == rejected.evidence


def test_what_passes_between_unreadable_counters_does_not_count():
    world = World(policy=QUIET).enter(50.0)
    before = world.run(5.0, rps=100).watched
    for _ in range(20):
        world.tick(rps=100, readable=False)
        world.tick(rps=100)
    assert world.analysis.watched == before


def test_a_router_that_repeats_an_old_snapshot_lets_no_time_count():
    world = World(policy=QUIET).enter(50.0)
    before = world.run(5.0, rps=100).watched
    old = world.snapshot()
    for second in range(1, 5):
        world.analysis.observe(old, world.health, at=world.now + second)
    assert world.analysis.watched == before


def test_a_new_step_forgets_the_silence_of_the_one_before():
    world = World().enter(0.0)
    world.analysis.enter_step(50.0, at=world.now, scaled_up=False)
    assert world.run(5.0, rps=100).decision == "hold"
    world.analysis.enter_step(40.0, at=world.now, scaled_up=False)
    assert world.tick(rps=100).decision == "continue"


@pytest.mark.parametrize(("weight", "sufficient"), [(5.0, False), (50.0, True)])
def test_at_one_request_a_second_five_percent_of_five_minutes_are_too_few(weight, sufficient):
    world = World().enter(weight, bake=300.0)
    assert world.run(150.0, rps=1).rule == "watching"
    said = world.run(150.0, rps=1)
    assert (said.decision, said.sufficient) == ("continue", sufficient)
    if not sufficient:
        assert said.rule == "few-requests"
        assert "of 20 that are wanted" in said.sentence


def test_how_many_requests_are_enough_is_for_the_user_to_say():
    world = World(policy=replace(QUIET, min_requests=3)).enter(10.0, bake=60.0)
    assert world.run(60.0, rps=1).sufficient
