"""How a release goes on, halts, waits and is resumed."""

from dataclasses import replace

import pytest
from release_world import PIPELINE, World

from fairway.domain.errors import AmbiguousError, PermanentError, TransientError
from fairway.domain.pipeline.events import ReleaseEnded


def test_a_step_that_fails_halts_the_release_before_anything_is_published(tmp_path):
    world = World(tmp_path)
    world.workshop.broken["pytest"] = "2 tests failed"
    world.start("rel-1")
    release = world.host("rel-1")
    assert (release.phase, release.verdict) == ("failed", "failed")
    assert release.halted == "test unit: 2 tests failed"
    assert world.pypi.uploads == world.tags.changes == []


def test_what_succeeded_is_not_done_again_when_a_release_is_resumed(tmp_path):
    world = World(tmp_path)
    world.workshop.broken["pytest"] = "2 tests failed"
    world.start("rel-1")
    world.host("rel-1")
    before = list(world.workshop.jobs)
    world.workshop.broken.clear()
    release = world.resume("rel-1")
    assert release.phase == "completed"
    assert world.workshop.jobs == [*before, "unit"]
    assert release.tasks["unit"].tries == 2


def test_outputs_that_are_gone_are_made_again_and_so_is_what_was_made_from_them(tmp_path):
    world = World(tmp_path)
    world.npm.publish = _refuse
    world.start("rel-1")
    release = world.host("rel-1")
    assert release.phase == "failed"
    wheel = next(one for one in release.products if one.path == "dist/shop.whl")
    world.workshop.kept.discard(wheel.digest)
    del world.npm.publish
    release = world.resume("rel-1")
    assert release.phase == "completed"
    assert world.workshop.jobs.count("wheel") == 2
    assert world.workshop.jobs.count("binary-linux") == 1
    assert world.workshop.jobs.count("unit") == 2
    assert sorted(world.pypi.uploads) == ["shop.tar.gz", "shop.whl"]


def _refuse(parcel):
    raise PermanentError("registry-refused", "403 Forbidden")


def test_a_registry_that_refuses_halts_the_release_and_says_what_it_said(tmp_path):
    world = World(tmp_path)
    world.npm.publish = _refuse
    world.start("rel-1")
    release = world.host("rel-1")
    assert (release.phase, release.verdict) == ("failed", "errored")
    assert "403 Forbidden" in release.halted


def test_a_registry_that_is_silent_for_a_while_is_waited_for(tmp_path):
    world = World(tmp_path)
    real, answers = world.pypi.observe, [TransientError("registry-silent", "no route")] * 5

    def observe(parcel):
        if answers:
            raise answers.pop()
        return real(parcel)

    world.pypi.observe = observe
    world.start("rel-1")
    assert world.host("rel-1").phase == "completed"
    assert ("pypi", "tries again: no route") in world.waits


def test_a_registry_that_stays_silent_halts_the_release_when_its_patience_ends(tmp_path):
    world = World(tmp_path, replace(PIPELINE, patience=20.0))
    world.pypi.observe = _silent
    world.start("rel-1")
    began = world.clock
    release = world.host("rel-1", turns=5000)
    assert (release.phase, release.verdict) == ("failed", "errored")
    assert 20.0 <= world.clock - began < 40.0
    assert world.npm.uploads == []


def _silent(parcel):
    raise TransientError("registry-silent", "no route")


def test_an_upload_without_an_answer_is_looked_for_before_it_is_sent_again(tmp_path):
    world = World(tmp_path)
    real = world.pypi.publish

    def publish(parcel):
        real(parcel)
        raise AmbiguousError("registry-no-answer", "connection reset")

    world.pypi.publish = publish
    world.start("rel-1")
    assert world.host("rel-1").phase == "completed"
    assert sorted(world.pypi.uploads) == ["shop.tar.gz", "shop.whl"]


def test_other_bytes_under_the_same_name_are_never_taken_for_ours(tmp_path):
    world = World(tmp_path)
    world.pypi.files["shop.whl"] = "sha256:somebody else's"
    world.start("rel-1")
    release = world.host("rel-1")
    assert release.phase == "failed"
    assert "with other bytes" in release.halted
    assert world.npm.uploads == []


def test_a_tag_on_another_commit_halts_the_release_before_anything_is_published(tmp_path):
    world = World(tmp_path)
    world.tags.tags["origin"]["v1.0.0"] = "d" * 40
    world.start("rel-1")
    release = world.host("rel-1")
    assert release.phase == "failed"
    assert "stands on" in release.halted
    assert world.pypi.uploads == world.tags.changes == []


def test_two_releases_at_once_queue_and_none_is_skipped(tmp_path):
    world = World(tmp_path)
    world.start("rel-1", "1.0.0")
    world.start("rel-2", "1.1.0")
    second = world.host("rel-2", turns=20)
    assert second.phase == "queued"
    assert ("turn", "waits for release rel-1") in world.waits
    assert world.workshop.jobs == []
    assert world.host("rel-1").phase == "completed"
    assert world.host("rel-2").phase == "completed"


def test_a_release_that_halted_lets_the_next_one_go_first_and_then_waits_for_it(tmp_path):
    world = World(tmp_path)
    world.workshop.broken["pytest"] = "2 tests failed"
    world.start("rel-1", "1.0.0")
    assert world.host("rel-1").phase == "failed"
    world.workshop.broken.clear()
    world.start("rel-2", "1.1.0")
    assert world.host("rel-2", turns=2).phase == "running"
    assert world.resume("rel-1").phase == "queued"
    assert world.host("rel-2").phase == "completed"
    assert world.host("rel-1").phase == "completed"


def test_a_release_that_is_abandoned_gives_its_turn_to_the_next(tmp_path):
    world = World(tmp_path)
    first = world.start("rel-1", "1.0.0")
    world.host("rel-1", turns=2)
    first = world.store.load_release("rel-1")
    world.store.append_release(first, (ReleaseEnded(1.0, "abandoned", "enough"),))
    assert world.host("rel-1").phase == "abandoned"
    world.start("rel-2", "1.1.0")
    assert world.host("rel-2").phase == "completed"


def test_a_process_that_lost_its_lease_writes_nothing_more(tmp_path):
    world = World(tmp_path)
    world.start("rel-1")
    old = world.store.hold("rel-1", "old", now=0.0, ttl=8.0)
    assert world.store.hold("rel-1", "new", now=4.0, ttl=8.0) is None
    assert world.store.hold("rel-1", "new", now=9.0, ttl=8.0) == old + 1
    state = world.store.load_release("rel-1")
    with _raises_stale():
        world.store.append_release(state, (ReleaseEnded(1.0, "abandoned", ""),), epoch=old)
    assert world.store.load_release("rel-1").phase == "queued"


def _raises_stale():
    return pytest.raises(PermanentError, match="is held under epoch")


def test_releases_are_no_rollouts_for_those_who_list_rollouts(tmp_path):
    world = World(tmp_path)
    world.start("rel-1")
    assert world.store.list_runs() == ()
    assert world.store.claim("controller", now=1e12, ttl=8.0, limit=9) == ()
    assert [one.id for one in world.store.list_releases("shop")] == ["rel-1"]
