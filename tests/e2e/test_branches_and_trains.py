"""Branch policies, hotfixes, reverts, windows and trains by the command line, with real repositories and processes."""

import json
import os
import pty
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from killing_git import KillingGit
from services import configure, environment
from services import release as commit_service
from workshop import FAIRWAY, Workshop, free_port

from fairway.bootstrap import open_project
from fairway.domain.cadence.policy import Passage
from fairway.usecases.deploy import Request

LIBRARY = """\
service: shop
release:
  artifact: false
  test: {{unit: {{run: {test}, cache: false}}}}
"""
FROZEN = "cadence: {freezes: [{from: 2000-01-01, to: 2099-12-31, reason: audit}]}\n"


def library(shop: Workshop, more: str = "", test: str = "'true'") -> None:
    """A project that releases a tag and is at version 1.0.0."""
    shop.release("1.0.0", {"fairway.yaml": LIBRARY.format(test=test) + more})


def commit(shop: Workshop, message: str, **files: str) -> str:
    for name, text in files.items():
        (shop.folder / name).write_text(text)
    shop.git("add", ".")
    shop.git("commit", "--quiet", "--allow-empty", "--message", message)
    return shop.git("rev-parse", "HEAD").strip()


def refusal(answer) -> dict[str, str]:
    assert answer.status == 1, answer
    return answer.json["error"]


def tags(shop: Workshop) -> list[str]:
    return shop.git("tag").split()


def test_a_branch_releases_what_its_policy_allows_and_nothing_else(shop):
    library(shop, "branches: github-flow\n")
    shop.git("switch", "--quiet", "--create", "feat/search")
    commit(shop, "feat: search")
    refused = refusal(shop.fairway("release", "--json"))
    assert refused["code"] == "branch-release"
    assert "branch 'feat/search' may not make stable release 1.1.0" in refused["message"]
    assert tags(shop) == ["v1.0.0"]
    shop.git("switch", "--quiet", "main")
    shop.git("merge", "--quiet", "feat/search")
    done = shop.fairway("release", "--json")
    assert done.status == 0, done
    assert done.json["branch"] == "main"
    assert tags(shop) == ["v1.0.0", "v1.1.0"]


def test_a_hotfix_branch_releases_only_the_repair(shop):
    library(shop, "branches: trunk\n")
    assert shop.fairway("hotfix", "start", "--yes").status == 0
    shop.git("switch", "--quiet", "hotfix/1.0.1")
    commit(shop, "fix: the sum")
    assert refusal(shop.fairway("release", "1.2.0", "--json"))["code"] == "branch-release"
    assert shop.fairway("release", "--json").json["version"] == "1.0.1"


@pytest.fixture
def service(shop):
    """A service with staging and production, at version 1.0.0, with a policy and a freeze for production."""
    places = [environment(name, free_port(), "rolling") for name in ("staging", "production")]
    text = configure(*places, head="branches: github-flow\n" + FROZEN)
    commit_service(shop, "1.0.0", **{"fairway.yaml": text})
    return shop


def test_what_lies_on_another_branch_does_not_go_to_production(service):
    service.git("switch", "--quiet", "--create", "feat/search")
    commit_service(service, "1.1.0-rc.1")
    refused = refusal(service.fairway("plan", "HEAD", "--env", "production", "--json"))
    assert refused["code"] == "branch-deploy"
    assert "it may go to staging" in refused["message"]
    # An emergency passes the freeze, and not the policy.
    passed = refusal(service.deploy("HEAD", "production", "--emergency", "the sum is wrong"))
    assert passed["code"] == "branch-deploy"
    assert service.units() == {}


def test_a_freeze_holds_deployments_to_production_back(service):
    refused = refusal(service.deploy("1.0.0", "production"))
    assert refused["code"] == "closed"
    assert refused["message"].startswith("a deployment to production is held back: freeze 'audit'")
    assert "--emergency REASON" in refused["hint"]
    assert service.units() == {}


