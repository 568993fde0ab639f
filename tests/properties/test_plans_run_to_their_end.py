"""What holds for every run: facts fold in any order, decisions make progress, and every run ends."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from fairway.domain.analysis.budget import Budget
from fairway.domain.codec import from_json, to_json
from fairway.domain.rollout.decide import Done, Record, Wait, decide
from fairway.domain.rollout.events import (
    AbortRequested,
    Advanced,
    Approved,
    ArtifactQuarantined,
    AttentionNeeded,
    Event,
    Extended,
    Held,
    Paused,
    QuarantineLifted,
    Released,
    Resumed,
    RollbackStarted,
    RunEnded,
    StepFailed,
    StepFinished,
    StepStarted,
)
from fairway.domain.rollout.messages import message_for
from fairway.domain.rollout.run import Run, evolve, fold
from fairway.domain.rollout.steps import AwaitApprovals, Watch
from fairway.domain.rollout.strategy import BlueGreen, Canary, Rolling
from fairway.usecases.report import describe_run
from rollout_samples import BEGIN, begun, deployment, returning, scaling

SETTINGS = settings(max_examples=200, deadline=None)
PLANS = (
    deployment(Canary(steps=(10.0, 50.0, 100.0)), approvals=2),
    deployment(Canary(steps=(1.0, 100.0), bake=60.0, min_bake=5.0), budget=Budget(50)),
    deployment(Canary(steps=(10.0, 75.0, 100.0), baseline=True)),
    deployment(BlueGreen(keep=5.0), approvals=1),
    deployment(Rolling(max_surge=1), instances=3, stable_instances=3),
    deployment(Rolling(max_surge=0, max_unavailable=1), observe=0.0, stages={}),
    deployment(Canary(), first=True, approvals=1),
    returning(rollback_scripts=("down.sql",)),
    scaling(4),
    scaling(1),
)

words = st.sampled_from(["ann", "bob", "fairway", "", "zero \x00 and \N{SPARKLES}"])
causes = st.sampled_from(["failed", "errored", "aborted"])
times = st.floats(0.0, 4e9)


@st.composite
def facts(draw, plan) -> Event:
    """Any event with any content that fits the plan, whether or not it makes sense now."""
    track = draw(st.sampled_from(["forward", "rollback"]))
    index = draw(st.integers(0, len(plan.forward if track == "forward" else plan.rollback) - 1))
    at, who, why = draw(times), draw(words), draw(words)
    digest = plan.candidate.artifact.digest
    return draw(
        st.sampled_from(
            [
                StepStarted(at, track, index),
                StepFinished(at, track, index, why),
                StepFailed(at, track, index, "failed", "hard-lane", why),
                StepFailed(at, track, index, "errored", "router-silent", why),
                Paused(at, who, why),
                Resumed(at, who),
                Advanced(at, who, index),
                Extended(at, index, why),
                Approved(at, who),
                AbortRequested(at, who, why),
                Held(at, draw(st.sampled_from(["metrics-outage", "budget"])), why),
                Released(at),
                RollbackStarted(at, draw(causes), "abort", why),
                ArtifactQuarantined(at, digest, why),
                QuarantineLifted(at, who, digest, why),
                AttentionNeeded(at, why),
                RunEnded(at, draw(st.sampled_from(["completed", "rolled-back"])), why),
            ]
        )
    )


stories = st.sampled_from(PLANS).flatmap(lambda plan: st.tuples(st.just(plan), st.lists(facts(plan), max_size=30)))


@SETTINGS
@given(stories)
def test_any_sequence_of_events_folds_and_can_be_shown_and_decided_on(story):
    plan, events = story
    run = begun(plan)
    for event in events:
        run = evolve(run, event)
        assert from_json(Event, to_json(event)) == event
        message = message_for(run, event)
        assert message is None or message["text"].startswith("shop ")
        described = describe_run(run, None)
        assert described["phase"] == run.phase
        assert len(described["steps"]) >= len(plan.forward)
        decide(run, BEGIN)
    assert run.version == len(events) + 1
    assert run == fold(run.id, events, begun(plan))


@SETTINGS
@given(stories)
def test_whatever_happened_a_decision_to_record_something_changes_the_state(story):
    """And after so many decisions in a row there is something to perform, or a person to wait for."""
    plan, events = story
    run = fold("run-1", events, begun(plan))
    seen = set()
    for _ in range(2 * len(plan.forward) + 12):
        decision = decide(run, BEGIN)
        if not isinstance(decision, Record):
            return
        after = evolve(run, decision.event)
        unversioned = replace(after, version=0, records=())
        assert unversioned not in seen
        assert replace(after, version=run.version) != run
        seen.add(unversioned)
        run = after
    raise AssertionError("decides on and on without doing anything")


class Performer:
    """Goes where `decide` points, with answers and people from a list; helpful ones once the list is used up."""

    def __init__(self, plan, answers):
        self.run, self.answers, self.events = begun(plan), list(answers), []

    def append(self, event):
        self.run = evolve(self.run, event)
        self.events.append(event)

    def play(self) -> Run:
        for _ in range(6 * (len(self.run.plan.forward) + len(self.run.plan.rollback)) + 3 * len(self.answers) + 20):
            decision = decide(self.run, BEGIN)
            if isinstance(decision, Done):
                return self.run
            if isinstance(decision, Record):
                self.append(decision.event)
                continue
            answer = self.answers.pop(0) if self.answers else "done"
            self.answer(answer, waits=isinstance(decision, Wait))
        raise AssertionError(f"no end: {self.run.phase} at {self.run.current}")

    def answer(self, answer, *, waits):
        run, planned = self.run, self.run.current
        person = {
            "pause": Paused(BEGIN, "bob", "lunch"),
            "inconclusive": Paused(BEGIN, "fairway", "no requests"),
            "abort": AbortRequested(BEGIN, "bob", "wrong day"),
            "approve": Approved(BEGIN, "bob"),
            "hold": Held(BEGIN, "metrics-outage", "no counters"),
            "release": Released(BEGIN),
        }
        if answer in person and run.track == "forward":
            self.append(person[answer])
        elif answer == "advance" and run.track == "forward" and isinstance(planned.step, Watch):
            self.append(Advanced(BEGIN, "bob", run.cursor))
        elif answer in ("failed", "errored") and run.returnable and not waits:
            self.append(StepFailed(BEGIN, "forward", run.cursor, answer, "hard-lane", "7 of 9"))
        elif run.paused is not None:
            self.append(Resumed(BEGIN, "bob"))
        elif isinstance(planned.step, AwaitApprovals) and len(run.approvals) < planned.step.count:
            self.append(Approved(BEGIN, f"person {len(run.approvals)}"))
        elif not waits:
            self.append(StepFinished(BEGIN, run.track, run.cursor))


answers = st.sampled_from(
    [
        "done",
        "done",
        "done",
        "pause",
        "inconclusive",
        "abort",
        "approve",
        "hold",
        "release",
        "advance",
        "failed",
        "errored",
    ]
)


@SETTINGS
@given(st.sampled_from(PLANS), st.lists(answers, max_size=25))
def test_every_run_ends_once_whatever_is_answered_on_the_way(plan, given_answers):
    performer = Performer(plan, given_answers)
    run = performer.play()
    kinds = [type(event) for event in performer.events]
    assert kinds.count(RunEnded) == 1
    assert kinds[-1] is RunEnded
    assert kinds.count(RollbackStarted) <= 1
    assert kinds.count(ArtifactQuarantined) <= 1
    assert (run.outcome == "rolled-back") == (RollbackStarted in kinds)
    if run.outcome == "completed":
        assert run.live == plan.candidate
        assert {record.index for record in run.records} == set(range(len(plan.forward)))
    else:
        assert run.live == (plan.candidate if plan.kind == "scale" else plan.stable)
        assert [record.index for record in run.records if record.track == "rollback"] == list(range(len(plan.rollback)))


@SETTINGS
@given(st.sampled_from(PLANS), st.lists(answers, max_size=25))
def test_nothing_goes_back_after_the_commit_point_and_nothing_forward_on_the_way_back(plan, given_answers):
    performer = Performer(plan, given_answers)
    performer.play()
    run = begun(plan)
    for event in performer.events:
        if isinstance(event, RollbackStarted):
            assert not run.committed
        if isinstance(event, StepStarted):
            assert event.track == run.track
        run = evolve(run, event)


@SETTINGS
@given(st.sampled_from(PLANS))
def test_a_run_whose_steps_all_succeed_takes_two_events_a_step(plan):
    performer = Performer(plan, [])
    run = performer.play()
    assert run.outcome == "completed"
    steps = [event for event in performer.events if isinstance(event, StepStarted | StepFinished)]
    assert len(steps) == 2 * len(plan.forward)
