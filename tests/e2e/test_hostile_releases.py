"""Releases that cannot work, each with one clear sentence, and the release before serves on as if nothing had been."""

import json
import os
import re
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from services import DEAD, HEALTHY, ask, configure, environment, next_version, release
from workshop import Answer, Workshop, await_load, free_port

from fairway.adapters.load.process import Load

ROLLING = "{kind: rolling, bake: 0s}"


class Place(NamedTuple):
    """A repository with 1.0.0 live in `production`.

    Attributes:
        good: the configuration that it was deployed with.
    """

    shop: Workshop
    port: int
    good: str

    def deploy(self, text: str, body: str = HEALTHY, **files: str) -> Answer:
        """A release with this configuration, to its end."""
        version = next_version()
        release(self.shop, version, body, **{"fairway.yaml": text, **files})
        return self.shop.deploy(version, "production", "--timeout", "300s")

    def with_command(self, command: str) -> str:
        """The configuration with another command."""
        text = re.sub("  command: .*", lambda _: f"  command: {json.dumps(command)}", self.good)
        return text.replace("{ready: /health/ready,", "{timeout: 60s, ready: /health/ready,")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, shared_shop: Workshop) -> Place:
    port = free_port()
    text = configure(environment("production", port, ROLLING, instances=1, observe="0s"))
    release(shared_shop, "1.0.0", **{"fairway.yaml": text})
    assert shared_shop.deploy("1.0.0", "production", "--timeout", "300s").status == 0
    return Place(shared_shop, port, text)


@pytest.fixture
def place(live: Place) -> Iterator[Place]:
    """The same; afterwards what was live serves, and nothing of the candidate is left."""
    before = live.shop.now("production")["live"]["release"]
    yield live
    (live.shop.folder / "fairway.yaml").write_text(live.good)
    status = live.shop.now("production")
    assert status["finished"] is not None, status
    if status["live"]["release"] == before:
        (instance,) = (unit for unit in live.shop.units() if unit.startswith("i."))
        assert instance.startswith(f"i.corner.production.{status['live']['revision']}.")
    assert ask(live.port).status == 200
    assert ask(live.port).text == status["live"]["release"]


BUILDS = {
    "fails": ("sh -c 'echo the compiler is missing >&2; exit 3'", "build-failed", "exit status 3"),
    "hangs": ("sleep 1000", "build-failed", "still running after 0.3 s"),
    "is no program": ("no-such-compiler --fast", "build-failed", "no-such-compiler"),
    "is a shell's": ("make && make install", "config-invalid", "&&"),
}


@pytest.mark.parametrize("kind", BUILDS)
def test_a_build_that_cannot_work_starts_no_run(place: Place, kind: str) -> None:
    step, code, words = BUILDS[kind]
    before = place.shop.now("production")["run"]
    limit = "300ms" if kind == "hangs" else "60s"
    build = f"build: {{timeout: {limit}, steps: [{json.dumps(step)}]}}"
    answer = place.deploy(place.good.replace("build: {steps: []}", build))
    error = answer.json["error"]
    assert (answer.status, error["code"]) == (2 if code == "config-invalid" else 3, code), error
    assert words in error["message"]
    assert error["hint"]
    if kind == "fails":
        assert "the compiler is missing" in error["message"]
    assert place.shop.now("production")["run"] == before
    left = place.shop.folder / ".fairway/artifacts/corner"
    assert not [path for path in left.iterdir() if path.name.startswith(place.shop.git("rev-parse", "HEAD")[:12])]


COMMANDS = {
    "exits at once": ("false", "ends again and again (exit status 1)"),
    "is killed again and again": ("sh -c 'kill -9 $$'", "signal SIGKILL"),
    "does not exist": ("./no-such-program --port {port}", "'./no-such-program' does not exist"),
    "may not be run": ("./corner.py", "corner.py' may not be executed"),
}


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_command_that_cannot_serve_is_taken_back_with_its_reason(place: Place, kind: str) -> None:
    command, words = COMMANDS[kind]
    answer = place.deploy(place.with_command(command))
    assert answer.json["phase"] == "rolled-back"
    assert answer.status == (3 if "no" in kind or "may" in kind else 1), answer.json
    assert words in answer.json["reason"]


#: Takes a port and says so in a file.
STRANGER = "import os, socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1])))"
STRANGER += "; f = open(sys.argv[2], 'w'); f.write(str(os.getpid())); f.close(); time.sleep(600)"


