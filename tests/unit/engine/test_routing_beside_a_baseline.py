"""The routing of a run whose candidate is compared with a baseline."""

from fairway.domain.rollout.routes import Mirror
from fairway.domain.rollout.run import Run
from fairway.domain.rollout.strategy import Canary, Rehearsal
from fairway.engine.routing import return_routes, routes_for
from fairway.testing.target import FakeTarget
from rollout_samples import NEW, OLD, begun, deployment

PLAN = deployment(Canary(rehearsal=Rehearsal(Mirror(20.0)), baseline=True))
BASELINE = PLAN.baseline
RUN: Run = begun(PLAN)


def target(*revisions):
    fake = FakeTarget()
    for revision in revisions:
        fake.ensure_instances(revision, 2, epoch=1)
    return fake


def test_the_baseline_stands_beside_candidate_and_stable():
    routes = routes_for(RUN, target(OLD, NEW, BASELINE), 10.0)
    assert (routes.stable, routes.candidate, routes.baseline) == (OLD.id, NEW.id, BASELINE.id)
    assert (routes.weight, routes.baseline_weight, len(routes.backends)) == (10.0, 10.0, 3)


def test_a_baseline_without_instances_is_not_there():
    routes = routes_for(RUN, target(OLD, NEW), 10.0)
    assert (routes.baseline, routes.baseline_weight) == (None, 0.0)


def test_without_candidate_or_without_stable_the_baseline_gets_nothing():
    alone = routes_for(RUN, target(OLD, BASELINE), 10.0)
    assert (alone.stable, alone.candidate, alone.baseline, alone.baseline_weight) == (OLD.id, None, None, 0.0)
    without = routes_for(RUN, target(OLD, NEW, BASELINE), 50.0, without=OLD.id)
    assert (without.stable, without.baseline) == (None, None)
    promoted = routes_for(RUN, target(NEW, BASELINE), 100.0)
    assert (promoted.stable, promoted.candidate, promoted.baseline) == (NEW.id, None, None)


def test_the_way_back_is_one_change_of_weight_and_ends_at_stable():
    confirmed = routes_for(RUN, target(OLD, NEW, BASELINE), 75.0)
    back = return_routes(RUN, confirmed)
    assert (back.stable, back.weight, back.baseline_weight) == (OLD.id, 0.0, 0.0)
    assert back.backends == confirmed.backends


def test_with_instances_of_the_baseline_only_there_is_no_way_back_by_weight():
    drained = routes_for(
        RUN, target(OLD, NEW, BASELINE), 75.0, draining={OLD.id: frozenset({f"{OLD.id}.1", f"{OLD.id}.2"})}
    )
    assert return_routes(RUN, drained) is None
