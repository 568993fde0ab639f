"""The eight stages of a deployment, and the user's own work in them."""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from services import ask, configure, environment, next_version, release
from workshop import Workshop, free_port

from fairway.domain.rollout.plan import DEPLOY_STAGES

#: Notes what a command of a stage sees; fails where a file says so.
NOTE = """import json, os, sys, urllib.request

try:
    page = urllib.request.urlopen(os.environ["FAIRWAY_URL"]).read().decode()
except OSError:
    page = ""
seen = {name: value for name, value in os.environ.items() if name.startswith("FAIRWAY_")}
with open(os.environ["OUT"], "a") as out:
    out.write(json.dumps({"stage": sys.argv[1], "page": page, "folder": os.getcwd(), **seen}) + "\\n")
if os.path.exists(os.environ["OUT"] + "." + sys.argv[1]):
    sys.exit("the tables are locked")
"""

STAGES = """    variables: {{OUT: {out}}}
    stages:
      validate: {{run: ["{python} note.py validate"]}}
      migrate: {{run: ["{python} note.py migrate"]}}
      check: {{run: ["{python} note.py check"], http: [{{path: /, contains: ".0"}}, {{path: /any, status: 200}}]}}
      verify: {{run: ["{python} note.py verify"], http: [{{path: /, contains: ".0"}}]}}
"""
GATED = "    gates: {approvals: 1}\n"


class Place(NamedTuple):
    """A repository with two environments: `full` has work in every stage, `bare` has none and waits for an approval.

    Attributes:
        preview: the port on which the candidate of `bare` answers, as configured; `full` has none configured.
    """

    shop: Workshop
    full: int
    bare: int
    preview: int
    out: Path

    def notes(self, stage: str | None = None) -> list[dict[str, str]]:
        """What the commands noted, in order."""
        notes = [json.loads(line) for line in self.out.read_text().splitlines()]
        return [note for note in notes if stage in (None, note["stage"])]


@pytest.fixture(scope="module")
def place(shared_shop: Workshop) -> Place:
    out = shared_shop.folder.parent / "out"
    made = Place(shared_shop, free_port(), free_port(), free_port(), out)
    stages = STAGES.format(out=out, python=sys.executable)
    full = environment("full", made.full, "{kind: blue-green, keep: 500ms}", instances=1, more=stages)
    bare = environment("bare", made.bare, "rolling", instances=1, observe="0s", more=GATED)
    bare = bare.replace('"}', f'", preview: "127.0.0.1:{made.preview}"}}')
    text = configure(full, bare)
    release(shared_shop, "1.0.0", **{"fairway.yaml": text, "note.py": NOTE})
    assert shared_shop.deploy("1.0.0", "full").status == 0
    return made


def _stages(report: dict[str, Any]) -> list[str]:
    """The stages of the report's steps, each once, in order."""
    return list(dict.fromkeys(step["stage"] for step in report["steps"] if step["outcome"] != "skipped"))


def _steps(report: dict[str, Any], stage: str) -> list[dict[str, Any]]:
    return [step for step in report["steps"] if step["stage"] == stage]


def test_all_eight_stages_appear_and_each_command_runs_once_with_its_variables(place: Place) -> None:
    shop, version = place.shop, next_version()
    live = shop.now("full")["live"]["release"]
    release(shop, version)
    place.out.write_text("")
    answer = shop.deploy(version, "full")
    report = answer.json
    assert (answer.status, report["verdict"]) == (0, "passed"), answer.err
    assert tuple(_stages(report)) == DEPLOY_STAGES
    assert all(step["planned_seconds"] >= 0 and step["seconds"] >= 0 for step in report["steps"])
    assert {step["outcome"] for step in report["steps"]} == {"done"}
    assert [step["name"] for step in _steps(report, "check")][-2:] == [
        f"run {sys.executable} note.py check",
        "2 requests to the preview address",
    ]

    assert [note["stage"] for note in place.notes()] == ["validate", "migrate", "check", "verify"]
    commit = shop.git("rev-parse", "HEAD").strip()
    for note in place.notes():
        assert (note["FAIRWAY_ENVIRONMENT"], note["FAIRWAY_VERSION"], note["FAIRWAY_COMMIT"]) == (
            "full",
            version,
            commit,
        )
        assert note["folder"].startswith(str(shop.folder / ".fairway/artifacts"))
    assert {note["stage"]: note["page"] for note in place.notes()} == {
        "validate": live,
        "migrate": live,
        "check": version,
        "verify": version,
    }
    users = f"http://127.0.0.1:{place.full}"
    assert {note["stage"] for note in place.notes() if note["FAIRWAY_URL"] != users} == {"check"}


