"""What the command line refuses, in which words and with which exit status; and how releases are named."""

import json
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from services import ask, configure, environment, next_version, release
from workshop import FAIRWAY, Answer, Workshop, free_port

FAST = "{kind: rolling, bake: 0s}"


class Place(NamedTuple):
    """A repository in which `production` comes after `staging`, with 1.0.0 live in `staging`."""

    shop: Workshop
    staging: int
    production: int


@pytest.fixture(scope="module")
def place(shared_shop: Workshop) -> Place:
    made = Place(shared_shop, free_port(), free_port())
    environments = [
        environment("staging", made.staging, FAST, instances=1),
        environment("production", made.production, FAST, instances=1, more="    after: staging\n"),
    ]
    release(shared_shop, "1.0.0", **{"fairway.yaml": configure(*environments)})
    assert shared_shop.deploy("1.0.0", "staging").status == 0
    return made


def _refused(answer: Answer) -> tuple[int, str]:
    """Exit status and code; the same words are on stderr for people, and nothing else is on stdout."""
    error = answer.json["error"]
    assert set(answer.json) == {"error"}
    assert f"fairway: {error['message']}" in answer.err
    assert "Traceback" not in answer.err
    return answer.status, error["code"]


def test_a_release_goes_through_the_environments_in_their_order(place: Place) -> None:
    shop, version = place.shop, next_version()
    release(shop, version)
    early = shop.deploy(version, "production")
    assert _refused(early) == (1, "order")
    assert f"{version} has not been live in staging" in early.json["error"]["message"]
    assert early.json["error"]["hint"] == f"fairway deploy {version} --env staging"
    assert ask(place.production).status == 0

    passed = shop.deploy("1.0.0", "production")
    assert passed.status == 0, passed.err
    assert passed.json["digest"] == shop.now("staging")["live"]["digest"]


def test_a_release_has_many_names(place: Place) -> None:
    shop = place.shop
    live = shop.now("staging")["live"]
    for name in ("v1.0.0", live["commit"], live["commit"][:10], live["digest"]):
        answer = shop.deploy(name, "staging")
        assert (answer.status, answer.json["unchanged"], answer.json["digest"]) == (0, True, live["digest"]), name


def test_an_unknown_release_is_answered_with_near_names(place: Place) -> None:
    unknown = place.shop.deploy("v1.0.O", "staging")
    assert _refused(unknown) == (2, "unknown-release")
    assert "v1.0.O" in unknown.json["error"]["message"]
    assert "v1.0.0" in unknown.json["error"]["hint"]
    assert _refused(place.shop.deploy(f"sha256:{'0' * 64}", "staging")) == (2, "unknown-digest")


def test_what_is_not_committed_is_noted_and_not_deployed(place: Place) -> None:
    shop, version = place.shop, next_version()
    release(shop, version)
    source = shop.folder / "corner.py"
    committed = source.read_text()
    source.write_text(committed.replace(version, "not committed"))
    answer = shop.deploy(version, "staging")
    source.write_text(committed)
    assert answer.status == 0, answer.err
    assert "changes that are not committed" in answer.err
    assert ask(place.staging).text == version


def test_an_unknown_environment_is_answered_with_those_that_there_are(place: Place) -> None:
    shop = place.shop
    reason = ("--reason", "x", "--confirm", "CONFIRM")
    for command in (
        ("deploy", "1.0.0"),
        ("plan", "1.0.0"),
        ("status",),
        ("history",),
        ("down",),
        ("rollback", *reason),
    ):
        answer = shop.fairway(*command, "--env", "prod", "--json")
        assert _refused(answer) == (2, "unknown-environment"), command
        assert answer.json["error"]["hint"] == "known are staging, production"


def test_a_command_that_cannot_be_understood_says_what_was_meant(place: Place) -> None:
    for words, said in (
        (["deploy", "1.0.0", "--env", "staging", "--wiat"], "--wiat"),
        (["deploi", "1.0.0"], "Did you mean"),
        (["deploy", "1.0.0"], "--env"),
        (["deploy", "1.0.0", "--env", "staging", "--strategy", "green"], "blue-green"),
        (["deploy", "1.0.0", "--env", "staging", "--timeout", "soon"], "'soon' is not a duration"),
    ):
        answer = place.shop.fairway(*words, "--json")
        assert _refused(answer)[0] == 2, words
        assert said in answer.json["error"]["message"], words


