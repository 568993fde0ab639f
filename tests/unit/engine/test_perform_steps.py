from dataclasses import dataclass, replace

import pytest

from fairway.domain.analysis.traffic import InstanceTraffic, RevisionTraffic, TrafficSnapshot
from fairway.domain.errors import TransientError
from fairway.domain.rollout.events import AttentionNeeded, RollbackStarted, StepStarted
from fairway.domain.rollout.run import Run, evolve
from fairway.domain.rollout.spec import HttpCheck, StageChecks
from fairway.domain.rollout.steps import AwaitReady, CheckHttp, RunCommand, SaveState, Scale, Shift, VerifyArtifact
from fairway.domain.rollout.strategy import Canary
from fairway.engine.perform import LOOK_AGAIN, Performance
from fairway.engine.routing import routes_for
from fairway.engine.world import Finished, Pending, Refused, World
from fairway.ports.checks import Answer, CommandResult
from fairway.ports.journal import Quarantine
from fairway.testing.checks import FakeChecker, FakeCommands, FakeProbe
from fairway.testing.router import FakeRouter
from fairway.testing.target import Behaviour, FakeTarget
from rollout_samples import BEGIN, ENVIRONMENT, NEW, OLD, begun, deployment, done, place, scaling

PLAN = deployment(Canary(steps=(10.0, 100.0)))


class Artifacts:
    wrong = None

    def verify(self, digest):
        return self.wrong


class Records:
    rejected = None

    def quarantine(self, digest):
        return self.rejected


@dataclass
class Place:
    """A world in which the old revision serves, and a run somewhere in its plan."""

    run: Run

    def __post_init__(self):
        self.target, self.router = FakeTarget(), FakeRouter()
        self.artifacts, self.commands, self.server, self.records = Artifacts(), FakeCommands(), FakeProbe(), Records()
        self.checker = FakeChecker(self.server)
        self.target.ensure_instances(OLD, 2, epoch=1)
        for revision in (OLD.id, NEW.id):
            self.ready(revision)
        plain = begun(PLAN)
        self.router.ensure_routes(routes_for(plain, self.target, 0.0), epoch=1)

    def ready(self, revision):
        self.target.observe_instances(revision)
        self.target.observe_instances(revision)

    def start(self, revision, count):
        self.target.ensure_instances(revision, count, epoch=1)
        self.ready(revision.id)

    def perform(self, *, spent=0.0):
        world = World(self.target, self.router, self.artifacts, self.commands, self.server, self.records, self.checker)
        return Performance(self.run, world, 7, BEGIN, spent).perform(self.run.current.step)


def at(kind, number=0, *, plan=PLAN, way_back=False):
    """A world in which the step of that kind is under way."""
    if not way_back:
        index = place(plan, kind, number)
        return Place(evolve(begun(plan, *done(plan, index)), StepStarted(BEGIN, "forward", index)))
    index = [n for n, planned in enumerate(plan.rollback) if isinstance(planned.step, kind)][number]
    facts = (
        *done(plan, place(plan, Shift, 1) + 1),
        RollbackStarted(BEGIN, "failed", "hard-lane", "7 of 9"),
        *done(plan, index, track="rollback"),
    )
    return Place(evolve(begun(plan, *facts), StepStarted(BEGIN, "rollback", index)))


# Artifacts, commands and requests


def test_an_unaltered_artifact_is_fine_and_an_altered_or_rejected_one_is_not():
    here = at(VerifyArtifact)
    assert isinstance(here.perform(), Finished)
    here.artifacts.wrong = "sha256:1.1.0 was altered"
    assert here.perform() == Refused("artifact-altered", "sha256:1.1.0 was altered")
    here.records.rejected = Quarantine(NEW.artifact.digest, "shop", "1.1.0", "7 of 9 failed", "run-7", BEGIN)
    assert here.perform() == Refused("quarantined", "1.1.0 is quarantined since run-7: 7 of 9 failed")


def test_a_command_is_waited_for_and_ends_with_its_last_line():
    here = at(RunCommand)
    here.commands.results["migrate up"] = CommandResult(0, "one\ntwo tables\n")
    assert here.perform() == Pending(LOOK_AGAIN)
    assert here.perform() == Finished("two tables")
    (command,) = here.commands.commands
    assert command.line == "migrate up"
    assert dict(command.variables)["FAIRWAY_VERSION"] == "1.1.0"


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (CommandResult(3, "no such table\n"), "`migrate up` ended with status 3: no such table"),
        (CommandResult(None, ""), "`migrate up` took longer than its time limit: no output"),
    ],
)
def test_a_command_that_fails_or_takes_too_long_is_a_no(result, reason):
    here = at(RunCommand)
    here.commands.results["migrate up"] = result
    here.perform()
    assert here.perform() == Refused("command", reason)


