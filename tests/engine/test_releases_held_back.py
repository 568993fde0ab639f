"""A release that waited for its turn, or goes on after days, is asked again whether it is the time for it."""

from dataclasses import replace

import pytest
from release_world import World

from fairway.domain.cadence.policy import Passage
from fairway.domain.codec import from_json, to_json
from fairway.domain.pipeline.events import ReleaseResumed
from fairway.domain.pipeline.messages import message_for
from fairway.engine.pipeline import Refused


class Frozen(World):
    """A world in which a freeze may begin while a release waits."""

    closed = False

    def bench(self):
        return replace(super().bench(), held_back=self._hold_back)

    def _hold_back(self, release):
        if not self.closed or release.passage is not None:
            return None
        return Refused("closed", f"the release of {release.plan.version} is held back: freeze 'audit'", "wait")


def test_a_release_whose_turn_comes_in_a_freeze_halts_before_anything_is_done(tmp_path):
    world = Frozen(tmp_path)
    world.start("rel-1")
    world.start("rel-2", "1.1.0")
    assert world.host("rel-2", turns=3).phase == "queued"
    assert world.host("rel-1").phase == "completed"
    world.closed, before = True, (list(world.workshop.jobs), list(world.tags.changes))
    release = world.host("rel-2")
    assert (release.phase, release.verdict) == ("failed", "failed")
    assert release.halted == "queue turn: the release of 1.1.0 is held back: freeze 'audit'"
    assert (world.workshop.jobs, world.tags.changes) == before


def test_a_release_that_is_held_back_leaves_its_turn_to_the_next(tmp_path):
    world = Frozen(tmp_path)
    world.closed = True
    world.start("rel-1")
    assert world.host("rel-1").phase == "failed"
    world.closed = False
    world.start("rel-2", "1.1.0")
    assert world.host("rel-2").phase == "completed"
    assert world.resume("rel-1").phase == "completed"


def test_a_release_that_is_resumed_in_a_freeze_publishes_nothing(tmp_path):
    world = Frozen(tmp_path)
    world.workshop.broken["pytest"] = "2 tests failed"
    world.start("rel-1")
    assert world.host("rel-1").phase == "failed"
    world.workshop.broken.clear()
    world.closed = True
    assert world.resume("rel-1").halted.startswith("queue turn: the release of 1.0.0 is held back")
    assert world.pypi.uploads == world.tags.changes == []


@pytest.mark.parametrize("kind", ["emergency", "security"])
def test_whoever_resumes_it_with_a_reason_is_let_pass_and_is_on_record(tmp_path, kind):
    world = Frozen(tmp_path)
    world.closed = True
    world.start("rel-1")
    state = world.host("rel-1")
    passage = Passage(kind, "the sum is wrong", "freeze 'audit'")
    resumed = ReleaseResumed(world.now(), "bob", passage)
    after = world.store.append_release(state, (resumed,))
    assert message_for(after, resumed)["text"].endswith(f"resumed by bob: {passage}")
    release = world.host("rel-1")
    assert release.phase == "completed"
    assert release.passage == passage
    assert release.explained.endswith(f"[{kind}: the sum is wrong (passed: freeze 'audit')]")


def test_what_was_said_before_still_counts_for_who_resumes_it_without_a_word(tmp_path):
    world = Frozen(tmp_path)
    world.closed = True
    world.start("rel-1")
    said = Passage("emergency", "down")
    world.store.append_release(world.host("rel-1"), (ReleaseResumed(world.now(), "bob", said),))
    world.workshop.broken["pytest"] = "2 tests failed"
    assert world.host("rel-1").halted.startswith("test unit")
    world.workshop.broken.clear()
    release = world.resume("rel-1")
    assert (release.phase, release.passage) == ("completed", said)


def test_an_event_of_before_there_were_passages_is_read():
    old = to_json(ReleaseResumed(1.0, "ann"))
    del old["passage"]
    assert from_json(ReleaseResumed, old) == ReleaseResumed(1.0, "ann")
