"""What every target must do. A subclass in a test module says how to make one; see `TargetContract`."""

# ruff: noqa: D102 the names of tests are sentences

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from fairway.domain.errors import PermanentError
from fairway.domain.rollout.revision import Artifact, Revision, RunSpec
from fairway.ports.target import Instance, Target

T = TypeVar("T")


class TargetContract:
    """The suite: `class TestMyTarget(TargetContract)` with the two methods that this one leaves open.

    Attributes:
        patience: seconds that an instance may take to become ready, or to be started again.
    """

    patience = 20.0

    def make_target(self, service: str, environment: str) -> Target:
        """The target of that service and environment; the same one, as if opened anew, when asked again."""
        raise NotImplementedError

    def make_run(self) -> tuple[RunSpec, str]:
        """How to run a program that becomes ready, and the location of its artifact."""
        raise NotImplementedError

    def make_missing(self, run: RunSpec) -> RunSpec:
        """The same with a program that does not exist."""
        return replace(run, command="no-such-program-anywhere --port {port}")

    def revision(self, name: str, environment: str = "production") -> Revision:
        """A revision that becomes ready."""
        run, location = self.make_run()
        artifact = Artifact("shop", "1.0.0", "c" * 40, f"sha256:{'0' * 64}", location)
        return Revision(name, "shop", environment, artifact, run)

    def target(self, environment: str = "production") -> Target:
        """The target that most of the suite uses."""
        return self.make_target("shop", environment)

    def settled(self, target: Target, revision: str, count: int) -> tuple[Instance, ...]:
        """The revision's instances once so many are ready."""
        return self.waited(lambda: _when_ready(target, revision, count), f"{count} ready instances of {revision}")

    def gone(self, target: Target, revision: str) -> None:
        """Returns once nothing is left of the revision."""
        self.waited(lambda: True if not target.observe_instances(revision) else None, f"the end of {revision}")

    def waited(self, find: Callable[[], T | None], what: str) -> T:
        """What `find` returns once it returns something."""
        deadline = time.monotonic() + self.patience
        while (found := find()) is None:
            assert time.monotonic() < deadline, f"waited {self.patience:g} s in vain for {what}"
            time.sleep(0.02)
        return found

    def test_starts_as_many_instances_as_asked_for(self) -> None:
        target = self.target()
        started = target.ensure_instances(self.revision("r1"), 2, epoch=1)
        assert len(started) == 2
        assert len({one.id for one in started}) == len({one.endpoint.place for one in started}) == 2
        ready = self.settled(target, "r1", 2)
        assert [one.endpoint for one in ready] == [one.endpoint for one in started]
        assert all(one.revision == "r1" and one.restarts == 0 and not one.detail for one in ready)

    def test_a_second_call_changes_nothing(self) -> None:
        target = self.target()
        target.ensure_instances(self.revision("r1"), 2, epoch=1)
        before = self.settled(target, "r1", 2)
        target.ensure_instances(self.revision("r1"), 2, epoch=1)
        after = self.settled(self.target(), "r1", 2)
        assert [(one.id, one.pid, one.since, one.restarts) for one in after] == [
            (one.id, one.pid, one.since, one.restarts) for one in before
        ]

    def test_stops_the_youngest_first(self) -> None:
        target = self.target()
        oldest = target.ensure_instances(self.revision("r1"), 1, epoch=1)[0].id
        started = [one.id for one in target.ensure_instances(self.revision("r1"), 3, epoch=1)]
        assert started[0] == oldest
        assert _staying(target.ensure_instances(self.revision("r1"), 2, epoch=1)) == started[:2]
        assert _staying(target.ensure_instances(self.revision("r1"), 1, epoch=1)) == [oldest]
        self.settled(target, "r1", 1)

    def test_what_is_on_its_way_out_counts_no_more_and_is_shown_until_it_is_gone(self) -> None:
        target = self.target()
        oldest = target.ensure_instances(self.revision("r1"), 1, epoch=1)[0].id
        target.ensure_instances(self.revision("r1"), 2, epoch=1)
        self.settled(target, "r1", 2)
        shown = target.ensure_instances(self.revision("r1"), 1, epoch=1)
        assert {one.state for one in shown if one.id != oldest} <= {"stopping"}
        again = target.ensure_instances(self.revision("r1"), 2, epoch=1)
        assert len(_staying(again)) == 2
        assert len({one.endpoint.place for one in again}) == len(again)
        self.settled(target, "r1", 2)

    def test_no_instances_are_a_revision_that_does_not_run(self) -> None:
        target = self.target()
        target.ensure_instances(self.revision("r1"), 1, epoch=1)
        assert target.list_revisions() == ("r1",)
        assert _staying(target.ensure_instances(self.revision("r1"), 0, epoch=1)) == []
        self.gone(target, "r1")
        assert target.list_revisions() == ()

    def test_revisions_run_side_by_side(self) -> None:
        target = self.target()
        first = target.ensure_instances(self.revision("r1"), 1, epoch=1)
        second = target.ensure_instances(self.revision("r2"), 1, epoch=1)
        assert first[0].endpoint.place != second[0].endpoint.place
        assert set(target.list_revisions()) == {"r1", "r2"}
        target.ensure_instances(self.revision("r1"), 0, epoch=1)
        self.gone(target, "r1")
        assert target.list_revisions() == ("r2",)
        self.settled(target, "r2", 1)

    def test_refuses_a_stale_epoch_and_changes_nothing(self) -> None:
        target = self.target()
        target.ensure_instances(self.revision("r1"), 1, epoch=7)
        _refused("stale-epoch", lambda: self.target().ensure_instances(self.revision("r1"), 0, epoch=6))
        _refused("stale-epoch", lambda: target.ensure_instances(self.revision("r2"), 1, epoch=6))
        assert target.list_revisions() == ("r1",)
        target.ensure_instances(self.revision("r1"), 0, epoch=8)
        self.gone(target, "r1")

    def test_a_missing_program_is_refused_and_leaves_nothing(self) -> None:
        target = self.target()
        good = self.revision("r1")
        bad = replace(good, run=self.make_missing(good.run))
        _refused("program-missing", lambda: target.ensure_instances(bad, 1, epoch=1))
        assert target.list_revisions() == ()

    def test_what_instances_wrote_is_read_by_instance(self) -> None:
        target = self.target()
        target.ensure_instances(self.revision("r1"), 2, epoch=1)
        target.ensure_instances(self.revision("r2"), 1, epoch=1)
        ready = self.settled(target, "r1", 2)
        self.settled(target, "r2", 1)
        lines = list(target.read_logs("r1", lines=1, follow=False))
        assert {line.instance for line in lines} == {one.id for one in ready}
        assert all(line.revision == "r1" and line.text for line in lines)
        assert {line.revision for line in target.read_logs(None, lines=1, follow=False)} == {"r1", "r2"}
        assert list(target.read_logs("r1", lines=0, follow=False)) == []


def _when_ready(target: Target, revision: str, count: int) -> tuple[Instance, ...] | None:
    instances = target.observe_instances(revision)
    return instances if len(instances) == count and all(one.state == "ready" for one in instances) else None


def _staying(instances: tuple[Instance, ...]) -> list[str]:
    return [one.id for one in instances if one.state != "stopping"]


def _refused(code: str, call: Callable[[], object]) -> None:
    refusal: PermanentError | None = None
    try:
        call()
    except PermanentError as error:
        refusal = error
    assert refusal is not None, f"not refused as {code}"
    assert refusal.code == code, refusal.code
    assert refusal.message
