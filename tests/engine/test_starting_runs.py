"""From what a person asks for to a run in the journal: deploying, and going back."""

from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import pytest

from fairway.domain.errors import PermanentError, UserError
from fairway.domain.rollout.decide import Done, Record, decide
from fairway.domain.rollout.events import AbortRequested, RollbackStarted, StepFinished
from fairway.domain.rollout.strategy import Canary, Rolling
from fairway.testing.artifacts import FakeArtifacts, FakeSource
from fairway.usecases.answers import Declined, Started, Unchanged
from fairway.usecases.deploy import Deployer, Request
from fairway.usecases.rollback import Return, Returner
from rollout_samples import BEGIN, ENVIRONMENT, SERVICE

STAGING = replace(ENVIRONMENT, name="staging", instances=1, strategy=Rolling(bake=0.0))
PRODUCTION = replace(ENVIRONMENT, name="production", after="staging", strategy=Canary())


class Shop:
    """A service with two environments, releases in a history, and runs that end when told."""

    def __init__(self, store, clock):
        self.store, self.clock = store, clock
        self.service = replace(SERVICE, environments=(STAGING, PRODUCTION), build_steps=("echo built",))
        self.source = FakeSource()
        for version in ("1.0.0", "1.1.0", "1.2.0"):
            self.source.release(version, {"app.py": version})
        self.artifacts = FakeArtifacts("shop", self.source)
        self.numbers = count(1)
        self.lines = []

    def new_run(self):
        return f"run-{next(self.numbers)}"

    @property
    def deployer(self):
        store = self.store
        return Deployer(
            self.service, self.source, self.artifacts, store, store, self.new_run, self.clock, self.lines.append
        )

    @property
    def returner(self):
        store = self.store
        return Returner(
            self.service, self.source, self.artifacts, store, store, self.source.knows, self.new_run, self.clock
        )

    def deploy(self, release, environment="staging", **changes):
        return self.deployer.start(Request(release, environment, "ann", "new prices", **changes))

    def back(self, environment="staging", *, to=None, reason="prices are wrong", confirmation="CONFIRM"):
        return self.returner.start(Return(environment, "ann", reason, confirmation, to))

    def end(self, started, *, failed=False):
        """Every step of the run succeeds; or it goes back because the candidate fails as soon as it has requests."""
        assert isinstance(started, Started), started
        run = self.store.load(started.run)
        while not isinstance(decision := decide(run, self.clock()), Done):
            event = decision.event if isinstance(decision, Record) else StepFinished(BEGIN, run.track, run.cursor)
            if failed and run.returnable and run.weight > 0.0:
                event = RollbackStarted(BEGIN, "failed", "hard-lane", "7 of 9 requests failed")
            run = self.store.append(run, (event,), wake=None)
        return run

    def live(self, environment="staging"):
        state = self.store.environment("shop", environment)
        return (state.live.version if state.live else None, state.instances)


@pytest.fixture
def shop(sqlite, clock):
    return Shop(sqlite, clock)


# Deploying


def test_a_release_is_built_planned_and_started(shop):
    started = shop.deploy("1.0.0")
    assert isinstance(started, Started)
    run = shop.store.load(started.run)
    assert (run.actor, run.reason, run.started) == ("ann", "new prices", BEGIN)
    assert (run.plan.candidate.version, run.plan.stable, run.plan.instances) == ("1.0.0", None, 1)
    assert "built" in shop.lines
    assert shop.end(started).outcome == "completed"
    assert shop.live() == ("1.0.0", 1)


def test_planning_starts_nothing(shop):
    plan = shop.deployer.plan(Request("1.0.0", "staging", "ann"))
    assert plan.candidate.version == "1.0.0"
    assert shop.store.list_runs() == ()


def test_a_second_release_starts_from_what_is_live(shop):
    shop.end(shop.deploy("1.0.0"))
    plan = shop.deploy("v1.1.0").plan
    assert (plan.stable.version, plan.stable_instances, plan.candidate.version) == ("1.0.0", 1, "1.1.0")


def slowly(shop, meanwhile):
    """The deployer, whose release takes so long to be made that something else happens meanwhile."""

    def resolve(name):
        meanwhile()
        return shop.source.resolve(name)

    return replace(shop.deployer, source=SimpleNamespace(resolve=resolve))


def test_what_changes_during_a_long_build_is_known_to_the_plan(shop):
    shop.end(shop.deploy("1.0.0"))

    def scale():
        shop.service = replace(shop.service, environments=(replace(STAGING, instances=3), PRODUCTION))
        shop.end(shop.deploy("1.0.0"))

    deployer = slowly(shop, scale)
    assert deployer.plan(Request("1.1.0", "staging", "ann")).stable_instances == 3


def test_a_run_that_begins_during_a_build_is_not_planned_past(shop):
    shop.end(shop.deploy("1.0.0"))
    deployer = slowly(shop, lambda: shop.deploy("1.2.0"))
    assert deployer.plan(Request("1.1.0", "staging", "ann")).code == "busy"


