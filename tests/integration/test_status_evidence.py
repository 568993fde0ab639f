"""`fairway status --evidence` and `--plot` on a real journal."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from fairway.adapters.stores.sql import SqlStore
from fairway.cli.app import run
from fairway.domain.analysis.evidence import Counts
from fairway.domain.analysis.history import HistoryChange, Latency, Point
from fairway.domain.codec import to_json
from fairway.testing.journal_samples import BEGIN, begin, deployed, plan, promotion, revision, way_back


def points(count):
    return tuple(
        (
            second,
            to_json(
                Point(
                    at=BEGIN + second,
                    since=BEGIN,
                    watched=float(second),
                    weight=100.0,
                    decision="continue",
                    rule="watching",
                    e_value=2.0**second,
                    lanes={"error-lane": 2.0**second},
                    candidate=Counts(100, 3),
                    stable=Counts(900, 3),
                    ratio=9.0,
                    low=2.5,
                    high=None,
                    latency={"r1.1.0": Latency(12.0, 80.0)},
                )
            ),
        )
        for second in range(count)
    )


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with two environments: one after a rollback, the other after a first deployment."""
    (tmp_path / ".fairway").mkdir()
    (tmp_path / "fairway.yaml").write_text("service: shop\n")
    journal = tmp_path / ".fairway" / "journal.db"
    (tmp_path / ".fairway" / "project").write_text(f"shop\n{journal}\n")
    with SqlStore.open(str(journal)) as store:
        deployed(store, "r-stage", plan(environment="staging"))
        deployed(store, "r-first", plan())
        bad = plan("1.1.0", revision("1.0.0"))
        begin(store, "r-bad", bad, BEGIN)
        (claim,) = store.claim("a", now=BEGIN, ttl=9.0, limit=9)
        for number, point in points(7):
            change = HistoryChange(((number, point),))
            store.save_evidence("r-bad", {"assessment": None}, epoch=claim.epoch, history=change)
        store.append(store.load("r-bad"), (*promotion(BEGIN + 1), *way_back(bad, BEGIN + 6)), wake=None)
        deployed(store, "r-next", plan("1.2.0", revision("1.0.0")))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_evidence_of_a_run_of_long_ago_is_drawn_as_plain_text(project, capsys):
    assert run(["status", "--run", "r-bad", "--evidence"]) == 0
    shown = capsys.readouterr().out
    assert "shop 1.0.0 → 1.1.0 in production" in shown
    assert "roll-back: hard-lane" in shown
    assert "9× (2.5 to ∞)" in shown
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= 80
    assert run(["status", "--run", "r-bad"]) == 0
    assert capsys.readouterr().out == shown


def test_each_environment_shows_its_latest_run(project, capsys):
    assert run(["status", "--evidence"]) == 0
    shown = capsys.readouterr().out
    assert shown.index("in staging") < shown.index("1.0.0 → 1.2.0 in production")
    assert "first deployment" in shown
    assert "No readings are kept of this run" in shown


def test_programs_get_the_course_beside_the_state(project, capsys):
    assert run(["status", "--run", "r-bad", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["run"], told["phase"]) == ("r-bad", "rolled-back")
    course = told["course"]
    assert (course["threshold"], course["margin"]["ratio"]) == (100.0, pytest.approx(1.28))
    assert [mark["kind"] for mark in course["marks"]] == ["promote", "roll-back", "end"]
    assert len(course["points"]) == 7
    last = course["points"][-1]
    assert (last["at"], last["e_value"], last["high"]) == ("2023-11-14T22:13:26.000Z", 64.0, None)
    assert last["candidate"] == {"finished": 100, "failed": 3}
    assert run(["status", "--env", "production", "--evidence", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["course"]["points"] == []
    assert run(["status", "--evidence", "--json"]) == 0
    assert [("course" in one) for one in json.loads(capsys.readouterr().out)["environments"]] == [True, True]
    assert run(["status", "--json"]) == 0
    assert "course" not in json.loads(capsys.readouterr().out)["environments"][0]


def test_a_picture_is_written_and_nothing_else_is_said_on_stdout(project, capsys):
    for name in ("evidence.svg", "evidence.png"):
        assert run(["status", "--run", "r-bad", "--plot", name]) == 0
        said = capsys.readouterr()
        assert (said.out, said.err) == ("", f"wrote {name}\n")
    assert ET.parse(project / "evidence.svg").getroot().tag.endswith("svg")
    assert (project / "evidence.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_holds_one_run(project, capsys):
    assert run(["status", "--plot", "x.svg", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["code"], error["hint"]) == ("plot-which", "say which by --env ENV or --run RUN")
    assert "staging, production" in error["message"]
    assert run(["status", "--env", "production", "--plot", "x.svg"]) == 0


def test_what_cannot_be_drawn_is_refused_before_anything_is_written(project, capsys):
    assert run(["status", "--run", "r-none", "--evidence", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "unknown-run"
    assert run(["status", "--run", "r-bad", "--plot", "x.gif", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "plot-format"
    assert run(["status", "--run", "r-bad", "--plot", "no/where/x.svg", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["message"] == '"no/where" is not a folder'
    assert not list(Path().glob("x.*"))
