"""What the controller removes once a day, and what it never does."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairway.adapters.stores.sql import SqlStore
from fairway.bootstrap.project import COMMANDS_FOLDER, Project
from fairway.bootstrap.tidying import KEPT, tidy
from fairway.domain.rollout.revision import Artifact
from fairway.testing.journal_samples import BEGIN, deployed, plan


def later() -> float:
    """A moment at which what a test has just made is old."""
    return time.time() + KEPT + 60.0


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A service with a live release; the journal knows nothing of the artifacts that tests add."""
    state = tmp_path / ".fairway"
    with SqlStore.open(str(state / "journal.db")) as store:
        deployed(store, "run-1", plan(), BEGIN)
        made = Project(tmp_path / "fairway.yaml", tmp_path, str(state / "journal.db"), serves="shop")
        made.__dict__["store"] = store
        yield made


def add(project: Project, version: str) -> Artifact:
    folder = project.folder / "made" / version
    folder.mkdir(parents=True)
    (folder / "app").write_text(version)
    return project.artifacts("shop").adopt(str(folder), version=version)


def complain(what: str, error: BaseException) -> None:
    raise AssertionError(what) from error


def test_an_artifact_that_nobody_needs_goes_after_its_time(project: Project):
    made = add(project, "0.9.0")
    tidy(project, time.time(), complain)
    assert project.artifacts("shop").verify(made.digest) is None
    tidy(project, later(), complain)
    assert project.artifacts("shop").find(made.digest) is None
    assert not Path(made.location).exists()


def test_an_artifact_from_which_a_process_should_run_stays(project: Project):
    made = add(project, "0.9.0")
    units = project.state / "supervisor" / "units"
    units.mkdir(parents=True)
    (units / "i.shop.elsewhere.1.json").write_text(json.dumps({"folder": f"{made.location}/web"}))
    tidy(project, later(), complain)
    assert project.artifacts("shop").verify(made.digest) is None


def test_a_journal_that_knows_nothing_of_the_service_removes_nothing(project: Project, tmp_path: Path):
    made = add(project, "0.9.0")
    with SqlStore.open(str(tmp_path / "another.db")) as empty:
        project.__dict__["store"] = empty
        tidy(project, later(), complain)
    assert project.artifacts("shop").verify(made.digest) is None


def test_what_commands_left_long_ago_goes_and_what_is_young_stays(project: Project):
    places = {age: project.state / COMMANDS_FOLDER / f"key-{age}" for age in ("old", "young")}
    for age, place in places.items():
        place.mkdir(parents=True)
        finished = time.time() - (KEPT + 60.0 if age == "old" else 60.0)
        result = {"status": 0, "tail": "", "started": finished, "finished": finished}
        (place / "result.json").write_text(json.dumps(result))
    tidy(project, time.time(), complain)
    assert [age for age, place in places.items() if place.exists()] == ["young"]


def test_what_cannot_be_removed_is_reported_and_keeps_nothing_else(project: Project, monkeypatch: pytest.MonkeyPatch):
    made = add(project, "0.9.0")
    told: list[str] = []

    def fail(**_: object) -> None:
        raise OSError("the disk reports an error")

    monkeypatch.setattr(project.store, "forget", fail)
    tidy(project, later(), lambda what, error: told.append(what))
    assert told == ["removing old messages"]
    assert project.artifacts("shop").find(made.digest) is None
