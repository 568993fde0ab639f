"""`fairway rollback`: to the release before, to any earlier one, in the middle of a rollout, and when it is refused."""

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from services import GREETING, ask, configure, environment, next_version, release
from workshop import Answer, Workshop, free_port

from fairway.adapters.load.process import Load
from fairway.domain.rollout.plan import ROLLBACK_PHASES

FAST = "{kind: rolling, bake: 0s}"
MORE = """    variables: {{GREETING: {greeting}}}
    rollback: {{scripts: [db/undo.sql]}}
    stages: {{verify: {{http: [{{path: /}}]}}}}
"""


class Place(NamedTuple):
    """A repository with `production`, in which releases with configurations of their own were live one after the other.

    Attributes:
        releases: their versions, oldest first; the first one is for whoever wants to spoil it.
        told: what the receiver of messages was told, one message a line.
    """

    shop: Workshop
    port: int
    releases: tuple[str, ...]
    told: Path


@pytest.fixture(scope="module")
def place(shared_shop: Workshop) -> Place:
    shop = shared_shop
    made = Place(shop, free_port(), ("0.8.0", "1.0.0", "1.1.0", "1.2.0"), shop.folder.parent / "told")
    shop.release("0.7.0", {"README.md": "never deployed\n"})
    (shop.folder / "db").mkdir()
    # If anybody ran it, everybody would see it.
    (shop.folder / "db/undo.sql").write_text("DROP TABLE goods;\n")
    for version in made.releases:
        _write(made, greeting=f"hello-{version}")
        release(shop, version, GREETING)
        answer = shop.deploy(version, "production")
        assert answer.status == 0, answer.err
    return made


def _write(place: Place, *, greeting: str, strategy: str = FAST, observe: str = "0s") -> None:
    """The configuration, which need not be committed: it counts as it is in the work tree."""
    production = environment(
        "production", place.port, strategy, instances=1, observe=observe, more=MORE.format(greeting=greeting)
    )
    head = f"notify: [{{kind: command, run: \"sh -c 'cat >> {place.told}; echo >> {place.told}'\"}}]\n"
    (place.shop.folder / "fairway.yaml").write_text(configure(production, head=head))


def _back(shop: Workshop, *more: str, reason: str = "prices are wrong", confirm: str = "CONFIRM") -> Answer:
    return shop.fairway("rollback", "--env", "production", "--reason", reason, "--confirm", confirm, "--json", *more)


