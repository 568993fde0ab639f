# ruff: noqa: D102 -- the names of the tests say it
"""What every journal of releases must do: append under the version read, fence, and give one turn at a time."""

from functools import partial
from typing import Protocol, cast

from fairway.domain.errors import UserError
from fairway.domain.pipeline.compile import Subject, compile_release
from fairway.domain.pipeline.events import ReleaseEnded, ReleaseHalted, ReleaseStarted, TaskFinished, TaskStarted
from fairway.domain.pipeline.spec import PipelineSpec
from fairway.domain.rollout.spec import Adapter
from fairway.ports.releases import ReleaseJournal, ReleaseLeases
from fairway.testing.journal_samples import BEGIN
from fairway.testing.store_contract import Store, StoreContract, at_once, caught, outcome


def started(version: str = "1.0.0", service: str = "shop") -> ReleaseStarted:
    """The first event of a release that only tags; one receiver is told."""
    notify = (Adapter("webhook", (("url", "https://chat.example"),)),)
    return ReleaseStarted(
        BEGIN, "ann", compile_release(Subject(service, version, "c" * 40), PipelineSpec(), notify=notify)
    )


class ReleaseStore(Store, ReleaseJournal, ReleaseLeases, Protocol):
    """All ports that releases need on one storage."""


class ReleasesContract(StoreContract):
    """Inherit together with the other suites of a store."""

    def open_releases(self) -> ReleaseStore:
        """A store on the same storage."""
        return cast("ReleaseStore", self.open_store())

    def test_a_release_is_read_back_as_the_fold_of_its_events(self) -> None:
        store = self.open_releases()
        store.start_release("rel-1", started())
        store.start_release("rel-1", started("9.9.9"))
        state = store.load_release("rel-1")
        after = store.append_release(state, (TaskStarted(BEGIN, "turn"), TaskFinished(BEGIN, "turn", "went")))
        assert store.load_release("rel-1") == after == store.load_release("rel-1", known=state)
        assert (after.version, after.plan.version, after.tasks["turn"].detail) == (3, "1.0.0", "went")

    def test_a_release_that_does_not_exist_is_told_with_those_that_do(self) -> None:
        store = self.open_releases()
        store.start_release("rel-1", started())
        assert "rel-1" in caught(UserError, lambda: store.load_release("rel-2")).hint

    def test_of_two_who_read_the_same_version_one_is_refused(self) -> None:
        store = self.open_releases()
        store.start_release("rel-1", started())
        state = store.load_release("rel-1")
        write = [lambda: outcome(lambda: store.append_release(state, (TaskStarted(BEGIN, "turn"),)))] * 4
        assert sorted(at_once(write)) == ["done", *["version-conflict"] * 3]

    def test_a_lease_is_anothers_only_when_it_has_ended_and_fences_off_who_had_it(self) -> None:
        store = self.open_releases()
        store.start_release("rel-1", started())
        first = store.hold("rel-1", "one", now=self.now, ttl=8.0)
        assert store.hold("rel-1", "two", now=self.now, ttl=8.0) is None
        assert store.hold("rel-1", "one", now=self.now, ttl=8.0) == first
        store.release("one")
        second = store.hold("rel-1", "two", now=self.now, ttl=8.0)
        assert first is not None
        assert second == first + 1
        state, fact = store.load_release("rel-1"), (TaskStarted(BEGIN, "turn"),)
        assert outcome(lambda: store.append_release(state, fact, epoch=first)) == "stale-epoch"
        assert outcome(lambda: store.append_release(state, fact, epoch=second)) == "done"

    def test_of_many_releases_at_once_one_has_the_turn_and_the_earliest_is_next(self) -> None:
        store = self.open_releases()
        names = [f"rel-{number}" for number in range(1, 5)]
        for name in names:
            store.start_release(name, started())
        answers = at_once([partial(store.take_turn, "shop", name) for name in names])
        assert answers[0] is None
        assert set(answers[1:]) == {"rel-1"}
        state = store.load_release("rel-1")
        store.append_release(state, (ReleaseHalted(BEGIN, "tag", "failed", "no"),))
        assert store.take_turn("shop", "rel-3") == "rel-2"
        assert store.take_turn("shop", "rel-2") is None
        assert store.take_turn("other", "rel-9") is None

    def test_a_release_tells_its_receivers_in_the_transaction_of_its_events(self) -> None:
        store = self.open_releases()
        store.start_release("rel-1", started())
        state = store.load_release("rel-1")
        store.append_release(state, (ReleaseEnded(BEGIN, "completed", "shop 1.0.0 is released"),))
        (first,) = store.list_due(now=BEGIN, limit=9)
        store.mark_delivered(first.id)
        (second,) = store.list_due(now=BEGIN, limit=9)
        assert [first.body["event"], second.body["event"]] == ["release-started", "released"]
        assert second.body["text"] == "shop 1.0.0: released"

    def test_releases_are_no_rollouts(self) -> None:
        store = self.open_releases()
        store.start_release("rel-1", started())
        assert store.list_runs() == ()
        assert store.claim("controller", now=BEGIN + 1e9, ttl=8.0, limit=9) == ()
        assert [one.phase for one in store.list_releases("shop")] == ["queued"]
        assert caught(UserError, lambda: store.load("rel-1")).code == "not-a-rollout"