def test_the_same_release_again_changes_nothing(shop):
    shop.end(shop.deploy("1.0.0"))
    answer = shop.deploy("1.0.0")
    assert isinstance(answer, Unchanged)
    assert answer.sentence == "1.0.0 is live in staging already, with this configuration"
    assert len(shop.store.list_runs()) == 1


def test_the_same_release_with_another_number_of_instances_is_scaled(shop):
    shop.end(shop.deploy("1.0.0"))
    shop.service = replace(shop.service, environments=(replace(STAGING, instances=3), PRODUCTION))
    started = shop.deploy("1.0.0")
    assert started.plan.kind == "scale"
    shop.end(started)
    assert shop.live() == ("1.0.0", 3)
    assert isinstance(shop.deploy("1.0.0"), Unchanged)


def test_the_same_release_with_another_configuration_is_another_revision(shop):
    shop.end(shop.deploy("1.0.0"))
    changed = replace(STAGING, run=replace(STAGING.run, variables=(("MODE", "fast"),)))
    shop.service = replace(shop.service, environments=(changed, PRODUCTION))
    plan = shop.deploy("1.0.0").plan
    assert plan.kind == "deploy"
    assert plan.stable.id != plan.candidate.id
    assert plan.stable.artifact == plan.candidate.artifact


def test_another_strategy_may_be_chosen_for_once(shop):
    shop.end(shop.deploy("1.0.0"))
    assert shop.deploy("1.1.0", strategy=Canary()).plan.strategy.startswith("canary")


def test_while_a_run_is_under_way_another_is_declined_and_told_its_name(shop):
    started = shop.deploy("1.0.0")
    for answer in (shop.deploy("1.1.0"), shop.deployer.plan(Request("1.1.0", "staging", "ann"))):
        assert (answer.code, answer.sentence) == ("busy", f"run {started.run} is under way in staging")


def test_a_run_that_began_while_this_one_was_built_is_not_overtaken(shop):
    class Quick(FakeArtifacts):
        def build(self, *args, **kwargs):
            Shop.deploy(shop, "1.0.0")
            return super().build(*args, **kwargs)

    slow, quick = Quick("shop", shop.source), shop.artifacts
    deployer = replace(shop.deployer, artifacts=slow)
    shop.artifacts = quick
    answer = deployer.start(Request("1.1.0", "staging", "bob"))
    assert (answer.code, "run-1" in answer.sentence) == ("busy", True)


def test_environments_have_an_order(shop):
    answer = shop.deploy("1.0.0", "production")
    assert (answer.code, answer.hint) == ("order", "fairway deploy 1.0.0 --env staging")
    shop.end(shop.deploy("1.0.0"))
    assert isinstance(shop.deploy("1.0.0", "production"), Started)


def test_a_release_that_was_taken_back_in_the_first_environment_does_not_come_into_the_next(shop):
    shop.end(shop.deploy("1.0.0"), failed=True)
    assert shop.deploy("1.0.0", "production").code == "quarantined"


def test_a_rejected_release_comes_back_only_with_a_reason_and_may_then_be_deployed(shop):
    shop.end(shop.deploy("1.0.0"))
    shop.end(shop.deploy("1.1.0"), failed=True)
    assert shop.live() == ("1.0.0", 1)
    answer = shop.deploy("1.1.0")
    assert answer.code == "quarantined"
    assert "7 of 9 requests failed" in answer.sentence
    with pytest.raises(UserError):
        shop.deploy("1.1.0", lift_quarantine=" ")
    started = shop.deploy("1.1.0", lift_quarantine="it was the network")
    digest = started.plan.candidate.artifact.digest
    shop.end(started)
    assert shop.store.quarantine(digest) is None
    assert shop.live() == ("1.1.0", 1)


def test_names_that_do_not_exist_are_mistakes_of_the_person(shop):
    with pytest.raises(UserError, match=r"'9\.9\.9'"):
        shop.deploy("9.9.9")
    with pytest.raises(UserError, match="no environment 'moon'") as caught:
        shop.deploy("1.0.0", "moon")
    assert caught.value.hint == "known are staging, production"
    with pytest.raises(UserError, match="sha256:1234"):
        shop.deploy("sha256:1234")


def test_a_build_that_fails_starts_nothing(shop):
    shop.service = replace(shop.service, build_steps=("false",))
    with pytest.raises(PermanentError):
        shop.deploy("1.0.0")
    assert shop.store.list_runs() == ()


def test_a_kept_artifact_is_deployed_by_its_digest_and_a_folder_by_its_version(shop, tmp_path):
    digest = shop.deploy("1.0.0").plan.candidate.artifact.digest
    shop.end(Started("run-1", shop.store.load("run-1").plan))
    assert isinstance(shop.deploy(digest), Unchanged)
    (tmp_path / "app.py").write_text("built elsewhere")
    shop.service = replace(shop.service, artifact_path=str(tmp_path))
    assert shop.deploy("2.0.0").plan.candidate.artifact.commit == ""


