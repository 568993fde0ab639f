"""A command that stays until a run has ended says once what keeps the run from going on."""

import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from fairway import bootstrap
from fairway.adapters.stores.sql import SqlStore
from fairway.bootstrap.project import Project
from fairway.cli.follow import follow
from fairway.cli.output import Exit
from fairway.domain.rollout.events import Approved, Extended
from fairway.testing.journal_samples import BEGIN, begin, plan


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project with a run under way, whose controller is somebody else."""
    state = tmp_path / ".fairway"
    with SqlStore.open(str(state / "journal.db")) as store:
        begin(store, "run-1", plan())
        made = Project(tmp_path / "fairway.yaml", tmp_path, str(state / "journal.db"))
        made.__dict__["store"] = store
        yield made


@pytest.fixture
def controller(project: Project) -> Iterator[None]:
    """Holds the lock by which commands see that a controller runs."""
    with (project.state / "controller.lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture
def stay(project: Project, monkeypatch: pytest.MonkeyPatch, capsys) -> Callable[..., list[str]]:
    """Stays with the run for ten seconds, and gives what was said of waiting; `meanwhile` is called at each look."""

    def stay(meanwhile: Callable[[], object] = lambda: None) -> list[str]:
        clock = SimpleNamespace(now=BEGIN)

        def pause(seconds: float) -> None:
            clock.now += seconds
            meanwhile()

        monkeypatch.setattr(bootstrap, "now", lambda: clock.now)
        monkeypatch.setattr(bootstrap, "pause", pause)
        assert follow(project, "run-1", as_json=True, limit=10.0) == Exit.UNKNOWN
        return [line.split(" waits: ")[1] for line in capsys.readouterr().err.splitlines() if " waits: " in line]

    return stay


def test_nothing_is_said_while_nothing_hinders(stay, controller):
    assert stay() == []


def test_that_no_controller_runs_is_said_once(stay):
    assert stay() == ["no controller runs, as after fairway down; fairway up starts one"]


def test_that_the_environment_was_brought_down_is_said_once(stay, controller, project: Project):
    halted = project.state / "supervisor" / "halted"
    halted.mkdir(parents=True)
    (halted / "envoy.shop.staging").touch()
    assert stay() == []
    (halted / "envoy.shop.production").touch()
    assert stay() == ["production was brought down; fairway up --env production brings it back"]


def test_that_the_disk_is_full_is_said_once(stay, controller, project: Project, monkeypatch: pytest.MonkeyPatch):
    full = SimpleNamespace(f_bfree=10, f_bavail=10, f_frsize=4096)
    monkeypatch.setattr(os, "statvfs", lambda _: full)
    assert stay() == [f"the disk of {project.state} is full"]


def test_nothing_is_said_while_the_run_goes_on_all_the_same(stay, project: Project):
    def go_on() -> None:
        project.store.append(project.store.load("run-1"), [Approved(BEGIN, "ann")], wake=None)

    assert stay(go_on) == []


def test_each_new_beginning_of_a_watch_without_an_answer_is_said(
    project: Project, controller, monkeypatch: pytest.MonkeyPatch, capsys
):
    clock = SimpleNamespace(now=BEGIN)

    def pause(seconds: float) -> None:
        clock.now += seconds
        run = project.store.load("run-1")
        if run.extensions < 2:
            project.store.append(run, [Extended(clock.now, run.cursor, "too few requests")], wake=None)

    monkeypatch.setattr(bootstrap, "now", lambda: clock.now)
    monkeypatch.setattr(bootstrap, "pause", pause)
    follow(project, "run-1", as_json=True, limit=2.0)
    said = [
        line.partition("no answer yet, ")[2] for line in capsys.readouterr().err.splitlines() if "no answer" in line
    ]
    assert said == ["watched once more (1 of 3)", "watched once more (2 of 3)"]
