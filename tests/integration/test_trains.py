"""Trains against a real journal and a clock that is turned: each departure is one release, and never two."""

import json
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from fairway.adapters.calendars import LibraryCalendars
from fairway.adapters.stores.sql import SqlStore
from fairway.bootstrap import trains
from fairway.bootstrap.project import Project, open_project
from fairway.domain.cadence.calendar import Calendar
from fairway.domain.cadence.policy import CadencePolicy, Period, Train
from fairway.domain.errors import PermanentError, UserError
from fairway.domain.pipeline.actions import AwaitTurn
from fairway.domain.pipeline.compile import TURN
from fairway.domain.pipeline.events import ReleaseEnded, ReleaseStarted
from fairway.domain.pipeline.plan import ReleasePlan, Task
from fairway.usecases.cadence.trains import TrainDesk

BERLIN = ZoneInfo("Europe/Berlin")
WEEKLY = Train("weekly", "0 9 * * 2", late=3 * 86400.0)
#: Tuesdays, 09:00 in Berlin.
FIRST, SECOND = (datetime(2026, 11, day, 9, tzinfo=BERLIN).timestamp() for day in (17, 24))


class Timetable:
    """A desk whose clock is turned by hand."""

    def __init__(self, store, *freezes, train=WEEKLY, known_since=FIRST - 86400.0):
        self.now = FIRST - 3600.0
        policy = CadencePolicy("Europe/Berlin", freezes=freezes, trains=(train,))
        calendar = Calendar(policy, BERLIN, lambda *_: {})
        self.desk = TrainDesk("shop", calendar, LibraryCalendars(), store, lambda _: known_since, lambda: self.now)
        self.train = train
        self.store = store

    def look(self, now=None):
        self.now = self.now if now is None else now
        return self.desk.look(self.train)

    def leave(self, outcome="completed"):
        """Makes the release of the present departure."""
        name = self.look().release
        plan = ReleasePlan("shop", "1.0.0", "v1.0.0", "a" * 40, "", (Task(TURN, "queue", AwaitTurn()),), train="weekly")
        self.store.start_release(name, ReleaseStarted(self.now, "train weekly", plan))
        if outcome is not None:
            state = self.store.load_release(name)
            self.store.append_release(state, (ReleaseEnded(self.now, outcome, "done"),))


@pytest.fixture
def store(tmp_path):
    opened = SqlStore.open(f"sqlite:///{tmp_path}/journal.db")
    yield opened
    opened.close()


def test_a_train_is_due_from_its_minute_on(store):
    timetable = Timetable(store)
    assert timetable.look(FIRST - 1.0).state == "none"
    standing = timetable.look(FIRST)
    assert (standing.state, standing.departure, standing.following) == ("due", FIRST, SECOND)
    assert standing.release == "rel-shop.weekly-20261117t0800z"


def test_trains_of_services_that_share_a_journal_never_share_a_release(store):
    ours, theirs = (
        Timetable(store, train=replace(WEEKLY, name="eu-nightly")),
        Timetable(store, train=replace(WEEKLY, name="nightly")),
    )
    theirs.desk = replace(theirs.desk, service="shop-eu")
    ours.look(FIRST)
    ours.leave()
    assert theirs.look(FIRST).state == "due"


def test_a_train_that_left_is_not_due_again_until_the_next_one(store):
    timetable = Timetable(store)
    timetable.look(FIRST)
    timetable.leave()
    assert timetable.look(FIRST + 60.0).state == "left"
    assert timetable.look(SECOND - 1.0).state == "left"
    assert timetable.look(SECOND).state == "due"


def test_of_the_trains_that_a_machine_slept_through_the_latest_leaves_once(store):
    timetable = Timetable(store)
    standing = timetable.look(SECOND + 3600.0)
    assert (standing.state, standing.departure) == ("due", SECOND)
    timetable.leave()
    assert timetable.look(SECOND + 7200.0).state == "left"
    assert len(store.list_releases("shop")) == 1


def test_a_train_that_would_leave_too_late_leaves_its_place_to_the_next_one(store):
    assert Timetable(store).look(FIRST + 3 * 86400.0 + 1.0).state == "missed"


def test_a_timetable_that_was_not_known_at_the_time_makes_no_train_due(store):
    timetable = Timetable(store, known_since=FIRST + 60.0)
    assert timetable.look(FIRST + 120.0).state == "none"
    assert timetable.look(SECOND).state == "due"


def test_a_frozen_train_leaves_when_it_thaws(store):
    timetable = Timetable(store, Period("2026-11-17T08:00", "2026-11-18T12:00", "audit"))
    held = timetable.look(FIRST)
    assert held.state == "held"
    assert "audit" in held.why
    assert timetable.look(datetime(2026, 11, 18, 12, tzinfo=BERLIN).timestamp()).state == "due"


def test_windows_and_freezes_do_not_hold_trains_of_pre_releases_back(store):
    timetable = Timetable(store, Period("2026-11-17T08:00", "2026-11-18T12:00", ""), train=replace(WEEKLY, token="rc"))
    assert timetable.look(FIRST).state == "due"


def test_a_departure_with_nothing_to_take_is_a_departure(store):
    timetable = Timetable(store)
    for _ in range(2):
        timetable.desk.record_empty(
            timetable.look(FIRST), actor="train weekly", commit="", why="no commit since v1.0.0"
        )
    standing = timetable.look(FIRST + 60.0)
    assert standing.state == "left"
    assert standing.why == "left without a release: no commit since v1.0.0"
    assert len(store.list_releases("shop")) == 1


