"""What every router must do. A subclass in a test module says how to make one; see `RouterContract`."""

# ruff: noqa: D102 the names of tests are sentences

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from fairway.domain.errors import FairwayError, InvariantError, PermanentError, TransientError
from fairway.domain.rollout.revision import Endpoint
from fairway.domain.rollout.routes import Backend, Mirror, Routes, Stickiness
from fairway.ports.router import Router
from fairway.testing.router import Answer

STABLE = "shop-1.0.0"
CANDIDATE = "shop-1.1.0"
BASELINE = "shop-1.0.0-baseline"


class RouterContract:
    """The suite: `class TestMyRouter(RouterContract)` with the five methods that this one leaves open.

    Attributes:
        patience: seconds until a counter must show what has happened.
    """

    patience = 5.0

    def make_router(self, environment: str = "production") -> Router:
        """The router of that environment; the same one, as if opened anew, when asked again."""
        raise NotImplementedError

    def start_backend(self, revision: str, instance: str) -> Endpoint:
        """Starts a healthy instance that answers 200; its readiness path is `/ready`."""
        raise NotImplementedError

    def stop_backend(self, endpoint: Endpoint) -> None:
        """Stops it; nothing listens there afterwards."""
        raise NotImplementedError

    def fail_backend(self, endpoint: Endpoint) -> None:
        """From now on it answers 500, except for its readiness."""
        raise NotImplementedError

    def send(self, router: Router, method: str = "GET", *, named: str | None = None, user: str | None = None) -> Answer:
        """One request of a user, who never tries again.

        Args:
            router: to which.
            method: of the request.
            named: the value of the header `x-fairway-revision`, if any.
            user: the value of the header `x-user` and of the cookie `user`, if any.

        Raises:
            OSError: nobody listens.
        """
        raise NotImplementedError

    def backend(self, revision: str, instances: int = 1) -> Backend:
        """A revision with running instances."""
        endpoints = tuple(self.start_backend(revision, f"{revision}.{n}") for n in range(1, instances + 1))
        return Backend(revision, endpoints, (), "/ready")

    def both(self) -> tuple[Router, Callable[[float], Routes]]:
        """A router that serves stable beside a candidate without weight, and its routes by weight."""
        stable, candidate = self.backend(STABLE), self.backend(CANDIDATE)
        router = self.make_router()
        router.ensure_routes(Routes(STABLE, CANDIDATE, 0, (stable, candidate)), epoch=1)
        return router, lambda weight: Routes(STABLE, CANDIDATE, weight, (stable, candidate))

    def beside(self) -> tuple[Router, Callable[[float], Routes]]:
        """A router that serves stable beside a candidate and a baseline without weight, and its routes by weight."""
        backends = tuple(self.backend(revision) for revision in (STABLE, CANDIDATE, BASELINE))
        router = self.make_router()
        router.ensure_routes(Routes(STABLE, CANDIDATE, 0, backends, baseline=BASELINE), epoch=1)
        return router, lambda weight: Routes(STABLE, CANDIDATE, weight, backends, baseline=BASELINE)

    def served(self, router: Router, count: int) -> Counter[str | None]:
        """How many of so many requests each revision answered; all of them with 200."""
        answers = [self.send(router) for _ in range(count)]
        assert {answer.status for answer in answers} == {200}
        return Counter(answer.revision for answer in answers)

    def counted(self, router: Router, revision: str, finished: int) -> tuple[int, int]:
        """The revision's finished and failed attempts once so many are counted."""
        self.waited(lambda: router.observe_traffic().of(revision).finished >= finished, f"{finished} counted attempts")
        traffic = router.observe_traffic().of(revision)
        return traffic.finished, traffic.failed

    def waited(self, condition: Callable[[], bool], what: str) -> None:
        """Returns once the condition holds."""
        deadline = time.monotonic() + self.patience
        while not condition():
            assert time.monotonic() < deadline, f"waited {self.patience:g} s in vain: {what}"
            time.sleep(0.01)

    def test_before_the_first_routes_nothing_runs_and_nothing_is_counted(self) -> None:
        router = self.make_router()
        state = router.observe()
        assert (state.running, state.routes, state.preview) == (False, None, None)
        _refused(TransientError, None, router.observe_traffic)

    def test_stable_serves_all_requests(self) -> None:
        router = self.make_router()
        routes = Routes(STABLE, None, 0, (self.backend(STABLE, 2),))
        state = router.ensure_routes(routes, epoch=1)
        assert (state.running, state.routes, state.preview) == (True, routes, None)
        assert self.served(router, 10) == {STABLE: 10}

    def test_without_a_live_revision_users_are_told_so(self) -> None:
        router = self.make_router()
        router.ensure_routes(Routes(None, CANDIDATE, 0, (self.backend(CANDIDATE),)), epoch=1)
        assert self.send(router) == Answer(503, None)
        assert self.send(router, named="candidate") == Answer(200, CANDIDATE)

    def test_a_second_call_changes_nothing(self) -> None:
        router, routes = self.both()
        first = router.ensure_routes(routes(30), epoch=1)
        origin = router.observe_traffic().origin
        assert router.ensure_routes(routes(30), epoch=1) == first
        assert self.make_router().ensure_routes(routes(30), epoch=1) == first
        assert router.observe_traffic().origin == origin

    def test_routes_are_known_to_a_router_opened_anew(self) -> None:
        router, routes = self.both()
        state = router.ensure_routes(routes(12.34), epoch=1)
        assert self.make_router().observe() == state

    def test_requests_are_divided_by_weight(self) -> None:
        router, routes = self.both()
        assert self.served(router, 20) == {STABLE: 20}
        router.ensure_routes(routes(50), epoch=1)
        # 200 fair coins: outside of 60 to 140 once in 10^8 runs.
        assert 60 <= self.served(router, 200)[CANDIDATE] <= 140
        router.ensure_routes(routes(100), epoch=1)
        assert self.served(router, 20) == {CANDIDATE: 20}
        router.ensure_routes(routes(0), epoch=1)
        assert self.served(router, 20) == {STABLE: 20}

    def test_a_sticky_user_stays_on_one_revision_and_keeps_the_candidate_while_the_weight_rises(self) -> None:
        router, routes = self.both()
        users = [f"user-{number}" for number in range(60)]
        for sticky in (Stickiness("header", "x-user"), Stickiness("cookie", "user")):
            had: set[str] = set()
            for weight in (20, 60):
                router.ensure_routes(replace(routes(weight), sticky=sticky), epoch=1)
                first, second = ([self.send(router, user=user).revision for user in users] for _ in range(2))
                assert first == second
                have = {user for user, revision in zip(users, first, strict=True) if revision == CANDIDATE}
                assert had < have < set(users)
                had = have
            assert {self.send(router, "POST", user=user).revision for user in had} == {CANDIDATE}
            router.ensure_routes(routes(0), epoch=1)
            assert {self.send(router, user=user).revision for user in had} == {STABLE}

    def test_sticky_reads_that_fail_on_the_candidate_are_answered_by_stable_and_stable_s_own_failures_stay(
        self,
    ) -> None:
        router, routes = self.both()
        router.ensure_routes(replace(routes(50), sticky=Stickiness("header", "x-user")), epoch=1)
        users = [f"user-{number}" for number in range(20)]
        on_candidate = {user for user in users if self.send(router, user=user).revision == CANDIDATE}
        assert on_candidate
        assert on_candidate < set(users)
        self.fail_backend(routes(0).backends[1].endpoints[0])
        kept = min(on_candidate)
        assert self.send(router, user=kept) == Answer(200, STABLE)
        assert self.send(router, "POST", user=kept) == Answer(500, CANDIDATE)
        self.fail_backend(routes(0).backends[0].endpoints[0])
        before = router.observe_traffic().of(STABLE).finished
        assert self.send(router, user=min(set(users) - on_candidate)) == Answer(500, STABLE)
        self.waited(lambda: router.observe_traffic().of(STABLE).finished > before, "it is counted")
        assert router.observe_traffic().of(STABLE).finished == before + 1

    def test_a_baseline_gets_as_many_requests_as_the_candidate_and_at_most_what_is_left(self) -> None:
        router, routes = self.beside()
        assert self.served(router, 20) == {STABLE: 20}
        router.ensure_routes(routes(25), epoch=1)
        # 200 requests with a chance of a quarter each: outside of 20 to 85 once in 10^6 runs.
        served = self.served(router, 200)
        assert all(20 <= served[revision] <= 85 for revision in (CANDIDATE, BASELINE))
        router.ensure_routes(routes(75), epoch=1)
        served = self.served(router, 200)
        assert (served[STABLE], 20 <= served[BASELINE] <= 85) == (0, True)
        router.ensure_routes(routes(100), epoch=1)
        assert self.served(router, 20) == {CANDIDATE: 20}
        router.ensure_routes(routes(0), epoch=1)
        assert self.served(router, 20) == {STABLE: 20}

    def test_reads_that_fail_on_the_baseline_are_answered_by_stable_and_count_against_the_baseline(self) -> None:
        router, routes = self.beside()
        router.ensure_routes(routes(50), epoch=1)
        self.fail_backend(routes(0).backends[2].endpoints[0])
        for _ in range(20):
            answer = self.send(router)
            assert (answer.status, answer.revision != BASELINE) == (200, True)
        self.waited(lambda: router.observe_traffic().of(BASELINE).finished > 0, "the baseline's failures are counted")
        traffic = router.observe_traffic().of(BASELINE)
        assert (traffic.failed, traffic.retried) == (traffic.finished, 0)

    def test_while_the_baseline_is_down_stable_gets_its_requests(self) -> None:
        router, routes = self.beside()
        self.stop_backend(routes(0).backends[2].endpoints[0])
        self.waited(lambda: not router.observe_traffic().of(BASELINE).instances[0].healthy, "it is seen as unhealthy")
        router.ensure_routes(routes(50), epoch=1)
        served = self.served(router, 100)
        assert (served[BASELINE], served[STABLE] > 20) == (0, True)

    def test_a_sticky_user_of_the_baseline_keeps_it_while_the_weight_rises(self) -> None:
        router, routes = self.beside()
        users, had = [f"user-{number}" for number in range(60)], set[str]()
        for weight in (20, 45):
            router.ensure_routes(replace(routes(weight), sticky=Stickiness("header", "x-user")), epoch=1)
            have = {user for user in users if self.send(router, user=user).revision == BASELINE}
            assert had < have < set(users)
            had = have

    def test_copies_go_to_the_baseline_as_well(self) -> None:
        router, routes = self.beside()
        router.ensure_routes(replace(routes(0), mirror=Mirror(100)), epoch=1)
        assert self.served(router, 10) == {STABLE: 10}
        assert self.counted(router, CANDIDATE, 10) == (10, 0)
        assert self.counted(router, BASELINE, 10) == (10, 0)

    def test_copies_of_reads_go_to_the_candidate_and_nobody_sees_what_becomes_of_them(self) -> None:
        router, routes = self.both()
        router.ensure_routes(replace(routes(0), mirror=Mirror(100)), epoch=1)
        assert self.served(router, 10) == {STABLE: 10}
        assert self.send(router, "POST") == Answer(200, STABLE)
        assert self.counted(router, CANDIDATE, 10) == (10, 0)
        self.fail_backend(routes(0).backends[1].endpoints[0])
        assert self.served(router, 10) == {STABLE: 10}
        assert self.counted(router, CANDIDATE, 20) == (20, 10)
        assert self.counted(router, STABLE, 21) == (21, 0)

    def test_writes_are_copied_only_where_the_routes_say_so(self) -> None:
        router, routes = self.both()
        router.ensure_routes(replace(routes(0), mirror=Mirror(100, unsafe=True)), epoch=1)
        assert self.send(router, "POST") == Answer(200, STABLE)
        assert self.counted(router, CANDIDATE, 1) == (1, 0)
        router.ensure_routes(routes(0), epoch=1)
        assert self.send(router, "POST") == Answer(200, STABLE)
        assert self.counted(router, STABLE, 2) == (2, 0)
        assert self.counted(router, CANDIDATE, 1) == (1, 0)

    def test_a_share_of_the_requests_is_copied(self) -> None:
        router, routes = self.both()
        router.ensure_routes(replace(routes(0), mirror=Mirror(50)), epoch=1)
        assert self.served(router, 200) == {STABLE: 200}
        finished, failed = self.counted(router, CANDIDATE, 60)
        assert (finished <= 140, failed) == (True, 0)

    def test_sticky_routes_divide_requests_without_a_user_one_by_one(self) -> None:
        router, routes = self.both()
        router.ensure_routes(replace(routes(50), sticky=Stickiness("cookie", "user")), epoch=1)
        assert 60 <= self.served(router, 200)[CANDIDATE] <= 140

    def test_who_names_a_revision_gets_it_or_is_told(self) -> None:
        router, routes = self.both()
        assert self.send(router, named="candidate") == Answer(200, CANDIDATE)
        router.ensure_routes(routes(100), epoch=1)
        assert self.send(router, named="stable") == Answer(200, STABLE)
        router.ensure_routes(Routes(STABLE, None, 0, routes(0).backends), epoch=1)
        assert self.send(router, named="candidate") == Answer(404, None)

    def test_reads_that_fail_on_the_candidate_are_answered_by_stable_and_count_against_the_candidate(self) -> None:
        router, routes = self.both()
        self.fail_backend(routes(0).backends[1].endpoints[0])
        router.ensure_routes(routes(100), epoch=1)
        for method in ("GET", "HEAD", "OPTIONS"):
            assert self.send(router, method) == Answer(200, STABLE)
        assert self.counted(router, CANDIDATE, 3) == (3, 3)
        assert self.counted(router, STABLE, 3) == (3, 0)
        assert router.observe_traffic().of(STABLE).retried == 3

    def test_a_failed_write_is_not_tried_again(self) -> None:
        router, routes = self.both()
        self.fail_backend(routes(0).backends[1].endpoints[0])
        router.ensure_routes(routes(100), epoch=1)
        assert self.send(router, "POST") == Answer(500, CANDIDATE)
        assert self.counted(router, CANDIDATE, 1) == (1, 1)
        assert router.observe_traffic().of(STABLE).finished == 0

    def test_attempts_are_counted_by_revision_and_by_instance(self) -> None:
        router = self.make_router()
        router.ensure_routes(Routes(STABLE, None, 0, (self.backend(STABLE, 2),)), epoch=1)
        self.served(router, 10)
        assert self.counted(router, STABLE, 10) == (10, 0)
        instances = router.observe_traffic().of(STABLE).instances
        assert {one.instance for one in instances} == {f"{STABLE}.1", f"{STABLE}.2"}
        assert sum(one.finished for one in instances) == 10
        assert all(one.healthy and not one.ejected and one.finished for one in instances)

    def test_a_candidate_without_a_healthy_endpoint_gets_no_weight(self) -> None:
        router, routes = self.both()
        self.stop_backend(routes(0).backends[1].endpoints[0])
        self.waited(lambda: not router.observe_traffic().of(CANDIDATE).instances[0].healthy, "it is seen as unhealthy")
        _refused(TransientError, None, lambda: router.ensure_routes(routes(10), epoch=1))
        assert router.observe().routes == routes(0)
        assert self.served(router, 50) == {STABLE: 50}

    def test_a_stale_epoch_is_refused_and_changes_nothing(self) -> None:
        router, routes = self.both()
        state = router.ensure_routes(routes(0), epoch=7)
        for late in (router, self.make_router()):
            _refused(PermanentError, "stale-epoch", lambda late=late: late.ensure_routes(routes(100), epoch=6))  # type: ignore[misc]
        assert router.observe() == state
        assert self.served(router, 10) == {STABLE: 10}

    def test_routes_that_contradict_themselves_are_refused(self) -> None:
        router, routes = self.both()
        backends = routes(0).backends
        for wrong in (Routes(STABLE, "shop-9", 1, backends), Routes(STABLE, None, 5, backends), routes(100.5)):
            _refused(InvariantError, None, lambda wrong=wrong: router.ensure_routes(wrong, epoch=1))  # type: ignore[misc]
        assert router.observe().routes == routes(0)

    def test_environments_stand_side_by_side(self) -> None:
        production, staging = self.make_router("production"), self.make_router("staging")
        production.ensure_routes(Routes(STABLE, None, 0, (self.backend(STABLE),)), epoch=1)
        staging.ensure_routes(Routes(CANDIDATE, None, 0, (self.backend(CANDIDATE),)), epoch=1)
        assert self.served(production, 5) == {STABLE: 5}
        assert self.served(staging, 5) == {CANDIDATE: 5}


def _refused(kind: type[Exception], code: str | None, call: Callable[[], object]) -> None:
    refusal: Exception | None = None
    try:
        call()
    except kind as error:
        refusal = error
    assert refusal is not None, f"no {kind.__name__}"
    if isinstance(refusal, FairwayError):
        assert refusal.message
        assert code in {None, refusal.code}, refusal.code
