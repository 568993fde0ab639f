"""A person's hands on a run under way, from another process: pause, resume, promote, approve, abort."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from services import ask, configure, environment, next_version, release, turns_bad
from workshop import Workshop, await_load, free_port

from fairway.adapters.load.process import Load
from fairway.adapters.stores.sql import SqlStore

#: Answers one path slowly, until a file exists; another file says that it was asked.
SLOW = """while scope["path"] == "/slow" and not __import__('os').path.exists({flag!r}):
            open({flag!r} + ".asked", "w").close()
            await asyncio.sleep(0.02)"""


class Place(NamedTuple):
    """A repository with 1.0.0 live in two environments.

    Attributes:
        canary: port of `production`: half of the requests, then all, each watched for ten minutes.
        both: port of `twin`: blue-green, the old set kept for ten minutes.
    """

    shop: Workshop
    canary: int
    both: int


@pytest.fixture(scope="module")
def live(shared_shop: Workshop) -> Place:
    """1.0.0 is live; what is written here is fast, long watches are skipped by hand."""
    place = Place(shared_shop, free_port(), free_port())
    long = "{kind: canary, steps: [50, 100], bake: 600s}"
    environments = [
        environment("production", place.canary, long, instances=1, observe="600s"),
        environment("twin", place.both, "{kind: blue-green, keep: 600s}", instances=1),
    ]
    # What is under way on the old revision is waited for as long as a slow machine may need.
    text = configure(*environments).replace("drain: 3s", "drain: 120s")
    release(shared_shop, "1.0.0", **{"fairway.yaml": text})
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda name: shared_shop.deploy("1.0.0", name), ("production", "twin")))
    assert [answer.status for answer in answers] == [0, 0], answers
    return place


@pytest.fixture
def place(live: Place) -> Iterator[Place]:
    """The same, with nothing under way afterwards, whatever the test did."""
    yield live
    for name in ("production", "twin"):
        status = live.shop.now(name)
        if status["finished"] is None:
            live.shop.steer("abort", status["run"])
            live.shop.steer("watch", status["run"], "--timeout", "30s")


def _start(shop: Workshop, version: str, env: str = "production", **options: str) -> tuple[Any, str]:
    """`deploy` in a process of its own, and the id of the run."""
    before = shop.now(env)["run"]
    command = shop.start("deploy", version, "--env", env, "--json")
    return command, shop.await_status(env, lambda status: status["run"] != before)["run"]


def _users(port: int) -> Load:
    return Load(f"http://127.0.0.1:{port}/", rate=400, connections=8)


def _outcomes(report: dict[str, Any]) -> dict[str, str]:
    return {step["name"]: step["outcome"] for step in report["steps"]}


def test_a_paused_canary_keeps_its_share_and_goes_on_when_it_is_resumed_and_promoted(place: Place) -> None:
    shop, version = place.shop, next_version()
    release(shop, version)
    with _users(place.canary) as users:
        command, run = _start(shop, version)
        shop.await_status("production", lambda status: status["evidence"] is not None)

        paused = shop.steer("pause", run, "--reason", "lunch")
        assert (paused.status, paused.json["phase"], paused.json["reason"]) == (0, "paused", "lunch")
        assert shop.fairway("status", "--env", "production").status == 4
        assert shop.steer("pause", run, "--reason", "again").json["reason"] == "lunch"
        before = _after(users, 300, shop)
        later = _after(users, 400, shop)
        assert (later["phase"], later["weight"]) == ("paused", 50)
        assert later["evidence"]["watched"] == before["evidence"]["watched"]
        assert (
            later["evidence"]["evidence"]["candidate"]["finished"]
            > before["evidence"]["evidence"]["candidate"]["finished"]
        )
        assert {name.rpartition("-")[0] for name in users.live()["revisions"]} == {later["previous"], version}

        assert shop.steer("resume", run).status == 0
        assert shop.now("production")["phase"] == "progressing"
        shop.await_status("production", lambda status: status["evidence"]["watched"] > later["evidence"]["watched"])
        for step in ("bake at 50 %", "observe at 100 %"):
            _await_step(shop, step)
            assert shop.steer("promote", run).status == 0
        answer = shop.finish(command)
        seen = users.stop()
    assert (answer.status, answer.json["verdict"]) == (0, "passed"), answer.err
    outcomes = _outcomes(answer.json)
    assert (outcomes["bake at 50 %"], outcomes["observe at 100 %"]) == ("advanced", "advanced")
    assert seen.failed == 0, seen
    assert shop.now("production")["live"]["release"] == version


def test_a_candidate_that_turns_bad_while_it_is_paused_is_taken_back(place: Place, tmp_path: Path) -> None:
    shop, version = place.shop, next_version()
    release(shop, version, turns_bad(tmp_path / "bad"))
    with _users(place.canary) as users:
        command, run = _start(shop, version)
        shop.await_status("production", lambda status: status["weight"] == 50)
        assert shop.steer("pause", run).status == 0
        (tmp_path / "bad").touch()
        answer = shop.finish(command)
        seen = users.stop()
    assert (answer.status, answer.json["verdict"], answer.json["phase"]) == (1, "failed", "rolled-back"), answer.err
    assert seen.failed == 0, seen


def test_an_abort_takes_the_candidate_back_by_the_plan_and_quarantines_nothing(place: Place) -> None:
    shop, version = place.shop, next_version()
    live = shop.now("production")["live"]["release"]
    release(shop, version)
    with _users(place.canary) as users:
        command, run = _start(shop, version)
        shop.await_status("production", lambda status: status["weight"] == 50)
        config = shop.folder / "fairway.yaml"
        before = config.read_text()
        config.write_text("somebody is editing this: [")
        aborted = shop.steer("abort", run, "--reason", "the logo is missing")
        config.write_text(before)
        assert aborted.status == 0, aborted.err
        answer = shop.finish(command)
        seen = users.stop()
    report = answer.json
    assert (answer.status, report["verdict"], report["phase"], report["weight"]) == (1, "aborted", "rolled-back", 0)
    assert "the logo is missing" in report["reason"]
    assert report["quarantined"] is False
    assert {step["outcome"] for step in report["steps"] if step["stage"] == "rollback"} == {"done"}
    assert seen.failed == 0, seen
    assert shop.now("production")["live"]["release"] == live
    assert {page.revision[:5] for page in (ask(place.canary) for _ in range(8)) if page.revision} == {live}

    with SqlStore.open(str(shop.folder / ".fairway/journal.db")) as store:
        events = [type(event).__name__ for event in store.list_events(run)]
    back = events[events.index("AbortRequested") :]
    assert back[:2] == ["AbortRequested", "RollbackStarted"]
    assert back[-1] == "RunEnded"
    assert set(back[2:-1]) == {"StepStarted", "StepFinished"}


def test_approvals_are_of_different_people_and_may_come_in_advance(place: Place, tmp_path: Path) -> None:
    shop, port, go = place.shop, free_port(), tmp_path / "go"
    wait = f"sh -c 'until test -e {go}; do sleep 0.02; done'"
    gated = environment(
        "gated",
        port,
        "{kind: canary, steps: [50, 100], bake: 600s}",
        instances=1,
        more=f'    gates: {{approvals: 2}}\n    stages: {{validate: {{run: ["{wait}"]}}}}\n',
    )
    _add(shop, gated)
    version = next_version()
    release(shop, version)
    command, run = _start(shop, version, "gated")
    early = shop.steer("approve", run, LOGNAME="anna")
    assert (early.status, early.json["phase"]) == (0, "progressing")
    assert shop.steer("pause", run).status == 0
    go.touch()
    _await_done(shop, wait, "gated")
    assert shop.now("gated")["phase"] == "paused"
    assert _outcomes(shop.now("gated"))["1 instance of the candidate"] == "planned"

    assert shop.steer("resume", run).status == 0
    shop.await_status("gated", lambda status: status["phase"] == "waiting-approval")
    assert shop.fairway("status", "--env", "gated").status == 4
    assert shop.steer("approve", run, LOGNAME="anna").json["phase"] == "waiting-approval"
    assert ask(port).status == 503
    refused = shop.steer("promote", run)
    assert (refused.status, refused.json["error"]["code"]) == (1, "needs-approval")
    assert f"fairway approve {run}" in refused.json["error"]["hint"]

    assert shop.steer("approve", run, LOGNAME="bert").status == 0
    answer = shop.finish(command)
    assert (answer.status, answer.json["verdict"]) == (0, "passed"), answer.err
    step = next(step for step in answer.json["steps"] if step["name"] == "wait for 2 approvals")
    assert step["detail"] == "approved by anna, bert"
    assert shop.fairway("down", "--env", "gated").status == 0


def test_blue_green_keeps_the_old_set_running_for_an_instant_way_back(place: Place) -> None:
    shop, version = place.shop, next_version()
    live = shop.now("twin")["live"]["release"]
    old = _instances(shop, live)
    release(shop, version)
    with _users(place.both) as users:
        command, _ = _start(shop, version, "twin")
        shop.await_status("twin", lambda status: status["phase"] == "observing")
        assert ask(place.both).text == version
        assert shop.now("twin")["live"]["release"] == version
        assert _instances(shop, live) == old
        given = ["--env", "twin", "--reason", "prices are wrong", "--confirm", "CONFIRM", "--json"]
        back = shop.fairway("rollback", *given)
        answer = shop.finish(command)
        seen = users.stop()
    assert (back.status, back.json["phase"]) == (0, "rolled-back"), back.err
    assert (answer.status, answer.json["verdict"]) == (1, "aborted")
    assert ask(place.both).text == live
    assert _instances(shop, live) == old
    assert _instances(shop, version) == {}
    assert seen.failed == 0, seen


def test_a_run_past_its_commit_point_cannot_be_aborted(place: Place, tmp_path: Path) -> None:
    """The old revision still answers one long request; it is waited for, and nothing goes back any more."""
    shop, flag = place.shop, tmp_path / "answer"
    slow, version = next_version(), next_version()
    release(shop, slow, SLOW.format(flag=str(flag)))
    command, run = _start(shop, slow, "twin")
    _await_step(shop, "observe at 100 %", "twin")
    assert shop.steer("promote", run).status == 0
    assert shop.finish(command).status == 0

    release(shop, version)
    once = ["--count", "1", "--timeout", "300"]
    with Load(f"http://127.0.0.1:{place.both}/slow", rate=50, connections=1, options=once) as user:
        _await_file(Path(f"{flag}.asked"))
        command, run = _start(shop, version, "twin")
        _await_step(shop, "observe at 100 %", "twin")
        assert shop.steer("promote", run).status == 0
        _await_step(shop, "retire the stable", "twin")
        refused = shop.steer("abort", run)
        assert (refused.status, refused.json["error"]["code"]) == (1, "committed")
        assert "fairway rollback --env twin" in refused.json["error"]["hint"]
        flag.touch()
        answer = shop.finish(command)
        seen = user.stop()
    assert (answer.status, answer.json["verdict"]) == (0, "passed"), answer.err
    assert (seen.ok, seen.failed) == (1, 0)
    assert ask(place.both).text == version


def test_staying_has_an_end_and_what_was_started_goes_on(place: Place) -> None:
    shop, version = place.shop, next_version()
    release(shop, version)
    answer = shop.deploy(version, "twin", "--timeout", "500ms")
    run = answer.json["run"]
    assert (answer.status, answer.json["finished"]) == (3, None)
    busy = shop.deploy("1.0.0", "twin")
    assert (busy.status, busy.json["error"]["code"]) == (1, "busy")
    assert run in busy.json["error"]["message"]

    shop.await_status("twin", lambda status: status["phase"] == "observing")
    watching = shop.start("watch", run, "--json")
    assert watching.stderr is not None
    assert run in watching.stderr.readline()
    watching.send_signal(signal.SIGINT)
    left = shop.finish(watching)
    assert left.status == 3
    assert "goes on" in left.err
    assert "Traceback" not in left.err
    assert shop.now("twin")["phase"] == "observing"
    assert shop.steer("promote", run).status == 0
    assert shop.steer("watch", run).status == 0


def test_a_run_that_has_ended_or_never_was_is_named_in_the_answer(place: Place) -> None:
    shop = place.shop
    ended = shop.now("twin")["run"]
    with ThreadPoolExecutor() as pool:
        commands = ("pause", "resume", "promote", "approve", "abort")
        refusals = list(pool.map(lambda command: shop.steer(command, ended), commands))
        unknown = list(pool.map(lambda command: shop.steer(command, "r-nobody"), ("abort", "watch")))
    for refused in refusals:
        assert (refused.status, refused.json["error"]["code"]) == (1, "ended")
        assert ended in refused.json["error"]["message"]
    for answer in unknown:
        assert answer.status == 2, answer
        assert "r-nobody" in answer.json["error"]["message"]
        assert ended in answer.json["error"]["hint"]


def _after(users: Load, requests: int, shop: Workshop) -> dict[str, Any]:
    """The state after so many more requests."""
    target = users.live()["sent"] + requests
    await_load(users, lambda seen: seen["sent"] > target)
    return shop.now("production")


def _await_step(shop: Workshop, name: str, env: str = "production") -> dict[str, Any]:
    return shop.await_status(env, lambda status: _outcomes(status).get(name) == "under-way")


def _await_done(shop: Workshop, command: str, env: str) -> None:
    shop.await_status(env, lambda status: _outcomes(status).get(f"run {command}") == "done")


def _await_file(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _instances(shop: Workshop, version: str) -> dict[str, int]:
    """Processes of a version in `twin`, by unit."""
    return {unit: pid for unit, pid in shop.units().items() if unit.startswith(f"i.corner.twin.{version}-")}


def _add(shop: Workshop, environment: str) -> None:
    with (shop.folder / "fairway.yaml").open("a") as file:
        file.write(environment)
