"""A person's hand on a run: what each command answers in each situation, and that no command is lost."""

import pytest
from engine_world import Controller, approve, drive_until, facts

from fairway.domain.errors import TransientError, UserError
from fairway.domain.rollout.events import AbortRequested, Advanced, Approved, Paused, Resumed, StepFailed, StepFinished
from fairway.domain.rollout.run import Run
from fairway.domain.rollout.steps import AwaitApprovals, Scale, Watch
from fairway.domain.rollout.strategy import Canary, Rolling
from fairway.usecases.answers import Declined
from fairway.usecases.steer import Helm
from rollout_samples import deployment, place, returning

GATED = deployment(Canary(steps=(10.0, 100.0), bake=2.0), approvals=2)


@pytest.fixture
def at(make):
    """A street whose run has come to a place in its plan, with its controller."""

    def at(plan, index):
        street = make(plan)
        controller = Controller(street, "only")

        def there():
            approve(street)
            run = street.run()
            return run.cursor == index and run.track == "forward" and run.under_way

        drive_until(controller, there)
        return street, controller

    return at


def every_command(street):
    helm = street.helm
    return {
        "pause": helm.pause_run(street.id, actor="bob", reason="lunch"),
        "resume": helm.resume_run(street.id, actor="bob"),
        "promote": helm.promote_run(street.id, actor="bob"),
        "approve": helm.approve_run(street.id, actor="bob"),
        "abort": helm.abort_run(street.id, actor="bob", reason="wrong day"),
    }


def test_no_command_does_anything_to_a_run_that_has_ended(make):
    street = make()
    Controller(street, "only").drive(approve)
    version = street.run().version
    for answer in every_command(street).values():
        assert isinstance(answer, Declined)
        assert answer.code == "ended"
        assert "completed" in answer.sentence
    assert street.run().version == version


def test_a_run_that_does_not_exist_is_a_mistake_of_the_person(make):
    street = make()
    with pytest.raises(UserError, match="run-9"):
        street.helm.pause_run("run-9", actor="bob", reason="")


def test_pausing_twice_is_pausing_once_and_so_is_resuming(make):
    street = make()
    helm = street.helm
    assert helm.pause_run(street.id, actor="bob", reason="").paused == "paused by bob"
    assert helm.pause_run(street.id, actor="eve", reason="mine").paused == "paused by bob"
    assert helm.resume_run(street.id, actor="eve").paused is None
    assert helm.resume_run(street.id, actor="eve").paused is None
    assert [len(facts(street, kind)) for kind in (Paused, Resumed)] == [1, 1]


def test_aborting_twice_is_aborting_once(make):
    street = make()
    for _ in range(2):
        assert street.helm.abort_run(street.id, actor="bob", reason="").abort.reason == "no reason given"
    assert len(facts(street, AbortRequested)) == 1


def test_approving_counts_once_a_person_and_only_where_it_is_asked_for(make):
    street = make(GATED)
    for actor in ("bob", "bob", "eve"):
        assert isinstance(street.helm.approve_run(street.id, actor=actor), Run)
    assert [event.actor for event in facts(street, Approved)] == ["bob", "eve"]


def test_approving_a_run_without_a_gate_is_declined(make):
    street = make()
    answer = street.helm.approve_run(street.id, actor="bob")
    assert (answer.code, facts(street, Approved)) == ("no-gate", [])


def test_promoting_skips_the_rest_of_a_watch(at):
    street, controller = at(GATED, place(GATED, Watch))
    begun = street.clock()
    assert isinstance(street.helm.promote_run(street.id, actor="bob"), Run)
    drive_until(controller, lambda: street.share() == 100.0)
    assert street.clock() - begun <= 0.5
    assert len(facts(street, Advanced)) == 1


def test_promoting_in_the_observation_lets_go_of_the_old_revision(at):
    street, controller = at(GATED, place(GATED, Watch, 1))
    street.helm.promote_run(street.id, actor="bob")
    controller.drive(approve)
    assert street.run().outcome == "completed"
    assert street.target.list_revisions() == (street.plan.candidate.id,)


def test_promoting_does_not_replace_an_approval(make):
    street = make(GATED)
    controller = Controller(street, "only")
    drive_until(controller, lambda: street.run().phase == "waiting-approval" and street.run().under_way)
    answer = street.helm.promote_run(street.id, actor="bob")
    assert (answer.code, answer.hint) == ("needs-approval", f"fairway approve {street.id}")


def test_promoting_a_paused_run_resumes_it(at):
    street, controller = at(GATED, place(GATED, Watch))
    street.helm.pause_run(street.id, actor="bob", reason="lunch")
    answer = street.helm.promote_run(street.id, actor="bob")
    assert (answer.paused, answer.cursor) == (None, place(GATED, Watch) + 1)
    controller.drive(approve)
    assert street.run().outcome == "completed"