def test_a_command_has_the_same_key_however_often_it_is_asked_for_and_another_step_another_one():
    plan = deployment(Canary(), stages={"migrate": StageChecks(commands=("same", "same"))})
    first, second = at(RunCommand, 0, plan=plan), at(RunCommand, 1, plan=plan)
    for here in (first, first, second):
        here.perform()
    assert len(first.commands.commands) == 1
    assert first.commands.commands[0].key != second.commands.commands[0].key


def test_requests_must_be_answered_as_written():
    stages = {"check": StageChecks(http=(HttpCheck("/a", 200, "well"), HttpCheck("/b")))}
    here = at(CheckHttp, plan=deployment(Canary(), stages=stages))
    here.start(NEW, 2)
    here.router.ensure_routes(routes_for(here.run, here.target, 0.0), epoch=1)
    here.server.otherwise = Answer(200, "all is well")
    assert here.perform().detail == "2 of 2 as expected"
    assert here.server.asked == ["http://127.0.0.1:8001/a", "http://127.0.0.1:8001/b"], "at the candidate's own address"
    here.server.otherwise = Answer(503, "well")
    assert here.perform().reason.startswith("GET /a: status 503: 'well', expected status 200")
    here.server.otherwise = Answer(200, "poorly")
    assert here.perform().reason.startswith("GET /a: 'poorly', expected text 'well'")


def test_what_is_there_is_saved_before_it_is_changed():
    here = at(SaveState)
    saved = here.perform().data
    assert saved["live"]["id"] == OLD.id
    assert saved["instances"] == 2
    assert saved["routes"]["stable"] == OLD.id


# Instances


def test_ready_means_all_of_them():
    here = at(AwaitReady)
    assert here.perform() == Pending(LOOK_AGAIN)
    here.start(NEW, 1)
    assert here.perform() == Pending(LOOK_AGAIN)
    here.start(NEW, 2)
    assert here.perform() == Finished("2 of 2 ready")


def test_too_late_is_decided_by_a_look_not_by_the_time():
    late = ENVIRONMENT.run.health.timeout + 1.0
    here = at(AwaitReady)
    here.start(NEW, 1)
    assert here.perform(spent=late) == Refused("not-ready", "after 2 s 1 of 2 instances of the candidate are ready")
    here.start(NEW, 2)
    assert here.perform(spent=late) == Finished("2 of 2 ready")


def test_a_candidate_that_crashes_again_and_again_is_not_waited_for():
    here = at(AwaitReady)
    here.target.behave(NEW.id, Behaviour(crashes=True))
    here.target.ensure_instances(NEW, 2, epoch=1)
    outcomes = [here.perform() for _ in range(4)]
    assert outcomes[-1].rule == "crash"
    assert "exit status 1" in outcomes[-1].reason


def test_on_the_way_back_stable_is_waited_for_and_a_person_is_told_once():
    here = at(AwaitReady, way_back=True)
    here.target.behave(OLD.id, Behaviour(ready_after=None))
    assert here.perform() == Pending(LOOK_AGAIN)
    told = here.perform(spent=60.0)
    assert [type(event) for event in told.events] == [AttentionNeeded]
    here.run = evolve(here.run, told.events[0])
    assert here.perform(spent=61.0) == Pending(LOOK_AGAIN)


def test_scaling_up_starts_what_is_missing():
    here = at(Scale)
    assert here.perform() == Finished("2 of 2 started")
    assert here.perform() == Finished("2 of 2 started")
    assert len(here.target.observe_instances(NEW.id)) == 2


def busy(here, count):
    """The counters say that each instance has so many requests under way."""
    instances = tuple(
        InstanceTraffic(one.id, 9, 0, active=count)
        for revision in (OLD.id, NEW.id)
        for one in here.target.observe_instances(revision)
    )
    traffic = tuple(RevisionTraffic(revision, 9, 0, (), instances) for revision in (OLD.id, NEW.id))
    here.router.play([TrafficSnapshot(BEGIN, "fake.1", traffic)])


def test_surplus_instances_finish_what_they_have_before_they_are_stopped():
    here = at(Scale, 0, plan=replace(scaling(1), candidate=OLD))
    busy(here, 3)
    assert here.perform() == Pending(LOOK_AGAIN)
    (backend,) = here.router.observe().routes.backends
    assert [endpoint.instance for endpoint in backend.draining] == [f"{OLD.id}.2"]
    assert len(here.target.observe_instances(OLD.id)) == 2
    busy(here, 0)
    assert here.perform() == Finished("1 of 1 started")
    (backend,) = here.router.observe().routes.backends
    assert ([endpoint.instance for endpoint in backend.endpoints], backend.draining) == ([f"{OLD.id}.1"], ())