def test_an_emergency_passes_and_is_on_record(service):
    """Without a controller, so that nothing is really deployed."""
    project = open_project(service.folder / "fairway.yaml")
    deployer = project.deployer(lambda _: None)
    assert deployer.start(Request("1.0.0", "staging", "ann")).plan.environment == "staging"
    passage = Passage("security", "CVE-2026-1234")
    started = deployer.start(Request("1.0.0", "production", "ann", passage=passage))
    project.store.close()
    told = service.status("production")["passage"]
    assert told == {"kind": "security", "reason": "CVE-2026-1234", "passed": told["passed"]}
    assert told["passed"].startswith("freeze 'audit'")
    assert "  security: CVE-2026-1234, which passed freeze 'audit'" in service.fairway("status").out
    assert "security: CVE-2026-1234" in service.fairway("history", "--env", "production").out
    assert service.fairway("history", "--run", started.run).json["passage"] == told


def test_a_release_in_a_freeze_passes_with_a_reason_on_record(shop):
    library(shop, FROZEN)
    commit(shop, "fix: the sum")
    assert refusal(shop.fairway("release", "--json"))["code"] == "closed"
    assert shop.fairway("release", "--pre", "rc", "--json").json["version"] == "1.0.1-rc.1"
    done = shop.fairway("release", "--emergency", "the sum is wrong", "--json").json
    assert (done["version"], done["passage"]["reason"]) == ("1.0.1", "the sum is wrong")
    assert "[emergency: the sum is wrong (passed: freeze 'audit'" in shop.fairway("release", "status").out


def test_a_release_that_is_resumed_in_a_freeze_needs_a_reason_on_record(shop, tmp_path):
    library(shop, test=json.dumps(f"test -e {tmp_path}/mended"))
    commit(shop, "fix: the sum")
    assert shop.fairway("release").status == 1
    (tmp_path / "mended").touch()
    config = shop.folder / "fairway.yaml"
    config.write_text(config.read_text() + FROZEN)
    held = refusal(shop.fairway("release", "resume", "--json"))
    assert held["code"] == "closed"
    assert "with fairway release resume rel-" in held["hint"]
    assert tags(shop) == ["v1.0.0"]
    done = shop.fairway("release", "resume", "--security", "CVE-2026-1234", "--json")
    assert done.status == 0, done
    assert (done.json["passage"]["kind"], done.json["passage"]["reason"]) == ("security", "CVE-2026-1234")
    assert done.json["passage"]["passed"].startswith("freeze 'audit'")
    assert tags(shop) == ["v1.0.0", "v1.0.1"]


def test_a_dry_run_that_foresees_a_conflict_names_the_files_and_is_no_yes(shop):
    library(shop)
    wrong = commit(shop, "feat: wrong", wrong="x\n")
    commit(shop, "feat: more of it", wrong="y\n")
    before = shop.git("for-each-ref") + shop.git("status", "--porcelain") + shop.git("count-objects")
    for command in (("revert", wrong), ("release-branch", "without", "--from", "main", "--without", wrong)):
        refused = refusal(shop.fairway(*command, "--dry-run", "--json"))
        assert refused["code"] == "conflict"
        assert "(feat: wrong) conflicts in wrong" in refused["message"]
        shown = shop.fairway(*command, "--dry-run")
        assert shown.status == 1
        assert f"revert --no-edit {wrong[:12]}" in shown.out
    assert shop.git("for-each-ref") + shop.git("status", "--porcelain") + shop.git("count-objects") == before


def test_whoever_cannot_be_asked_has_to_say_yes(shop):
    library(shop)
    wrong = commit(shop, "feat: wrong", wrong="x\n")
    answer = shop.fairway("revert", wrong)
    assert answer.status == 2
    assert "say --yes" in answer.err
    commit(shop, "feat: right", right="x\n")
    dry = shop.fairway("revert", "HEAD~1", "--dry-run", "--json").json
    assert dry["done"] is False
    assert [one["commit"] for one in dry["branches"][0]["changes"]] == [wrong]
    assert shop.git("branch", "--list", "revert/*") == ""


def test_on_a_terminal_people_are_shown_the_commands_and_asked(shop):
    library(shop)
    wrong = commit(shop, "feat: wrong", wrong="x\n")
    own, theirs = pty.openpty()
    try:
        command = subprocess.Popen(
            [FAIRWAY, "revert", wrong], cwd=shop.folder, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, text=True
        )
        os.write(own, b"y\n")
        out, _ = command.communicate(timeout=60)
    finally:
        os.close(own)
        os.close(theirs)
    assert f"git -C WORK revert --no-edit {wrong[:12]}  # feat: wrong" in out
    assert command.returncode == 0
    assert shop.git("branch", "--list", "revert/*") != ""