def test_promoting_between_steps_is_declined_unless_the_run_is_paused_there(make):
    street = make()
    answer = street.helm.promote_run(street.id, actor="bob")
    assert answer.code == "nothing-to-skip"
    assert "verify the artifact" in answer.sentence
    street.helm.pause_run(street.id, actor="bob", reason="lunch")
    assert street.helm.promote_run(street.id, actor="bob").paused is None


def test_on_the_way_back_a_pause_and_a_promotion_are_declined_and_an_abort_is_granted_already(make):
    street = make(failing={GATED.candidate.id: 1.0})
    controller = Controller(street, "only")
    silent = TransientError("target-silent", "nobody answers")
    street.boundaries.broken["target.ensure_instances"] = lambda: silent if street.run().track == "rollback" else None
    drive_until(controller, lambda: street.run().track == "rollback")
    answers = every_command(street)
    assert answers["pause"].code == "going-back"
    assert answers["promote"].code == "nothing-to-skip"
    assert isinstance(answers["abort"], Run)
    assert facts(street, AbortRequested) == []


@pytest.mark.parametrize("plan", [deployment(Canary(steps=(10.0, 100.0), bake=2.0)), returning()])
def test_an_abort_after_the_commit_point_is_declined(plan, make):
    street = make(plan)
    controller = Controller(street, "only")
    answers = []

    def ask(name):
        if name == "before target.ensure_instances" and street.run().committed:
            answers.append(street.helm.abort_run(street.id, actor="bob", reason="too late"))

    street.boundaries.look = ask
    controller.drive(approve)
    (answer,) = answers
    assert answer.code == "committed"
    assert "fairway rollback --env e1" in answer.hint
    assert street.run().outcome == "completed"
    assert isinstance(plan.forward[plan.commit].step, Scale)


def test_a_command_that_meets_the_controllers_own_writing_is_tried_again(make):
    street = make()

    class Busy:
        """Somebody else always appends between the command's reading and its writing."""

        def __init__(self, times):
            self.times = times

        def load(self, run):
            return street.store.load(run)

        def append(self, run, events, *, wake, epoch=None):
            if self.times:
                self.times -= 1
                street.store.append(street.store.load(run.id), [Approved(street.clock(), f"p{self.times}")], wake=wake)
            return street.store.append(run, events, wake=wake, epoch=epoch)

    assert Helm(Busy(5), street.clock).pause_run(street.id, actor="bob", reason="lunch").paused == "lunch"
    with pytest.raises(TransientError):
        Helm(Busy(1000), street.clock).resume_run(street.id, actor="bob")


def test_approvals_are_waited_for_by_a_run_that_holds_nothing(make):
    street = make(GATED)
    controller = Controller(street, "only")
    epoch = controller.claim()
    while (again := controller.engine.advance(street.id, epoch)) is not None:
        street.pass_time(again)
    assert street.run().phase == "waiting-approval"
    assert controller.claim() is None, "it is not due"
    street.helm.approve_run(street.id, actor="bob")
    assert controller.engine.advance(street.id, controller.claim()) is None
    street.helm.approve_run(street.id, actor="eve")
    controller.drive(approve)
    assert street.run().outcome == "completed"
    gate = next(event for event in facts(street, StepFinished) if event.index == place(GATED, AwaitApprovals))
    assert gate.detail == "approved by bob, eve"


def test_a_rolling_update_can_be_aborted_in_its_observation(make):
    plan = deployment(Rolling(bake=0.0), observe=30.0)
    street = make(plan)
    controller = Controller(street, "only")
    drive_until(controller, lambda: street.run().phase == "observing")
    street.helm.abort_run(street.id, actor="bob", reason="wrong day")
    controller.drive(approve)
    assert street.run().outcome == "rolled-back"
    assert street.share() == 0.0
    assert street.target.list_revisions() == (street.plan.stable.id,)


@pytest.mark.parametrize("why", ["failed", "aborted"])
def test_no_promotion_gets_ahead_of_a_way_back_that_is_decided(why, at):
    plan = deployment(Canary(steps=(10.0, 100.0), bake=2.0))
    street, controller = at(plan, place(plan, Watch, 1))
    if why == "failed":
        # The controller dies before it writes that the run goes back.
        failed = StepFailed(street.clock(), "forward", street.run().cursor, "failed", "hard", "it fails")
        street.store.append(street.run(), (failed,), wake=0.0)
    else:
        street.helm.abort_run(street.id, actor="bob", reason="wrong day")
    answer = street.helm.promote_run(street.id, actor="eve")
    assert isinstance(answer, Declined)
    assert answer.code == "going-back"
    controller.drive(approve)
    assert street.run().outcome == "rolled-back"