@pytest.mark.parametrize("stage", ["validate", "migrate", "check", "verify"])
def test_a_command_that_fails_stops_the_rollout_and_the_old_release_serves_on(place: Place, stage: str) -> None:
    shop, version = place.shop, next_version()
    live = shop.now("full")["live"]["release"]
    release(shop, version)
    failing = place.out.with_name(f"{place.out.name}.{stage}")
    failing.touch()
    answer = shop.deploy(version, "full")
    failing.unlink()
    report = answer.json
    assert (answer.status, report["verdict"], report["phase"]) == (1, "failed", "rolled-back"), answer.err
    assert "note.py" in report["reason"]
    assert "the tables are locked" in report["reason"]
    (switch,) = [step for step in report["steps"] if step["name"] == "weight 100 %"]
    assert switch["outcome"] == ("done" if stage == "verify" else "not-reached")
    assert report["quarantined"] == (stage in {"check", "verify"})
    assert shop.now("full")["live"]["release"] == live
    assert ask(place.full).text == live
    assert not [unit for unit in shop.units() if version in unit]


def test_an_unexpected_answer_on_the_candidates_own_address_stops_the_rollout(place: Place) -> None:
    shop, version = place.shop, next_version()
    live = shop.now("full")["live"]["release"]
    release(shop, version, "body = b'nothing to see'")
    answer = shop.deploy(version, "full")
    assert (answer.status, answer.json["verdict"]) == (1, "failed")
    assert "GET /: 'nothing to see', expected text '.0'" in answer.json["reason"]
    assert [step["outcome"] for step in answer.json["steps"] if step["stage"] == "switch"] == ["not-reached"]
    assert ask(place.full).text == live


def test_an_unexpected_answer_on_the_users_address_takes_the_candidate_back(place: Place) -> None:
    shop, version = place.shop, next_version()
    live = shop.now("full")["live"]["release"]
    shy = f"body = b'shy' if dict(scope['headers'])[b'host'].endswith(b':{place.full}') else b'{version}'"
    release(shop, version, shy)
    answer = shop.deploy(version, "full")
    assert (answer.status, answer.json["verdict"], answer.json["phase"]) == (1, "failed", "rolled-back")
    assert "GET /: 'shy', expected text '.0'" in answer.json["reason"]
    assert ask(place.full).text == live


def test_a_candidate_without_traffic_has_addresses_of_its_own(place: Place) -> None:
    shop, first, version = place.shop, next_version(), next_version()
    for name in (first, version):
        release(shop, name)
        run = shop.deploy(name, "bare", "--no-wait").json["run"]
        shop.await_status("bare", lambda status: status["phase"] == "waiting-approval")
        assert ask(place.preview).text == name
        if name == first:
            assert ask(place.bare).status == 503
            assert shop.steer("approve", run).status == 0
            assert shop.steer("watch", run).status == 0
    assert {ask(place.bare).text for _ in range(20)} == {first}
    assert ask(place.bare, x_fairway_revision="candidate").text == version
    assert ask(place.bare, x_fairway_revision="stable").text == first
    assert ask(place.preview).revision == shop.now("bare")["revision"]

    assert shop.steer("abort", run).status == 0
    assert shop.steer("watch", run).status == 1
    assert ask(place.bare, x_fairway_revision="candidate").status == 404
    assert ask(place.preview).status == 503
    assert ask(place.bare).text == first


def test_a_stage_without_work_is_skipped_with_the_reason(place: Place) -> None:
    shop, version = place.shop, next_version()
    release(shop, version)
    plan = shop.fairway("plan", version, "--env", "bare", "--json").json
    skipped = {entry["stage"]: entry["reason"] for entry in plan["skipped"]}
    assert skipped["migrate"] == "no commands under stages.migrate"
    assert "stages.verify" in skipped["verify"]
    assert skipped["observe"]
    text = shop.fairway("plan", version, "--env", "bare").out
    assert "skipped: no commands under stages.migrate" in text

    run = shop.deploy(version, "bare", "--no-wait").json["run"]
    report = shop.now("bare")
    shop.steer("abort", run)
    shop.steer("watch", run)
    told = {step["stage"]: step["detail"] for step in report["steps"] if step["outcome"] == "skipped"}
    assert told == skipped


def test_a_command_that_takes_too_long_is_stopped(place: Place) -> None:
    shop, version = place.shop, next_version()
    release(shop, version)
    config = shop.folder / "fairway.yaml"
    before = config.read_text()
    config.write_text(before + "    stages: {validate: {run: [sleep 60], timeout: 200ms}}\n")
    answer = shop.deploy(version, "bare")
    config.write_text(before)
    assert (answer.status, answer.json["verdict"]) == (1, "failed")
    assert "`sleep 60` took longer than its time limit" in answer.json["reason"]