def test_a_broken_configuration_is_refused_with_its_position_and_questions_still_work(place: Place) -> None:
    shop = place.shop
    config = shop.folder / "fairway.yaml"
    before = config.read_text()
    config.write_text(before.replace("    instances: 1\n", "    instances: none\n    aprovals: 1\n"))
    deploy = shop.deploy("1.0.0", "staging")
    check = shop.fairway("check", "--json")
    status = shop.fairway("status", "--json")
    config.write_text(before + "\tx: [\n")
    broken = shop.deploy("1.0.0", "staging")
    config.write_text(before)
    assert _refused(deploy) == (2, "config-invalid")
    assert "fairway.yaml has 4 problems" in deploy.json["error"]["message"]
    assert (check.status, check.json["ok"]) == (2, False)
    lines = before.splitlines()
    expected = {number + 1 for number, line in enumerate(lines) if line == "    instances: 1"}
    assert {problem["key_path"] for problem in check.json["problems"]} == {
        f"environments.{name}.{key}" for name in ("staging", "production") for key in ("instances", "aprovals")
    }
    assert min(problem["line"] for problem in check.json["problems"]) == min(expected)
    assert status.status == 0
    assert {entry["environment"] for entry in status.json["environments"]} >= {"staging"}
    assert _refused(broken) == (2, "config-invalid")
    assert f":{len(lines) + 1}:1: a tab is used to indent" in broken.json["error"]["message"]
    assert shop.fairway("check").status == 0


def test_the_nearest_configuration_counts_and_another_can_be_named(place: Place, tmp_path: Path) -> None:
    below = place.shop.folder / "deep" / "down"
    below.mkdir(parents=True)
    named = ("--config", str(place.shop.folder / "fairway.yaml"))
    for folder, more in ((below, ()), (tmp_path, named)):
        done = subprocess.run(
            [FAIRWAY, "status", "--env", "staging", "--json", *more],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert json.loads(done.stdout)["environment"] == "staging", done.stderr
    nothing = subprocess.run([FAIRWAY, "status", "--json"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert nothing.returncode == 2
    assert json.loads(nothing.stdout)["error"]["code"] == "no-config"
    assert list(tmp_path.iterdir()) == []


def test_a_plan_says_what_would_be_done_and_does_nothing(place: Place) -> None:
    shop, version = place.shop, next_version()
    release(shop, version)
    before = shop.now("staging")
    plan = shop.fairway("plan", version, "--env", "staging", "--strategy", "canary", "--json")
    assert plan.status == 0, plan.err
    assert (plan.json["release"], plan.json["previous"]) == (version, before["live"]["release"])
    assert "canary" in plan.json["strategy"]
    assert [step["name"] for step in plan.json["forward"] if step["stage"] == "switch"][:2] == [
        "weight 10 %",
        "bake at 10 %",
    ]
    assert plan.json["rollback"][0]["name"].startswith("weight 0 %")
    assert plan.json["seconds"] > 0
    text = shop.fairway("plan", version, "--env", "staging", "--strategy", "canary").out
    assert text.index("bake at 50 %") < text.index("commit point") < text.index("retire the stable")
    assert shop.now("staging") == before


def test_the_command_describes_itself(place: Place) -> None:
    shop = place.shop
    version = shop.fairway("--version")
    assert version.status == 0
    assert version.out.count(".") == 2
    overview = shop.fairway("--help")
    assert overview.status == 0
    for name in ("deploy", "rollback", "approve", "history"):
        assert name in overview.out
    help_text = shop.fairway("deploy", "--help")
    assert help_text.status == 0
    assert "--lift-quarantine" in help_text.out


def test_a_state_folder_that_cannot_be_used_is_said_in_one_sentence(shop: Workshop) -> None:
    release(shop, "1.0.0", **{"fairway.yaml": configure(environment("staging", free_port(), FAST))})
    (shop.folder / ".fairway").write_text("in the way")
    answer = shop.fairway("status", "--json")
    assert _refused(answer) == (3, "state-folder")
    (shop.folder / ".fairway").unlink()
