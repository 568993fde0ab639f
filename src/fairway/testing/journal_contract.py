"""What every storage of the journal must do with events, projections and evidence.

`class TestMyStore(JournalContract)` with the one method that is left open. Leases and messages have suites of their
own in `leases_contract.py` and `outbox_contract.py`.
"""

# ruff: noqa: D102 the names of tests are sentences

from dataclasses import replace
from functools import partial

from fairway.domain.analysis.history import HistoryChange
from fairway.domain.errors import PermanentError, TransientError, UserError
from fairway.domain.rollout.events import Advanced, Approved, Paused, QuarantineLifted, Resumed, RunEnded
from fairway.testing.journal_samples import (
    BEGIN,
    begin,
    completion,
    deployed,
    plan,
    promotion,
    revision,
    scaled,
    started,
    way_back,
)
from fairway.testing.store_contract import StoreContract, at_once, caught, outcome


class JournalContract(StoreContract):
    """The suite for `Journal`, `Records` and `Evidence`."""

    def test_a_run_that_was_started_can_be_loaded_by_another_process(self) -> None:
        assert self.open_store().start("run-1", started(plan())) is None
        run = self.open_store().load("run-1")
        assert (run.id, run.version, run.actor, run.reason) == ("run-1", 1, "ann", "new prices")
        assert run.plan == plan()

    def test_starting_the_same_run_again_changes_nothing(self) -> None:
        store = self.open_store()
        begin(store, "run-1", plan())
        assert store.start("run-1", started(plan())) is None
        assert len(store.list_events("run-1")) == 1

    def test_a_second_run_in_the_same_environment_is_refused_and_nothing_is_written(self) -> None:
        store = self.open_store()
        begin(store, "run-1", plan())
        assert store.start("run-2", started(plan("1.1.0"))) == "run-1"
        assert [run.id for run in store.list_runs()] == ["run-1"]
        assert store.environment("shop", "production").run == "run-1"

    def test_other_environments_are_free(self) -> None:
        store = self.open_store()
        begin(store, "run-1", plan())
        assert store.start("run-2", started(plan(environment="staging"))) is None

    def test_the_environment_is_free_again_when_its_run_has_ended(self) -> None:
        store = self.open_store()
        deployed(store, "run-1", plan())
        assert store.environment("shop", "production").run is None
        assert store.start("run-2", started(plan("1.1.0", revision("1.0.0")))) is None
        assert store.environment("shop", "production").run == "run-2"

    def test_a_plan_that_starts_from_what_is_no_longer_live_is_refused(self) -> None:
        store = self.open_store()
        deployed(store, "run-1", plan())
        from_nothing, from_another = plan("1.1.0"), plan("1.1.0", revision("0.9.0"))
        assert outcome(lambda: store.start("run-2", started(from_nothing))) == "plan-outdated"
        assert outcome(lambda: store.start("run-2", started(from_another))) == "plan-outdated"
        assert store.environment("shop", "production").run is None
        assert len(store.list_runs()) == 1

    def test_of_many_starts_at_once_in_one_environment_exactly_one_begins(self) -> None:
        stores = [self.open_store() for _ in range(4)]
        for turn in range(8):
            answers = at_once([partial(s.start, f"run-{turn}-{n}", started(plan())) for n, s in enumerate(stores)])
            occupant = stores[0].environment("shop", "production").run
            assert occupant is not None
            assert sorted(answers, key=str) == sorted([None, occupant, occupant, occupant], key=str)
            assert len(stores[0].list_runs()) == turn + 1
            run = stores[0].load(occupant)
            stores[0].append(run, [RunEnded(BEGIN, "superseded", "the next one comes")], wake=None)

    def test_appending_gives_the_state_that_loading_gives(self) -> None:
        store = self.open_store()
        appended = store.append(begin(store, "run-1", plan()), promotion(), wake=None)
        assert appended.version == 3
        assert self.open_store().load("run-1") == appended

    def test_loading_with_a_known_state_gives_what_loading_anew_gives(self) -> None:
        store = self.open_store()
        known = begin(store, "run-1", plan())
        assert store.load("run-1", known=known) == known
        store.append(known, promotion(), wake=None)
        assert store.load("run-1", known=known) == store.load("run-1")

    def test_events_come_in_their_order_after_a_version(self) -> None:
        store = self.open_store()
        facts = (*promotion(), *completion())
        store.append(begin(store, "run-1", plan()), facts, wake=None)
        assert store.list_events("run-1") == (started(plan()), *facts)
        assert store.list_events("run-1", after=3) == facts[2:]
        assert store.list_events("run-1", after=6) == ()

    def test_an_unknown_run_is_refused_and_the_latest_ones_are_named(self) -> None:
        store = self.open_store()
        begin(store, "run-1", plan())
        error = caught(UserError, lambda: store.load("run-7"))
        assert "run-7" in error.message
        assert "run-1" in error.hint
        assert store.list_events("run-7") == ()
        assert caught(UserError, lambda: store.load("odd \udcff"))

    def test_an_outdated_version_is_refused_and_nothing_is_written(self) -> None:
        store = self.open_store()
        outdated = begin(store, "run-1", plan())
        present = store.append(outdated, [Paused(BEGIN, "bob", "lunch")], wake=None)
        facts = (*promotion(), *completion())
        assert outcome(lambda: store.append(outdated, [], wake=BEGIN)) == "version-conflict"
        assert caught(TransientError, lambda: store.append(outdated, facts, wake=BEGIN)).code == "version-conflict"
        assert store.load("run-1") == present
        assert store.environment("shop", "production").live is None

    def test_of_several_writers_that_read_the_same_version_exactly_one_succeeds(self) -> None:
        stores = [self.open_store() for _ in range(3)]
        run = begin(stores[0], "run-1", plan())
        for _ in range(10):
            appends = [partial(store.append, run, [Approved(BEGIN, "ann")], wake=None) for store in stores]
            answers = at_once([partial(outcome, append) for append in appends])
            assert sorted(answers) == ["done", "version-conflict", "version-conflict"]
            run = stores[0].load("run-1", known=run)
        assert run.version == 11

    def test_an_append_to_an_unknown_run_is_refused(self) -> None:
        store = self.open_store()
        run = begin(store, "run-1", plan())
        assert caught(UserError, lambda: store.append(replace(run, id="run-7"), promotion(), wake=None))

    def test_any_text_survives(self) -> None:
        store = self.open_store()
        odd = "zero \x00 broken \udcff emoji \N{SPARKLES} quote ' \" \\"
        run = store.append(begin(store, "run-1", plan()), [Paused(BEGIN, "bob", odd)], wake=None)
        assert run.paused == odd
        assert self.open_store().load("run-1").paused == odd
        assert store.list_runs()[0].reason.startswith("zero ")

    def test_an_environment_where_nothing_happened_is_empty(self) -> None:
        state = self.open_store().environment("shop", "production")
        assert (state.service, state.environment, state.live, state.instances) == ("shop", "production", None, 0)
        assert (state.run, state.by, state.since, state.epoch) == (None, None, None, 0)

    def test_a_candidate_is_live_from_its_promotion_on(self) -> None:
        store = self.open_store()
        run = begin(store, "run-1", plan())
        assert store.environment("shop", "production").live is None
        store.append(run, promotion(BEGIN + 10), wake=None)
        state = store.environment("shop", "production")
        assert (state.live, state.instances, state.run) == (revision("1.0.0"), 3, "run-1")
        assert (state.by, state.since) == ("run-1", BEGIN + 10)

    def test_a_way_back_after_the_promotion_makes_stable_live_again(self) -> None:
        store = self.open_store()
        deployed(store, "run-1", plan())
        wanted = plan("1.1.0", revision("1.0.0"))
        run = store.append(begin(store, "run-2", wanted, BEGIN + 100), promotion(BEGIN + 110), wake=None)
        assert store.environment("shop", "production").live == revision("1.1.0")
        store.append(run, way_back(wanted, BEGIN + 120), wake=None)
        state = store.environment("shop", "production")
        assert (state.live, state.instances, state.run) == (revision("1.0.0"), 2, None)
        assert (state.by, state.since) == ("run-1", BEGIN + 120)

    def test_a_way_back_before_the_promotion_changes_nothing_about_what_is_live(self) -> None:
        store = self.open_store()
        deployed(store, "run-1", plan(), BEGIN)
        before = store.environment("shop", "production")
        wanted = plan("1.1.0", revision("1.0.0"))
        store.append(begin(store, "run-2", wanted), way_back(wanted), wake=None)
        assert store.environment("shop", "production") == before

    def test_a_first_deployment_that_is_taken_back_leaves_nothing_live(self) -> None:
        store = self.open_store()
        run = store.append(begin(store, "run-1", plan()), promotion(), wake=None)
        store.append(run, way_back(plan()), wake=None)
        state = store.environment("shop", "production")
        assert (state.live, state.instances, state.by, state.since) == (None, 0, None, None)

    def test_a_change_of_scale_changes_the_number_and_nothing_else(self) -> None:
        store = self.open_store()
        deployed(store, "run-1", plan())
        before = store.environment("shop", "production")
        deployed(store, "run-2", scaled(plan(), 5), BEGIN + 100)
        assert store.environment("shop", "production") == replace(before, instances=5)
        assert [run.id for run, _ in store.list_revisions("shop", "production")] == ["run-1"]

    def test_runs_are_listed_newest_first_by_service_and_environment(self) -> None:
        store = self.open_store()
        for number, environment in enumerate(("production", "staging", "test"), 1):
            begin(store, f"run-{number}", plan(environment=environment), BEGIN - number)
        assert [run.id for run in store.list_runs()] == ["run-3", "run-2", "run-1"]
        assert [run.id for run in store.list_runs(limit=2)] == ["run-3", "run-2"]
        assert [run.id for run in store.list_runs(environment="staging")] == ["run-2"]
        assert store.list_runs(service="other") == ()
        assert store.list_environments("shop") == tuple(
            dict.fromkeys(run.environment for run in store.list_runs()[::-1])
        )
        assert store.list_environments("other") == ()

    def test_the_summary_of_a_run_follows_its_events(self) -> None:
        store = self.open_store()
        run = begin(store, "run-1", plan())
        line = store.list_runs()[0]
        assert (line.kind, line.service, line.environment) == ("deploy", "shop", "production")
        assert (line.release, line.digest) == ("1.0.0", run.plan.candidate.artifact.digest)
        assert (line.commit, line.strategy) == (run.plan.candidate.artifact.commit, "canary 10, 50, 100 %")
        assert (line.phase, line.verdict, line.reason, line.actor) == ("progressing", None, "new prices", "ann")
        run = store.append(run, [Paused(BEGIN + 1, "fairway", "too few requests")], wake=None)
        line = store.list_runs()[0]
        assert (line.phase, line.verdict, line.reason) == ("paused", "inconclusive", "too few requests")
        run = store.append(run, [Resumed(BEGIN + 2, "bob"), *way_back(plan())], wake=None)
        line = store.list_runs()[0]
        assert (line.phase, line.verdict, line.reason) == ("rolled-back", "failed", "7 of 9 requests failed")
        assert (line.started, line.ended) == (BEGIN, BEGIN + 22)

    def test_only_runs_whose_revision_stayed_live_count_as_revisions(self) -> None:
        store = self.open_store()
        deployed(store, "run-1", plan())
        bad = plan("1.1.0", revision("1.0.0"))
        run = store.append(begin(store, "run-2", bad), promotion(), wake=None)
        assert [line.id for line, _ in store.list_revisions("shop", "production")] == ["run-2", "run-1"]
        store.append(run, way_back(bad), wake=None)
        good = replace(plan("1.2.0", revision("1.0.0")), kind="rollback")
        deployed(store, "run-3", good)
        listed = store.list_revisions("shop", "production")
        assert [(line.id, made) for line, made in listed] == [
            ("run-3", revision("1.2.0")),
            ("run-1", revision("1.0.0")),
        ]
        assert store.list_revisions("shop", "staging") == ()

    def test_a_revision_that_was_live_is_found_by_any_of_its_names(self) -> None:
        store = self.open_store()
        deployed(store, "run-1", plan())
        deployed(store, "run-2", plan("1.1.0", revision("1.0.0")), BEGIN + 100)
        deployed(store, "run-3", plan("1.0.0", revision("1.1.0")), BEGIN + 200)

        def found(name: str, limit: int = 9) -> list[str]:
            listed = store.list_revisions("shop", "production", named=name, limit=limit)
            return [line.id for line, _ in listed]

        made = revision("1.0.0")
        commit = made.artifact.commit
        for name in ("1.0.0", "v1.0.0", made.artifact.digest, commit, commit[:12], made.id):
            assert found(name) == ["run-3", "run-1"], name
            assert found(name, limit=1) == ["run-3"], name
        assert found("run-2") == ["run-2"]
        for name in ("", "1.0", "r1.0", commit[:11], "%", "1.0.0'", "\x00", "\udc80"):
            assert found(name) == [], name
        assert [line.id for line, _ in store.list_revisions("shop", "production", limit=2)] == ["run-3", "run-2"]

    def test_a_run_that_ends_well_without_a_promotion_of_its_own_made_its_candidate_live(self) -> None:
        store = self.open_store()
        facts = (Advanced(BEGIN, "ann", 1), RunEnded(BEGIN + 5, "completed", "done"))
        store.append(begin(store, "run-1", plan()), facts, wake=None)
        assert store.environment("shop", "production").live == revision("1.0.0")

    def test_a_rejected_artifact_is_in_quarantine_until_a_person_lifts_it(self) -> None:
        store = self.open_store()
        digest = revision("1.0.0").artifact.digest
        assert store.quarantine(digest) is None
        run = store.append(begin(store, "run-1", plan()), way_back(plan()), wake=None)
        entry = self.open_store().quarantine(digest)
        assert entry is not None
        assert (entry.digest, entry.service, entry.release, entry.run) == (digest, "shop", "1.0.0", "run-1")
        assert (entry.reason, entry.at) == ("7 of 9 requests failed", BEGIN + 20)
        store.append(run, [QuarantineLifted(BEGIN + 99, "ann", digest, "the database was down")], wake=None)
        assert store.quarantine(digest) is None

    def test_evidence_is_replaced_and_belongs_to_its_run(self) -> None:
        store = self.open_store()
        begin(store, "run-1", plan())
        begin(store, "run-2", plan(environment="staging"))
        assert store.load_evidence("run-1") is None
        epochs = {claim.run: claim.epoch for claim in store.claim("a", now=self.now, ttl=10, limit=9)}
        store.save_evidence("run-1", {"lanes": [1, 2.5, None], "text": "\x00\N{SPARKLES}"}, epoch=epochs["run-1"])
        store.save_evidence("run-2", {"lanes": []}, epoch=epochs["run-2"])
        store.save_evidence("run-1", {"lanes": [0.1], "text": "\x00\N{SPARKLES}"}, epoch=epochs["run-1"])
        assert self.open_store().load_evidence("run-1") == {"lanes": [0.1], "text": "\x00\N{SPARKLES}"}
        assert store.load_evidence("run-2") == {"lanes": []}

    def test_the_history_of_evidence_is_kept_by_number(self) -> None:
        store = self.open_store()
        begin(store, "run-1", plan())
        begin(store, "run-2", plan(environment="staging"))
        assert store.load_history("run-1") == ()
        epochs = {claim.run: claim.epoch for claim in store.claim("a", now=self.now, ttl=10, limit=9)}
        for number in (0, 1, 2, 10):
            change = HistoryChange(((number, {"n": number, "low": None}),))
            store.save_evidence("run-1", {}, epoch=epochs["run-1"], history=change)
        store.save_evidence("run-2", {}, epoch=epochs["run-2"], history=HistoryChange(((1, {"n": 7}),)))
        store.save_evidence("run-1", {}, epoch=epochs["run-1"], history=HistoryChange(((10, {"n": 0.5}),), (0, 2, 5)))
        store.save_evidence("run-1", {"n": 1}, epoch=epochs["run-1"])
        assert self.open_store().load_history("run-1") == ((1, {"n": 1, "low": None}), (10, {"n": 0.5}))
        assert store.load_history("run-2") == ((1, {"n": 7}),)

    def test_history_under_another_epoch_is_refused_with_its_evidence(self) -> None:
        store = self.open_store()
        begin(store, "run-1", plan())
        (claim,) = store.claim("a", now=self.now, ttl=10, limit=1)
        late, change = claim.epoch - 1, HistoryChange(((0, {"n": 1}),))
        caught(PermanentError, lambda: store.save_evidence("run-1", {}, epoch=late, history=change))
        assert (store.load_evidence("run-1"), store.load_history("run-1")) == (None, ())

    def test_evidence_under_another_epoch_is_refused(self) -> None:
        store = self.open_store()
        begin(store, "run-1", plan())
        (claim,) = store.claim("a", now=self.now, ttl=10, limit=1)
        store.save_evidence("run-1", {"n": 1}, epoch=claim.epoch)
        error = caught(PermanentError, lambda: store.save_evidence("run-1", {"n": 2}, epoch=claim.epoch - 1))
        assert error.code == "stale-epoch"
        assert store.load_evidence("run-1") == {"n": 1}
        assert caught(UserError, lambda: store.save_evidence("run-7", {"n": 2}, epoch=1))