def test_an_empty_departure_never_replaces_a_release(store):
    timetable = Timetable(store)
    standing = timetable.look(FIRST)
    timetable.leave(outcome=None)
    timetable.desk.record_empty(standing, actor="train weekly", commit="", why="nothing")
    assert timetable.look().state == "under-way"
    assert store.load_release(standing.release).plan.version == "1.0.0"


def test_several_who_find_nothing_at_the_same_moment_record_one_departure(store):
    timetable = Timetable(store)
    standing = timetable.look(FIRST)
    begin, failures = threading.Barrier(6), []

    def record():
        begin.wait(30)
        try:
            timetable.desk.record_empty(standing, actor="train weekly", commit="", why="nothing")
        except Exception as error:  # noqa: BLE001 -- whatever it was, the test says it
            failures.append(error)

    threads = [threading.Thread(target=record) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert failures == []
    (only,) = store.list_releases("shop")
    assert (only.phase, only.reason) == ("abandoned", "left without a release: nothing")


def test_a_clock_that_is_put_back_makes_no_train_leave_twice(store):
    timetable = Timetable(store)
    timetable.look(FIRST)
    timetable.leave()
    timetable.look(SECOND)
    timetable.leave()
    assert timetable.look(FIRST + 30.0).state == "left"
    assert timetable.look(SECOND + 30.0).state == "left"


def test_an_unknown_train_is_told_with_those_that_are():
    timetable = Timetable(None)
    with pytest.raises(UserError, match="there is no train 'nightly'") as refused:
        timetable.desk.find("nightly")
    assert "weekly" in refused.value.hint


def test_the_days_of_trains_are_those_of_the_time_zone():
    assert datetime.fromtimestamp(FIRST, UTC).hour == 8


def test_a_controller_whose_configuration_is_broken_says_so_once_and_starts_trains_afterwards(tmp_path, monkeypatch):
    monkeypatch.setattr(trains, "LOOK_EVERY", 0.01)
    started, told, stop = [], [], threading.Event()

    def run(_config, name, _stop):
        started.append(name)
        stop.set()

    monkeypatch.setattr(trains, "_run", run)
    config, state = tmp_path / "fairway.yaml", tmp_path / ".fairway"
    state.mkdir()
    left = datetime.fromtimestamp(time.time() - 300, UTC)
    cron = f"{left.minute} {left.hour} * * *"
    (state / "trains.json").write_text(json.dumps({"daily": {"timetable": f"{cron} UTC", "since": 1.0}}))
    config.write_text("service: shop\nrelease: {}\ncadence: {trains: {daily: {cron: soon}}}\n")
    with SqlStore.open(f"sqlite:///{tmp_path}/journal.db") as journal:
        project = Project(config, tmp_path, str(tmp_path / "journal.db"))
        project.__dict__["store"] = journal
        thread = threading.Thread(
            target=trains.Dispatcher(project, lambda what, error: told.append(f"{what}: {error}")).serve, args=(stop,)
        )
        thread.start()
        deadline = time.monotonic() + 60
        while not told and time.monotonic() < deadline:
            time.sleep(0.01)
        draft = tmp_path / "draft"
        draft.write_text(f'service: shop\nrelease: {{}}\ncadence: {{trains: {{daily: {{cron: "{cron}"}}}}}}\n')
        draft.replace(config)
        thread.join(60)
        stop.set()
    assert started == ["daily"]
    assert len(told) == 1
    assert "cadence.trains.daily.cron" in told[0]


CONFIGURATION = "service: shop\nrelease: {}\ncadence: {trains: {"
CONFIGURATION += ", ".join(f"t{number}: {{cron: '0 9 * * *'}}" for number in range(8)) + "}}\n"


@pytest.fixture
def eight(tmp_path):
    """A project with eight trains that nobody has seen yet."""
    (tmp_path / "fairway.yaml").write_text(CONFIGURATION)
    return open_project(tmp_path / "fairway.yaml")


def test_several_who_see_timetables_for_the_first_time_keep_what_the_others_wrote(eight, monkeypatch):
    begin, read = threading.Barrier(8), json.loads

    def slowly(text):
        known = read(text)
        time.sleep(0.02)  # between the look and the change, where another one writes
        return known

    (eight.state / trains.KNOWN).write_text("{}")
    monkeypatch.setattr(trains.json, "loads", slowly)

    def see(train):
        begin.wait(30)
        trains._known_since(eight, train, 0.0)

    threads = [threading.Thread(target=see, args=(one,)) for one in eight.spec.cadence.trains]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    monkeypatch.undo()
    known = read((eight.state / trains.KNOWN).read_text())
    assert sorted(known) == [f"t{number}" for number in range(8)]


def test_a_timetable_that_cannot_be_written_down_is_told_as_one_of_our_errors(eight):
    (eight.state / trains.KNOWN).mkdir()
    with pytest.raises(PermanentError, match="cannot be used: Is a directory") as refused:
        trains._known_since(eight, eight.spec.cadence.trains[0], 0.0)
    assert refused.value.code == "state-folder"


def test_the_controller_hands_on_to_trains_how_git_reaches_remote_repositories(eight, monkeypatch):
    monkeypatch.setenv("GIT_SSH_COMMAND", "ssh -i key")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "0")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert {"GIT_SSH_COMMAND", "GIT_CONFIG_COUNT", "SSH_AUTH_SOCK"} <= trains.variables_of(eight)
    assert "GIT_DIR" not in trains.variables_of(eight)
