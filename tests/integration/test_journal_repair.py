"""A damaged journal file is made anew from what can be read of it, and from the copy that was kept."""

import os
import random
import stat
from contextlib import suppress

import pytest

from fairway.adapters.stores.sql import SqlStore
from fairway.adapters.stores.sql.repair import find_damage, keep_copy, repair
from fairway.adapters.stores.sql.replay import LOST_END
from fairway.adapters.stores.sql.sqlite import kept_copy_of
from fairway.domain.errors import PermanentError, TransientError
from fairway.domain.rollout.events import Paused
from fairway.testing.journal_samples import BEGIN, begin, deployed, plan, promotion, revision, way_back

NOW = BEGIN + 10_000
PAGE = 4096


@pytest.fixture
def path(tmp_path):
    """A journal: two releases went live, one was taken back, a fourth is under way and paused."""
    file = tmp_path / "journal.db"
    with SqlStore.open(str(file)) as store:
        deployed(store, "run-1", plan("1.0.0"))
        deployed(store, "run-2", plan("1.1.0", revision("1.0.0")), BEGIN + 100)
        bad = plan("1.2.0", revision("1.1.0"))
        store.append(
            begin(store, "run-3", bad, BEGIN + 200), (*promotion(BEGIN + 210), *way_back(bad, BEGIN + 220)), wake=None
        )
        paused = begin(store, "run-4", plan("1.3.0", revision("1.1.0")), BEGIN + 300)
        for turn in range(30):
            paused = store.append(paused, [Paused(BEGIN + 300 + turn, "ann", f"{turn} " + "x" * 900)], wake=None)
    return file


def picture(file):
    """Everything that questions can ask, but for fencing numbers."""
    with SqlStore.open(str(file)) as store:
        runs = store.list_runs(service="shop")
        state = store.environment("shop", "production")
        return {
            "runs": runs,
            "events": {run.id: store.list_events(run.id) for run in runs},
            "states": {run.id: store.load(run.id) for run in runs},
            "live": (state.live, state.instances, state.run, state.by, state.since),
            "quarantine": store.quarantine(revision("1.2.0").artifact.digest),
            "revisions": store.list_revisions("shop", "production"),
        }


def spoil(file, page):
    content = bytearray(file.read_bytes())
    content[page * PAGE : (page + 1) * PAGE] = random.Random(page).randbytes(PAGE)
    file.write_bytes(content)


def test_a_sound_journal_has_no_damage_and_a_repair_would_change_nothing(path):
    before = picture(path)
    assert find_damage(path) is None
    made = repair(path, at=NOW)
    assert made.losses == ()
    assert picture(path) == before


def test_whatever_page_is_spoilt_everything_comes_back_with_the_kept_copy(path):
    before, sound = picture(path), path.read_bytes()
    keep_copy(path)
    pages = len(sound) // PAGE
    found = 0
    for page in range(0, pages, 3):
        path.write_bytes(sound)
        spoil(path, page)
        if find_damage(path) is None:  # nothing was kept on that page
            continue
        found += 1
        assert repair(path, at=NOW).events == sum(len(events) for events in before["events"].values())
        assert picture(path) == before, page
        assert find_damage(path) is None
    assert found > pages / 8


def test_without_a_copy_what_can_be_read_goes_on_and_what_is_lost_is_named(path):
    before, sound = picture(path), path.read_bytes()
    lost, codes = 0, set()
    for page in range(1, len(sound) // PAGE):
        path.write_bytes(sound)
        spoil(path, page)
        if find_damage(path) is None:
            continue
        try:
            made = repair(path, at=NOW)
        except PermanentError as error:
            codes.add(error.code)
            continue
        after = picture(path)
        for run, found in after["events"].items():
            events = [event for event in found if getattr(event, "reason", "") != LOST_END]
            assert events == list(before["events"][run][: len(events)]), page
        if after["events"] != before["events"]:
            lost += 1
            assert made.losses, page
    assert lost > 0
    assert codes <= {"database-lost"}


@pytest.mark.parametrize("left", [0, 100, PAGE, 0.5])
def test_a_truncated_file_is_refused_and_comes_back_from_the_copy(path, left):
    before, sound = picture(path), path.read_bytes()
    keep_copy(path)
    path.write_bytes(sound[: int(len(sound) * left) if isinstance(left, float) else left])
    with pytest.raises(PermanentError) as caught:
        picture(path)
    assert caught.value.code in ("database-lost", "database-corrupt", "database-not-sqlite")
    assert "fairway doctor --repair" in caught.value.hint
    assert find_damage(path) is not None
    repair(path, at=NOW)
    assert picture(path) == before


def test_a_journal_that_is_gone_is_not_begun_anew_in_silence(path):
    before = picture(path)
    keep_copy(path)
    path.unlink()
    with pytest.raises(PermanentError) as caught:
        SqlStore.open(str(path))
    assert caught.value.code == "database-lost"
    assert not path.exists()
    repair(path, at=NOW)
    assert picture(path) == before


def test_a_copy_of_a_damaged_file_does_not_replace_the_sound_one(path):
    keep_copy(path)
    sound = kept_copy_of(path).read_bytes()
    for page in range(2, path.stat().st_size // PAGE):
        spoil(path, page)
    with suppress(TransientError):  # it may say that it cannot, or see afterwards that the copy is no good
        keep_copy(path)
    assert kept_copy_of(path).read_bytes() == sound
    assert not list(path.parent.glob("*.draft"))


def test_the_new_file_is_the_owners_only_and_the_damaged_one_is_kept_as_it_was(path):
    spoil(path, 3)
    spoilt = path.read_bytes()
    made = repair(path, at=NOW)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    aside = os.path.join(made.aside, "journal.db")  # noqa: PTH118
    with open(aside, "rb") as file:  # noqa: PTH123
        assert file.read() == spoilt
    assert stat.S_IMODE(os.stat(made.aside).st_mode) == 0o700  # noqa: PTH116


def test_controllers_from_before_the_repair_are_fenced_off(path):
    with SqlStore.open(str(path), lease_clock=lambda: NOW) as store:
        store.append(store.load("run-4"), [], wake=NOW)
        (before,) = store.claim("a", now=NOW, ttl=8, limit=9)
    repair(path, at=NOW)
    with SqlStore.open(str(path), lease_clock=lambda: NOW) as store:
        (after,) = store.claim("b", now=NOW, ttl=8, limit=9)
        assert after.epoch > before.epoch
        with pytest.raises(PermanentError, match="epoch"):
            store.append(store.load("run-4"), [Paused(NOW, "ann", "late")], wake=None, epoch=before.epoch)