def test_an_instance_whose_port_somebody_takes_before_it_listens_gets_another(place: Place, tmp_path: Path) -> None:
    flag, program = tmp_path / "stranger", tmp_path / "stranger.py"
    program.write_text(STRANGER)
    usual = re.search("  command: (.*)", place.good)
    assert usual is not None
    taken = f"setsid {sys.executable} -S {program} {{port}} {flag} & until test -s {flag}; do sleep 0.05; done"
    command = f"sh -c 'test -e {flag} || {{ {taken}; }}; exec {usual[1]}'"
    try:
        answer = place.deploy(place.good.replace(usual[0], f"  command: {json.dumps(command)}"))
    finally:
        os.kill(int(flag.read_text()), signal.SIGKILL)
    assert (answer.status, answer.json["verdict"]) == (0, "passed"), answer.err


def test_an_address_that_cannot_be_had_leaves_the_users_where_they_were(place: Place) -> None:
    """The way back goes by the address that was, not by the one that failed."""
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        taken = f"127.0.0.1:{stranger.getsockname()[1]}"
        for address, words in ((taken, f"already taken by process {os.getpid()}"), ("192.0.2.1:80", "cannot listen")):
            answer = place.deploy(place.good.replace(f"127.0.0.1:{place.port}", address))
            assert (answer.status, answer.json["phase"], answer.json["verdict"]) == (3, "rolled-back", "errored")
            assert words in answer.json["reason"]
            assert address in answer.json["reason"]
            assert ask(place.port).status == 200


def test_a_bad_release_at_a_new_address_brings_the_old_address_back(place: Place) -> None:
    moved = free_port()
    text = place.good.replace(f"127.0.0.1:{place.port}", f"127.0.0.1:{moved}").replace("bake: 0s", "bake: 30s")
    with Load(f"http://127.0.0.1:{moved}/", rate=100, connections=4):
        answer = place.deploy(text, DEAD)
    assert (answer.status, answer.json["phase"]) == (1, "rolled-back"), answer.err
    assert ask(place.port).status == 200
    assert ask(moved).status == 0


def test_a_crash_after_the_switch_is_taken_back(place: Place, tmp_path: Path) -> None:
    """The instance serves well and then ends, again and again, while the old release is still warm."""
    flag = tmp_path / "crash"
    body = f"__import__('os')._exit(9) if __import__('os').path.exists({str(flag)!r}) else None"
    text = place.good.replace(ROLLING, "{kind: blue-green, keep: 60s}")
    version = next_version()
    release(place.shop, version, body, **{"fairway.yaml": text})
    command = place.shop.start("deploy", version, "--env", "production", "--json")
    place.shop.await_status("production", lambda status: status["weight"] == 100)
    with Load(f"http://127.0.0.1:{place.port}/", rate=100, connections=4) as users:
        await_load(users, lambda seen: seen["ok"] > 50)
        flag.touch()
        answer = place.shop.finish(command)
        assert (answer.status, answer.json["phase"], answer.json["quarantined"]) == (1, "rolled-back", True)
        seen = users.stop()
    assert seen.failed == 0, seen


def test_two_deploys_at_once_make_one_run(place: Place) -> None:
    versions = [next_version(), next_version()]
    for version in versions:
        release(place.shop, version)
    commands = [place.shop.start("deploy", version, "--env", "production", "--json") for version in versions]
    answers = sorted((place.shop.finish(command) for command in commands), key=lambda answer: answer.status)
    if answers[1].status == 0:  # the second one came after the end of the first
        assert answers[0].json["run"] != answers[1].json["run"]
    else:
        assert [answer.status for answer in answers] == [0, 1]
        assert answers[1].json["error"]["code"] == "busy"
        assert answers[0].json["run"] in answers[1].json["error"]["message"]


def test_an_environment_may_vanish_from_the_configuration_in_mid_rollout(place: Place) -> None:
    """The run goes by its own plan; hands on it, questions and `down` need the file as little."""
    shop, version = place.shop, next_version()
    release(
        shop, version, **{"fairway.yaml": place.good.replace(ROLLING, "{kind: canary, steps: [50, 100], bake: 60s}")}
    )
    run = shop.deploy(version, "production", "--no-wait").json["run"]
    shop.await_status("production", lambda status: status["weight"] == 50)
    (shop.folder / "fairway.yaml").write_text(place.good.replace("  production:", "  elsewhere:"))
    assert shop.status("production")["run"] == run
    assert shop.steer("abort", run).status == 0
    assert shop.steer("watch", run).json["phase"] == "rolled-back"
    refused = shop.deploy(version, "production")
    assert (refused.status, refused.json["error"]["code"]) == (2, "unknown-environment")
    down = shop.fairway("down", "--env", "production", "--json")
    assert len(down.json["stopped"]) == 2, down
    assert ask(place.port).status == 0
    up = shop.fairway("up", "--json").json["environments"]
    assert [(one["environment"], one["ready"]) for one in up] == [("production", 1)]
