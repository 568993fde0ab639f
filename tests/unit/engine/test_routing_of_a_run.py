from fairway.domain.rollout.routes import Backend, Routes, Stickiness
from fairway.domain.rollout.strategy import Canary
from fairway.engine.routing import has_endpoints, return_routes, routes_for
from fairway.testing.target import FakeTarget
from rollout_samples import NEW, OLD, begun, deployment, scaling

RUN = begun(deployment(Canary()))
FIRST = begun(deployment(Canary(), first=True))


def target(**counts):
    """A target with so many instances of `old` and `new`."""
    fake = FakeTarget()
    for name, count in counts.items():
        fake.ensure_instances(OLD if name == "old" else NEW, count, epoch=1)
    return fake


def shares(routes):
    return routes.stable, routes.candidate, routes.weight


def test_both_revisions_are_there_with_their_instances_and_their_readiness_path():
    routes = routes_for(RUN, target(old=2, new=1), 10.0)
    assert shares(routes) == (OLD.id, NEW.id, 10.0)
    found = {
        one.revision: ([endpoint.instance for endpoint in one.endpoints], one.ready_path) for one in routes.backends
    }
    assert found == {OLD.id: ([f"{OLD.id}.1", f"{OLD.id}.2"], "/ready"), NEW.id: ([f"{NEW.id}.1"], "/ready")}


def test_a_revision_without_instances_is_not_there():
    assert shares(routes_for(RUN, target(old=2), 10.0)) == (OLD.id, None, 0.0)
    assert shares(routes_for(RUN, target(), 10.0)) == (None, None, 0.0)


def test_a_candidate_alone_with_all_the_weight_is_stable():
    assert shares(routes_for(RUN, target(new=2), 100.0)) == (NEW.id, None, 0.0)
    assert shares(routes_for(FIRST, target(new=2), 100.0)) == (NEW.id, None, 0.0)
    assert shares(routes_for(FIRST, target(new=2), 0.0)) == (None, NEW.id, 0.0)


def test_at_full_weight_the_old_revision_stays_beside_so_that_requests_can_return():
    assert shares(routes_for(RUN, target(old=2, new=2), 100.0)) == (OLD.id, NEW.id, 100.0)


def test_instances_that_are_drained_get_nothing_new_and_a_revision_that_leaves_is_gone():
    fake = target(old=2, new=2)
    routes = routes_for(RUN, fake, 50.0, draining={OLD.id: frozenset({f"{OLD.id}.2"})})
    old = next(one for one in routes.backends if one.revision == OLD.id)
    assert [endpoint.instance for endpoint in old.endpoints] == [f"{OLD.id}.1"]
    assert [endpoint.instance for endpoint in old.draining] == [f"{OLD.id}.2"]
    left = routes_for(RUN, fake, 0.0, without=NEW.id)
    assert (shares(left), len(left.backends)) == ((OLD.id, None, 0.0), 1)


def test_a_revision_that_is_only_scaled_serves_all_the_while():
    run = begun(scaling(1))
    assert shares(routes_for(run, target(old=2), run.weight)) == (OLD.id, None, 0.0)


def test_requests_return_by_a_change_of_weight_alone_where_that_is_possible():
    confirmed = routes_for(RUN, target(old=2, new=2), 100.0)
    assert return_routes(RUN, confirmed) == Routes(OLD.id, NEW.id, 0.0, confirmed.backends)


def test_they_do_not_where_nothing_was_confirmed_or_stable_has_nothing_to_serve_with():
    assert return_routes(RUN, None) is None
    assert return_routes(FIRST, routes_for(FIRST, target(new=2), 100.0)) is None
    assert return_routes(RUN, routes_for(RUN, target(new=2), 100.0)) is None
    empty = Routes(OLD.id, NEW.id, 100.0, (Backend(OLD.id, ()), Backend(NEW.id, ())))
    assert return_routes(RUN, empty) is None
    assert not has_endpoints(empty, OLD.id)


def test_users_are_kept_on_one_revision_where_the_strategy_says_so():
    sticky = Stickiness("cookie", "session")
    run = begun(deployment(Canary(sticky=sticky)))
    assert routes_for(run, target(old=2, new=1), 10.0).sticky == sticky
    assert routes_for(RUN, target(old=2, new=1), 10.0).sticky is None
