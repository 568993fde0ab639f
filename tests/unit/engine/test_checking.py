"""Checks within a run: what follows from their findings, on the way there and on the way back."""

from dataclasses import replace

import pytest

from fairway.domain.errors import TransientError
from fairway.domain.rollout.events import AttentionNeeded, RollbackStarted, StepStarted
from fairway.domain.rollout.routes import Backend, Routes
from fairway.domain.rollout.run import evolve
from fairway.domain.rollout.spec import StageChecks
from fairway.domain.rollout.steps import CheckHttp
from fairway.domain.rollout.strategy import Canary
from fairway.domain.validation.checks import Check, CheckSettings, HttpCheck, Suite
from fairway.domain.validation.findings import errored, failed, lenient, passed
from fairway.domain.validation.needs import PostgresCheck
from fairway.domain.validation.probes import HealthCheck
from fairway.engine.checking import SETTLE, overdue, run_checks
from fairway.engine.world import Finished, Pending, Refused, World
from fairway.testing.checks import FakeChecker, FakeCommands, FakeProbe
from fairway.testing.router import FakeRouter
from fairway.testing.target import FakeTarget
from rollout_samples import BEGIN, NEW, OLD, begun, deployment, done, returning

SUITE = Suite(
    (
        Check("health", HealthCheck(version="release")),
        Check("data", PostgresCheck("postgresql://x/y"), ("before", "live")),
    ),
    CheckSettings(timeout=3.0),
)
NO = failed("status-5xx", "GET /health", "status 200", "status 500")
SILENT = errored("refused", "GET /health", "an answer", "nobody listens on 127.0.0.1:1")
PLAN = deployment(Canary(steps=(10.0, 100.0)), suite=SUITE, stages={"check": StageChecks(http=(HttpCheck("/slow"),))})


class Scene:
    """A run at its checks of one moment, with a checker that finds what it is told."""

    def __init__(self, stage, *, way_back=False, plan=PLAN):
        steps = plan.rollback if way_back else plan.forward
        self.index = next(n for n, one in enumerate(steps) if one.stage == stage and isinstance(one.step, CheckHttp))
        track = "rollback" if way_back else "forward"
        facts = (
            done(plan, self.index)
            if not way_back
            else (RollbackStarted(BEGIN, "failed", "x", "y"), *done(plan, self.index, track=track))
        )
        self.run = evolve(begun(plan, *facts), StepStarted(BEGIN, track, self.index))
        self.step = steps[self.index].step
        self.checker = FakeChecker()
        target, router = FakeTarget(), FakeRouter()
        backends = (Backend(OLD.id, ("127.0.0.1:1",)), Backend(NEW.id, ("127.0.0.1:2",)))
        router.ensure_routes(Routes(OLD.id, NEW.id, 0.0, backends), epoch=1)
        self.world = World(target, router, None, FakeCommands(), FakeProbe(), None, self.checker)

    def perform(self, *, spent=0.0):
        return run_checks(self.run, self.world, self.step, at=BEGIN, spent=spent)


def test_what_the_service_needs_is_asked_before_all_else_and_the_rest_at_its_moment():
    stages = [(one.stage, [getattr(c, "name", None) for c in one.step.checks]) for one in PLAN.forward if _checks(one)]
    assert stages == [("validate", ["data"]), ("check", [None, "health"]), ("verify", ["health", "data"])]
    assert PLAN.rollback[-1].step.checks == (SUITE.checks[0],)
    verification = [one.step.checks for one in returning(suite=SUITE).forward if _checks(one)]
    assert verification == [(HttpCheck("/"), SUITE.checks[0])]


def _checks(planned):
    return isinstance(planned.step, CheckHttp)


def test_the_candidate_is_asked_at_its_own_address_by_its_version_with_stable_to_compare():
    scene = Scene("check")
    assert isinstance(scene.perform(), Finished)
    plain, health = (place for _, place in scene.checker.asked)
    state = scene.world.router.observe()
    assert health.base == f"http://{state.preview}"
    assert health.stable == f"http://{state.address}"
    assert (health.version, health.settings.timeout) == ("1.1.0", 3.0)
    assert plain.settings.timeout == 300.0, "a request of a stage has the time of the stage"


def test_findings_are_kept_with_the_step():
    outcome = Scene("verify").perform()
    assert outcome.detail == "2 checks: 2 passed"
    assert [one["check"] for one in outcome.data["findings"]] == ["health", "data"]


def test_a_no_refuses_with_its_cause_and_a_warning_does_not():
    scene = Scene("verify")
    scene.checker.findings["health"] = (replace(NO, check="health"),)
    refused = scene.perform()
    assert isinstance(refused, Refused)
    assert refused.rule == "http-check"
    assert refused.reason.startswith("health: GET /health: status 500, expected status 200; likely an exception")
    scene.checker.findings["health"] = lenient((replace(NO, check="health"),))
    assert isinstance(scene.perform(), Finished)


def test_no_answer_may_be_tried_again_and_a_no_outweighs_it():
    scene = Scene("verify")
    scene.checker.findings["health"] = (SILENT,)
    with pytest.raises(TransientError, match="nobody listens") as caught:
        scene.perform()
    assert caught.value.code == "check-refused"
    scene.checker.findings["data"] = (NO,)
    assert isinstance(scene.perform(), Refused)


def test_a_plain_request_that_got_lost_on_the_way_is_tried_again():
    scene = Scene("check")
    scene.checker.findings["/slow"] = (failed("timeout", "GET /slow", "an answer", "not answered"),)
    with pytest.raises(TransientError):
        scene.perform()
    scene.checker.findings["/slow"] = ()
    scene.checker.findings["health"] = (failed("timeout", "GET /health", "an answer", "not answered"),)
    assert isinstance(scene.perform(), Refused), "a check may change something and is not"


def test_a_way_back_asks_the_release_that_it_returned_to():
    scene = Scene("verify", way_back=True)
    assert isinstance(scene.perform(), Finished)
    ((_, place),) = scene.checker.asked
    assert (place.base, place.version) == (f"http://{scene.world.router.observe().address}", "1.0.0")


def test_a_way_back_ends_whatever_is_found_and_a_person_is_told():
    scene = Scene("verify", way_back=True)
    scene.checker.findings["health"] = (NO,)
    finished = scene.perform()
    assert isinstance(finished, Finished)
    (event,) = finished.events
    assert isinstance(event, AttentionNeeded)
    assert event.reason.startswith("rolled back to 1.0.0, and its checks do not pass either: ")


def test_a_way_back_waits_a_little_for_an_answer_and_not_for_ever():
    scene = Scene("verify", way_back=True)
    scene.checker.findings["health"] = (SILENT,)
    assert isinstance(scene.perform(spent=SETTLE - 1), Pending)
    late = scene.perform(spent=SETTLE + 1)
    assert isinstance(late, Finished)
    assert late.events


def test_checks_that_never_end_refuse_on_the_way_there_and_end_the_way_back():
    there, back = Scene("verify"), Scene("verify", way_back=True)
    assert isinstance(overdue(there.run, there.step, BEGIN), Refused)
    ended = overdue(back.run, back.step, BEGIN)
    assert isinstance(ended, Finished)
    assert "not answered within 300 s" in ended.events[0].reason


def test_a_check_that_finds_nothing_is_no_yes():
    scene = Scene("verify")
    scene.checker.findings |= {"health": (), "data": ()}
    with pytest.raises(TransientError, match="nothing was checked"):
        scene.perform()
    scene.checker.findings["health"] = (passed("a", "x", "x"),)
    assert isinstance(scene.perform(), Finished)