def _error(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["error"]["code"]


def _live(place: Place) -> str:
    return place.shop.now("production")["live"]["release"]


def _lift(place: Place, version: str, greeting: str) -> None:
    """Makes a release live again that was left."""
    _write(place, greeting=greeting)
    answer = place.shop.deploy(version, "production", "--lift-quarantine", "for the next test")
    assert answer.status == 0, answer.err


def test_the_release_before_comes_back_in_six_phases_with_its_configuration(place: Place) -> None:
    shop = place.shop
    *_, before, left = place.releases
    assert ask(place.port).text == f"hello-{left}"
    with Load(f"http://127.0.0.1:{place.port}/", rate=150, connections=8) as users:
        answer = _back(shop)
        seen = users.stop()
    report = answer.json
    assert (answer.status, report["kind"], report["verdict"]) == (0, "rollback", "passed"), answer.err
    assert (report["release"], report["previous"]) == (before, left)
    assert tuple(dict.fromkeys(step["stage"] for step in report["steps"])) == ROLLBACK_PHASES
    assert {step["outcome"] for step in report["steps"]} == {"done"}
    (scripts,) = [step for step in report["steps"] if step["stage"] == "database"]
    assert scripts["detail"] == "prepared, not run: db/undo.sql"
    assert ask(place.port).text == f"hello-{before}"
    assert seen.failed == 0, seen
    assert not [unit for unit in shop.units() if left in unit]
    _await_told(place, "rollback-verified", before)

    again = shop.deploy(left, "production")
    assert _error(again) == (1, "quarantined")
    assert "prices are wrong" in again.json["error"]["message"]
    empty = shop.deploy(left, "production", "--lift-quarantine", " ")
    assert _error(empty) == (2, "no-reason")
    _lift(place, left, f"hello-{left}")
    assert ask(place.port).text == f"hello-{left}"


def _await_told(place: Place, event: str, version: str) -> None:
    """Messages are delivered by themselves, soon after."""
    deadline = time.monotonic() + 60
    while (event, version) not in _told(place):
        assert time.monotonic() < deadline, _told(place)
        time.sleep(0.05)


def _told(place: Place) -> set[tuple[str, str]]:
    """Event and release of each whole message so far."""
    text = place.told.read_text() if place.told.exists() else ""
    messages = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return {(message["event"], message["release"]) for message in messages}


def test_an_earlier_release_that_runs_no_more_comes_back_by_its_name_or_by_its_run(place: Place) -> None:
    shop = place.shop
    _, older, newer, left = place.releases
    history = shop.fairway("history", "--env", "production", "--json").json["runs"]
    runs = {entry["release"]: entry["run"] for entry in history}
    _return_to(shop, f"v{older}")
    assert ask(place.port).text == f"hello-{older}"
    assert _error(_back(shop, "--to", left)) == (1, "quarantined")
    same = _back(shop, "--to", older)
    assert (same.status, same.json["unchanged"]) == (0, True)

    _return_to(shop, runs[newer])
    assert ask(place.port).text == f"hello-{newer}"
    assert _live(place) == newer


def _return_to(shop: Workshop, to: str) -> None:
    """Goes back, and ends the rollback's own watch early."""
    answer = _back(shop, "--to", to, "--no-wait")
    assert answer.status == 0, answer.err
    shop.await_status("production", lambda status: "under-way" in _watch(status))
    assert shop.steer("promote", answer.json["run"]).status == 0
    done = shop.steer("watch", answer.json["run"])
    assert (done.status, done.json["verdict"]) == (0, "passed"), done.err


def _watch(report: dict[str, Any]) -> list[str]:
    return [step["outcome"] for step in report["steps"] if step["name"] == "settle at 100 %"]


def test_a_rollback_during_a_rollout_takes_the_plans_own_way_back(place: Place) -> None:
    shop, version = place.shop, next_version()
    live = _live(place)
    _write(place, greeting="canary", strategy="{kind: canary, steps: [50, 100], bake: 600s}", observe="600s")
    release(shop, version, GREETING)
    with Load(f"http://127.0.0.1:{place.port}/", rate=150, connections=8) as users:
        run = shop.deploy(version, "production", "--no-wait").json["run"]
        shop.await_status("production", lambda status: status["weight"] == 50)
        other = _back(shop, "--to", place.releases[0])
        assert _error(other) == (1, "busy")
        assert run in other.json["error"]["message"]
        back = _back(shop)
        assert (back.status, back.json["run"], back.json["phase"]) == (0, run, "rolled-back"), back.err
        assert "prices are wrong" in back.json["reason"]
        assert back.json["quarantined"] is False
        seen = users.stop()
    assert _live(place) == live
    assert ask(place.port).revision == shop.now("production")["live"]["revision"]
    assert seen.failed == 0, seen


def test_a_rollback_needs_a_reason_the_word_confirm_and_an_environment(place: Place) -> None:
    shop = place.shop
    assert _error(_back(shop, reason=" ")) == (2, "no-reason")
    assert _error(_back(shop, confirm="confirm")) == (2, "not-confirmed")
    unknown = shop.fairway("rollback", "--env", "prod", "--reason", "x", "--confirm", "CONFIRM", "--json")
    assert _error(unknown) == (2, "unknown-environment")
    assert "production" in unknown.json["error"]["hint"]


def test_a_release_that_was_never_live_or_is_not_known_is_refused(place: Place) -> None:
    never = _back(place.shop, "--to", "0.7.0")
    assert _error(never) == (1, "never-released")
    assert place.releases[2] in never.json["error"]["hint"]
    unknown = _back(place.shop, "--to", "1.1.O")
    assert _error(unknown) == (2, "unknown-release")
    assert "v1.1.0" in unknown.json["error"]["hint"]


def test_an_artifact_that_was_altered_or_removed_is_not_gone_back_to(place: Place) -> None:
    shop = place.shop
    target = place.releases[0]
    history = shop.fairway("history", "--env", "production", "--json").json["runs"]
    digest = next(entry["digest"] for entry in history if entry["release"] == target)
    (folder,) = [
        path.parent for path in (shop.folder / ".fairway/artifacts").rglob("corner.py") if target in path.read_text()
    ]
    file = folder / "corner.py"
    before = file.read_text()
    file.chmod(0o600)
    file.write_text(before + "# one more line\n")
    altered = _back(shop, "--to", target)
    file.write_text(before)
    file.chmod(0o400)
    assert _error(altered) == (1, "artifact-altered")
    assert "corner.py" in altered.json["error"]["message"]

    for path, _, _ in os.walk(folder.parent):
        Path(path).chmod(0o700)
    shutil.rmtree(folder.parent)
    removed = _back(shop, "--to", digest)
    assert _error(removed) == (1, "artifact-altered")
    assert _live(place) != target
