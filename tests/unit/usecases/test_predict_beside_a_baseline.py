"""What `plan` predicts where the candidate is compared with a baseline of its own age."""

from fairway.domain.analysis.planning.course import Course
from fairway.domain.analysis.planning.ladder import better_ladder
from fairway.domain.analysis.planning.premises import Fault, Stretch, Traffic
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.rollout.routes import Mirror
from fairway.domain.rollout.strategy import Canary, Rehearsal
from fairway.usecases.predict import stretches_of
from rollout_samples import deployment

TRAFFIC = Traffic(rps=200.0, errors=0.001)


def found(*stretches, policy=None, fault=None):
    """Seconds into the last stretch at which the fault is found."""
    course = Course.begin(policy or AnalysisPolicy(warmup=0.0), TRAFFIC)
    return [course.pass_through(stretch, fault or Fault(0.005)) for stretch in stretches][-1]


def test_the_baseline_gets_what_the_plan_says():
    strategy = Canary(steps=(10.0, 75.0, 100.0), rehearsal=Rehearsal(Mirror(20.0)), baseline=True)
    rehearsed, first, second, last = stretches_of(deployment(strategy))
    rates = [stretch.stable_rps(TRAFFIC) for stretch in (rehearsed, first, second, last)]
    assert rates == [40.0, 20.0, 50.0, 0.0]


def test_a_fault_takes_longer_to_find_beside_a_baseline_because_that_has_fewer_requests_than_stable():
    against_stable, beside = (found(Stretch(5.0, 7200.0, baseline=baseline)) for baseline in (False, True))
    assert 1.2 * against_stable < beside < 4.0 * against_stable


def test_no_warm_up_is_counted_on_beside_a_baseline():
    policy = AnalysisPolicy(warmup=60.0)
    warm, cold = (
        found(Stretch(50.0, 7200.0, scaled_up=scaled_up, baseline=True), policy=policy) for scaled_up in (False, True)
    )
    assert warm == cold


def test_a_better_ladder_reckons_with_the_baseline():
    plain, beside = (
        better_ladder(AnalysisPolicy(), Traffic(50.0, 0.001), Fault(0.02), (5.0,), baseline=baseline)
        for baseline in (False, True)
    )
    assert beside.seconds > plain.seconds
    assert all(stretch.baseline for stretch in beside.stretches())
