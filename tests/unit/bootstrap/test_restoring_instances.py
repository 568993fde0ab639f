"""`fairway up` in the middle of a run: stable is brought back as far as the run still has it."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from fairway.bootstrap.machine import _restore
from fairway.domain.rollout.run import Run
from fairway.domain.rollout.spec import Adapter
from fairway.domain.rollout.steps import Scale, Watch
from fairway.domain.rollout.strategy import Canary, Rolling
from fairway.ports.journal import EnvironmentState
from fairway.testing.router import FakeRouter
from fairway.testing.target import FakeTarget
from rollout_samples import ENVIRONMENT, OLD, begun, deployment, done, place

ROLLING = deployment(Rolling(max_surge=1, max_unavailable=0, bake=0.0))
LAST = max(i for i, planned in enumerate(ROLLING.forward) if planned.step == Scale("stable", 0))
CANARY = deployment(Canary(steps=(10.0, 100.0), bake=2.0))


@pytest.mark.parametrize(
    ("run", "count"),
    [
        (begun(CANARY, *done(CANARY, place(CANARY, Watch))), 2),
        (begun(ROLLING, *done(ROLLING, LAST)), 1),
        (begun(ROLLING, *done(ROLLING, LAST + 1)), 0),
    ],
    ids=["canary", "rolling, one left", "rolling, none left"],
)
def test_as_many_instances_of_stable_come_back_as_the_run_left(run: Run, count: int):
    target = FakeTarget()
    project = SimpleNamespace(
        store=SimpleNamespace(load=lambda name: run),
        spec=SimpleNamespace(service="shop"),
        target_of=lambda *_: target,
    )
    state = EnvironmentState("shop", "production", OLD, 2, run.id, None, None, 1)
    _restore(project, ENVIRONMENT, state)
    assert len(target.observe_instances(OLD.id)) == count


def test_requests_come_back_by_the_router_that_made_the_revision_live_not_by_what_the_file_says_now():
    made = replace(CANARY, router=Adapter("envoy", (("listen", "127.0.0.1:8000"),)))
    routers = []

    def router_of(service: str, environment: str, adapter: Adapter) -> FakeRouter:
        routers.append(adapter)
        return FakeRouter()

    project = SimpleNamespace(
        store=SimpleNamespace(load={"run-1": begun(made)}.__getitem__),
        spec=SimpleNamespace(service="shop"),
        target_of=lambda *_: FakeTarget(),
        router_of=router_of,
    )
    state = EnvironmentState("shop", "production", OLD, 2, None, "run-1", None, 1)
    _restore(project, ENVIRONMENT, state)
    assert routers == [made.router]
