"""`fairway up` in the middle of a run: stable is brought back as far as the run still has it."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from fairway.bootstrap import machine
from fairway.bootstrap.machine import _restore, bring_up
from fairway.domain.errors import PermanentError, TransientError
from fairway.domain.rollout.run import Run
from fairway.domain.rollout.spec import Adapter
from fairway.domain.rollout.steps import Scale, Watch
from fairway.domain.rollout.strategy import Canary, Rolling
from fairway.ports.journal import EnvironmentState
from fairway.testing.router import FakeRouter
from fairway.testing.target import FakeTarget
from rollout_samples import ENVIRONMENT, NEW, OLD, begun, deployment, done, place

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


class BesideARun:
    """`fairway up` while a run lets go of the last instance of stable, at a moment that the test chooses.

    Attributes:
        moment: so many looks at the run come before that; the looks after it see it done.
    """

    def __init__(self, moment: int) -> None:
        self.target, self.router = (
            FakeTarget(),
            SimpleNamespace(
                observe=lambda: SimpleNamespace(running=True, address="127.0.0.1:8000"),
                ensure_routes=lambda routes, *, epoch: None,
            ),
        )
        self.run, self.moment, self.looks = begun(ROLLING, *done(ROLLING, LAST)), moment, 0
        self.store = SimpleNamespace(
            load=self.load, environment=lambda *_: self.state, list_environments=lambda service: ()
        )
        self.spec = SimpleNamespace(service="shop", environments=(ENVIRONMENT,))
        self.supervisor = SimpleNamespace(resume_all=lambda units: None)
        self.state = EnvironmentState("shop", "production", OLD, 2, self.run.id, None, None, 1)

    def target_of(self, *_: object) -> FakeTarget:
        return self.target

    def router_of(self, *_: object) -> SimpleNamespace:
        return self.router

    def load(self, name: str) -> Run:
        seen = self.run
        self.looks += 1
        if self.looks == self.moment:
            self.let_go()
        return seen

    def let_go(self) -> None:
        """The last step of the run; then it is over."""
        self.run = begun(ROLLING, *done(ROLLING, LAST + 1))
        self.target.ensure_instances(OLD, 0, epoch=1)
        self.target.ensure_instances(NEW, 2, epoch=1)
        self.state = replace(self.state, live=NEW, run=None, by=self.run.id)


@pytest.mark.parametrize("runs", [True, False], ids=["it ran", "it was down"])
@pytest.mark.parametrize("moment", range(1, 9))
def test_up_starts_nothing_of_stable_that_the_run_lets_go_of_at_whatever_moment(
    moment: int, *, runs: bool, monkeypatch: pytest.MonkeyPatch
):
    place = BesideARun(moment)
    if runs:
        place.target.ensure_instances(OLD, 1, epoch=1)
    monkeypatch.setattr(machine, "ensure_controller", lambda project: None)
    (back,) = bring_up(place, None)
    if place.looks < moment:
        place.let_go()
    assert place.target.observe_instances(OLD.id) == ()
    assert len(place.target.observe_instances(NEW.id)) == 2
    assert back["ready"] == back["wanted"]


def test_beside_a_run_up_does_not_go_on_without_what_could_not_be_started(monkeypatch: pytest.MonkeyPatch):
    """A second try would come at any time later, when the run may have let go of stable."""
    place, asked = BesideARun(99), []

    def refuse(revision: object, count: int, *, epoch: int) -> None:
        asked.append(count)
        raise TransientError("supervisor-timeout", "not now")

    monkeypatch.setattr(place.target, "ensure_instances", refuse)
    monkeypatch.setattr(machine, "ensure_controller", lambda project: None)
    with pytest.raises(TransientError):
        bring_up(place, None)
    assert asked == [1]


def test_a_controller_that_is_at_work_already_is_left_alone(monkeypatch: pytest.MonkeyPatch):
    place = BesideARun(99)
    place.target.ensure_instances(NEW, 0, epoch=2)
    _restore(place, ENVIRONMENT, place.state)
    assert place.target.observe_instances(OLD.id) == ()
    with pytest.raises(PermanentError):
        place.target.ensure_instances(OLD, 1, epoch=1)
