"""A server that never answers a check delays nobody: neither the judgement, nor a person, nor the end of the step."""

from concurrent.futures import Executor, Future

import pytest
from engine_world import Controller, approve, drive_until
from scripts import DEAD

from fairway.domain.rollout.spec import HttpCheck, StageChecks
from fairway.domain.rollout.steps import CheckHttp
from fairway.domain.rollout.strategy import Canary
from rollout_samples import deployment

TIMEOUT = 20.0


class Hanging(Executor):
    """Begins everything and ends nothing."""

    def submit(self, call, /, *args, **kwargs):
        return Future()


@pytest.fixture
def hanging(make):
    """A run at a check on all the requests of users that is not answered, and its controller."""
    stages = {"verify": StageChecks(http=(HttpCheck("/"), HttpCheck("/other")), timeout=TIMEOUT)}
    street = make(deployment(Canary(steps=(10.0, 100.0), bake=2.0), stages=stages))
    street.asking = Hanging()
    controller = Controller(street, "only")
    drive_until(controller, lambda: isinstance(street.run().current.step, CheckHttp) and street.run().under_way)
    return street, controller


def test_a_candidate_that_fails_meanwhile_is_taken_back(hanging):
    street, controller = hanging
    street.failing.update(DEAD)
    bad = street.clock()
    run = drive_until(controller, lambda: street.share() == 0.0)
    assert street.clock() - bad <= 2.0
    assert run.failure.cause == "failed"


def test_a_person_who_takes_it_back_is_heard(hanging):
    street, controller = hanging
    street.helm.abort_run(street.id, actor="bob", reason="wrong day")
    asked = street.clock()
    drive_until(controller, lambda: street.share() == 0.0)
    assert street.clock() - asked <= 0.5


def test_no_answer_to_all_requests_in_the_time_of_the_step_is_a_no(hanging):
    street, controller = hanging
    controller.drive(approve)
    run = street.run()
    assert (run.outcome, run.failure.cause, run.failure.rule) == ("rolled-back", "failed", "http-check")
    assert run.failure.reason == "2 requests to the public address: not answered within 20 s"
    (asked,) = [record for record in run.records if record.outcome == "failed"]
    assert TIMEOUT <= asked.finished - asked.started <= TIMEOUT + 1.0