# Going back


@pytest.fixture
def history(shop):
    """1.0.0, 1.1.0 and 1.2.0 were live, one after the other."""
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        shop.end(shop.deploy(version))
    return shop


def test_going_back_returns_to_what_was_live_before(history):
    started = history.back()
    assert (started.plan.kind, started.plan.candidate.version, started.plan.stable.version) == (
        "rollback",
        "1.1.0",
        "1.2.0",
    )
    history.end(started)
    assert history.live() == ("1.1.0", 1)


def test_what_was_gone_back_from_is_rejected_under_its_own_name_and_not_returned_to(history):
    started = history.back()
    history.end(started)
    rejected = history.store.quarantine(started.plan.stable.artifact.digest)
    assert (rejected.release, rejected.run, rejected.reason) == ("1.2.0", started.run, "prices are wrong")
    assert history.deploy("1.2.0").code == "quarantined"
    assert history.back(to="1.2.0").code == "quarantined"
    assert history.back().plan.candidate.version == "1.0.0", "further back"


@pytest.mark.parametrize("name", ["1.0.0", "v1.0.0", "run-1", "{commit}", "{commit:.7}", "{digest}"])
def test_any_earlier_release_can_be_named(name, history):
    artifact = history.store.load("run-1").plan.candidate.artifact
    wanted = name.format(commit=artifact.commit, digest=artifact.digest)
    assert history.back(to=wanted).plan.candidate.artifact == artifact


def test_going_back_needs_a_reason_and_a_confirmation(history):
    with pytest.raises(UserError, match="reason"):
        history.back(reason=" ")
    with pytest.raises(UserError, match="'yes'"):
        history.back(confirmation="yes")
    assert len(history.store.list_runs()) == 3


def test_there_must_be_something_to_go_back_from_and_to(shop):
    with pytest.raises(UserError, match="nothing is live in staging"):
        shop.back()
    shop.end(shop.deploy("1.0.0"))
    assert shop.back().code == "no-way-back"
    assert isinstance(shop.back(to="1.0.0"), Unchanged)


def test_a_release_that_was_never_live_there_is_declined_and_those_that_were_are_named(shop):
    shop.end(shop.deploy("1.0.0"))
    answer = shop.back(to="1.2.0")
    assert (answer.code, answer.hint) == ("never-released", "releases that were: 1.0.0")
    with pytest.raises(UserError, match=r"'9\.9\.9'"):
        shop.back(to="9.9.9")


def test_an_altered_or_lost_artifact_is_not_returned_to(history):
    digest = history.store.load("run-2").plan.candidate.artifact.digest
    history.artifacts.alter(digest)
    assert history.back(to="1.1.0").code == "artifact-altered"
    assert history.back().plan.candidate.version == "1.0.0", "the next that can be"


def test_a_commit_that_is_no_longer_in_the_history_is_not_returned_to(history):
    history.source.knows = lambda commit: False
    assert history.back(to="1.1.0").code == "unknown-commit"
    assert history.back().code == "no-way-back"


def test_while_a_run_is_under_way_going_back_means_its_own_way_back(history):
    history.end(history.deploy("1.0.0", strategy=Canary()), failed=True)
    started = history.deploy("1.1.0", strategy=Canary())
    for to in (None, "1.2.0"):
        answer = history.back(to=to)
        assert (answer.run, answer.plan.candidate.version) == (started.run, "1.1.0")
        assert answer.taken_back, "its way back is a success"
    abort = [event for event in history.store.list_events(started.run) if isinstance(event, AbortRequested)]
    assert [event.reason for event in abort] == ["prices are wrong"]


def test_while_a_run_is_under_way_going_anywhere_else_is_declined(history):
    started = history.deploy("1.1.0", strategy=Canary())
    answer = history.back(to="1.0.0")
    assert isinstance(answer, Declined)
    assert (answer.code, answer.sentence) == ("busy", f"run {started.run} is under way in staging")


def test_going_back_to_a_release_with_the_configuration_it_had(history):
    history.service = replace(
        history.service,
        environments=(replace(STAGING, run=replace(STAGING.run, command="other {port}")), PRODUCTION),
    )
    assert history.back().plan.candidate.run.command == STAGING.run.command


def test_going_back_again_while_a_rollback_is_under_way_joins_it(shop):
    shop.end(shop.deploy("1.0.0"))
    shop.end(shop.deploy("1.1.0"))
    first = shop.back()
    for again in (shop.back(), shop.back(to="1.0.0")):
        assert isinstance(again, Started)
        assert again.run == first.run
        assert not again.taken_back, "its way back would be a failure, as it would be of the first"
    assert shop.store.load(first.run).abort is None
    assert shop.end(first).outcome == "completed"
    assert shop.live() == ("1.0.0", 1)