def test_what_does_not_finish_in_time_is_stopped_all_the_same():
    here = at(Scale, 0, plan=replace(scaling(1), candidate=OLD))
    busy(here, 3)
    assert here.perform(spent=OLD.run.drain - 0.1) == Pending(LOOK_AGAIN)
    assert here.perform(spent=OLD.run.drain) == Finished("1 of 1 started")


def test_a_revision_that_leaves_is_gone_from_the_routes_before_its_instances_are():
    here = at(Scale, way_back=True, number=1)
    here.start(NEW, 2)
    here.router.ensure_routes(routes_for(here.run, here.target, 0.0), epoch=1)
    assert here.perform() == Finished("1.1.0 retired")
    assert [backend.revision for backend in here.router.observe().routes.backends] == [OLD.id]
    assert here.target.list_revisions() == (OLD.id,)


def test_what_is_on_its_way_out_is_waited_for_by_looks_and_gets_no_requests():
    here = at(Scale, 0, plan=replace(scaling(1), candidate=OLD))
    here.target.behave(OLD.id, Behaviour(stops_after=2))
    busy(here, 0)
    assert here.perform() == Pending(LOOK_AGAIN)
    states = [one.state for one in here.target.ensure_instances(OLD, 1, epoch=7)]
    assert states == ["ready", "stopping"], "nothing was waited for in this thread"
    (backend,) = here.router.observe().routes.backends
    assert ([endpoint.instance for endpoint in backend.endpoints], backend.draining) == ([f"{OLD.id}.1"], ())
    while here.perform() == Pending(LOOK_AGAIN):
        assert len(here.target.observe_instances(OLD.id)) <= 2
    assert here.perform() == Finished("1 of 1 started")
    assert [one.id for one in here.target.observe_instances(OLD.id)] == [f"{OLD.id}.1"]


def test_who_dies_after_stopping_an_instance_leaves_no_trace_of_it_in_the_routes():
    here = at(Scale, 0, plan=replace(scaling(1), candidate=OLD))
    busy(here, 3)
    assert here.perform() == Pending(LOOK_AGAIN)
    here.target.ensure_instances(OLD, 1, epoch=7)  # the last thing that the one before did
    assert here.perform() == Finished("1 of 1 started")
    (backend,) = here.router.observe().routes.backends
    assert ([endpoint.instance for endpoint in backend.endpoints], backend.draining) == ([f"{OLD.id}.1"], ())


def test_what_is_on_its_way_out_is_no_surplus_and_is_replaced_at_once():
    here = at(Scale)
    here.start(NEW, 2)
    here.target.behave(NEW.id, Behaviour(stops_after=3))
    here.target.ensure_instances(NEW, 1, epoch=1)
    assert here.perform() == Pending(LOOK_AGAIN)
    staying = [one.id for one in here.target.observe_instances(NEW.id) if one.state != "stopping"]
    assert staying == [f"{NEW.id}.1", f"{NEW.id}.3"]


def test_a_revision_is_retired_when_its_last_instance_is_gone():
    here = at(Scale, way_back=True, number=1)
    here.start(NEW, 2)
    here.target.behave(NEW.id, Behaviour(stops_after=1))
    here.router.ensure_routes(routes_for(here.run, here.target, 0.0), epoch=1)
    assert here.perform() == Pending(LOOK_AGAIN)
    assert [backend.revision for backend in here.router.observe().routes.backends] == [OLD.id]
    assert here.perform() == Finished("1.1.0 retired")
    assert here.target.list_revisions() == (OLD.id,)


# Requests


def test_a_shift_routes_by_weight():
    here = at(Shift, 1)
    here.start(NEW, 2)
    assert here.perform() == Finished("10 % to 1.1.0")
    routes = here.router.observe().routes
    assert (routes.stable, routes.candidate, routes.weight) == (OLD.id, NEW.id, 10.0)


def test_on_the_way_back_requests_return_without_a_look_at_any_instance():
    here = at(Shift, way_back=True)
    here.start(NEW, 2)
    here.router.ensure_routes(routes_for(here.run, here.target, 10.0), epoch=1)

    def silent(revision):
        raise TransientError("target-silent", "nobody answers")

    here.target.observe_instances = silent
    assert here.perform() == Finished("all requests on stable")
    assert here.router.observe().routes.weight == 0.0


def test_a_shift_to_a_stable_revision_that_is_about_to_start_waits_on_the_way_there():
    here = at(Shift, 1)
    here.start(NEW, 2)
    stopping = [replace(one, state="stopping") for one in here.target.observe_instances(OLD.id)]
    look = here.target.observe_instances
    here.target.observe_instances = lambda revision: tuple(stopping) if revision == OLD.id else look(revision)
    assert here.perform() == Pending(LOOK_AGAIN)


def test_every_effect_carries_the_fencing_number():
    here = at(Shift, 1)
    here.start(NEW, 2)
    here.perform()
    assert here.router._epoch == 7
    here = at(Scale)
    here.perform()
    assert here.target._epoch == 7