@pytest.mark.parametrize("killed", [{"after": 2}, {"after": 4}])
def test_a_revert_that_is_killed_is_done_by_the_same_command_again(shop, tmp_path, killed):
    """Calls: a work tree is added, a commit is reverted, the tree is removed, the branch is made, and pushed."""
    library(shop)
    wrong = commit(shop, "feat: wrong", wrong="x\n")
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path / "remote.git")], check=True)
    shop.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    git = KillingGit(tmp_path / "bin", os.environ["PATH"])
    command = ("revert", wrong, "--branch", "back", "--push", "origin", "--yes")
    assert shop.fairway(*command, **git.variables(**killed)).status == -signal.SIGKILL
    assert shop.fairway(*command).status == 0
    assert shop.git("log", "--format=%s", "main..back").splitlines() == ['Revert "feat: wrong"']
    assert shop.git("ls-remote", "origin", "refs/heads/back").split()[0] == shop.git("rev-parse", "back").strip()
    assert shop.git("worktree", "list").count("\n") == 1
    assert shop.git("status", "--porcelain") == ""


def with_train(shop: Workshop, test: str = "'true'") -> None:
    """A project whose train left a few minutes ago, by a timetable that has been known for long."""
    left = time.gmtime(time.time() - 300)
    cron = f"{left.tm_min} {left.tm_hour} * * *"
    library(shop, f'cadence: {{trains: {{daily: {{cron: "{cron}"}}}}}}\n', test=test)
    commit(shop, "feat: cart")
    state = shop.folder / ".fairway"
    state.mkdir(mode=0o700)
    (state / "trains.json").write_text(json.dumps({"daily": {"timetable": f"{cron} UTC", "since": 1.0}}))


def list_releases(shop: Workshop) -> list[dict[str, str]]:
    return shop.fairway("release", "status", "--json").json["releases"]


def await_release(shop: Workshop, phase: str) -> dict[str, str]:
    deadline = time.monotonic() + 90
    while True:
        found = list_releases(shop)
        if found and found[0]["phase"] == phase:
            return found[0]
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def test_of_two_who_start_a_train_at_once_one_releases(shop):
    with_train(shop)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(shop.fairway("train", "--json"))) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(120)
    assert [one.status for one in answers] == [0, 0], answers
    (only,) = list_releases(shop)
    assert only["id"].startswith("rel-shop.daily-")
    await_release(shop, "completed")
    assert tags(shop) == ["v1.0.0", "v1.1.0"]


def test_the_controller_starts_a_train_that_the_machine_slept_through_once(shop):
    with_train(shop)
    controller = shop.start("serve")
    assert await_release(shop, "completed")["release"] == "1.1.0"
    assert tags(shop) == ["v1.0.0", "v1.1.0"]
    controller.send_signal(signal.SIGTERM)
    assert shop.finish(controller).status == 0
    told = shop.fairway("train", "--json").json["trains"]
    assert [one["state"] for one in told] == ["left"]
    assert len(list_releases(shop)) == 1


def test_a_train_whose_process_is_killed_goes_on_when_somebody_looks(shop, tmp_path):
    flag = tmp_path / "go"
    wait = f"sh -c 'touch {tmp_path}/begun; while [ ! -e {flag} ]; do sleep 0.05; done'"
    with_train(shop, test=json.dumps(wait))
    first = shop.start("train")
    await_file(tmp_path / "begun")
    first.kill()
    first.wait(30)
    assert list_releases(shop)[0]["phase"] == "running"
    flag.touch()
    assert shop.fairway("train").status == 0
    (only,) = list_releases(shop)
    assert only["phase"] == "completed"
    assert tags(shop) == ["v1.0.0", "v1.1.0"]


def await_file(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_cadence_says_what_is_closed_and_when_trains_leave(shop):
    library(
        shop, "cadence: {freezes: [{from: 2000-01-01, to: 2099-12-31}], trains: {weekly: {day: tuesday, at: '9:00'}}}\n"
    )
    answer = shop.fairway("cadence", "--json")
    assert answer.status == 1
    assert answer.json["open"] is False
    (weekly,) = answer.json["trains"]
    assert weekly["next"].endswith("T09:00:00.000Z")
    assert weekly["state"] == "none"
