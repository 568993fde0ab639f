"""kill -9 of everything, under load, with a client that never retries."""

import json
import os
import signal

import pytest
from services import corner, release
from workshop import Workshop, await_load

from fairway.adapters.load.process import Load

pytestmark = pytest.mark.timeout(180)


def _users(port: int) -> Load:
    return Load(f"http://127.0.0.1:{port}/", rate=200, connections=16)


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def test_a_controller_that_dies_in_a_bad_canary_costs_no_page_and_the_next_start_takes_it_back(shop: Workshop) -> None:
    """Nobody is left to act: the supervisor, which would restart the controller, dies with it."""
    port = corner(shop, "{kind: canary, steps: [50, 100], bake: 60s}")
    assert shop.deploy("1.0.0", "production").status == 0
    release(shop, "1.1.0", "status = 500 if SEEN > 150 else 200")
    with _users(port) as users:
        run = shop.deploy("1.1.0", "production", "--no-wait").json["run"]
        shop.await_status("production", lambda status: status["weight"] == 50 and status["evidence"] is not None)
        supervisor = _supervisor(shop)
        controller = shop.units()["controller"]
        _kill(supervisor)
        _kill(controller)
        await_load(users, lambda seen: seen["sent"] > 1500)
        assert shop.status("production")["phase"] == "progressing"
        assert shop.fairway("up").status == 0
        answer = shop.fairway("watch", run, "--json")
        seen = users.stop()
    assert (answer.status, answer.json["phase"]) == (1, "rolled-back"), answer.err
    assert seen.failed == 0, seen


def test_a_killed_controller_is_started_again_and_goes_on(shop: Workshop) -> None:
    port = corner(shop, "{kind: canary, steps: [50, 100], bake: 3s}")
    assert shop.deploy("1.0.0", "production").status == 0
    release(shop, "1.1.0")
    with _users(port) as users:
        run = shop.deploy("1.1.0", "production", "--no-wait").json["run"]
        shop.await_status("production", lambda status: status["weight"] == 50)
        _kill(shop.units()["controller"])
        answer = shop.fairway("watch", run, "--json")
        seen = users.stop()
    assert (answer.status, answer.json["verdict"]) == (0, "passed"), answer.err
    assert seen.failed == 0


def test_a_killed_proxy_serves_again_at_once_with_the_same_routes(shop: Workshop) -> None:
    port = corner(shop, "{kind: rolling, bake: 0s}")
    assert shop.deploy("1.0.0", "production").status == 0
    with _users(port) as users:
        await_load(users, lambda seen: seen["ok"] > 100)
        proxy = next(pid for unit, pid in shop.units().items() if unit.startswith("envoy"))
        _kill(proxy)
        before = users.live()["ok"]
        await_load(users, lambda seen: seen["ok"] > before + 300)
        seen = users.stop()
    # Each open connection may lose one request, and what arrives while nothing listens fails: under a second's worth.
    assert seen.failed < 200, seen
    assert shop.units()[next(unit for unit in shop.units() if unit.startswith("envoy"))] != proxy


def test_a_killed_instance_costs_no_safe_request(shop: Workshop) -> None:
    port = corner(shop, "{kind: rolling, bake: 0s}")
    assert shop.deploy("1.0.0", "production").status == 0
    with _users(port) as users:
        await_load(users, lambda seen: seen["ok"] > 100)
        unit, pid = next((unit, pid) for unit, pid in shop.units().items() if unit.startswith("i."))
        _kill(pid)
        before = users.live()["ok"]
        await_load(users, lambda seen: seen["ok"] > before + 300)
        seen = users.stop()
    assert seen.failed == 0, seen
    assert shop.units()[unit] != pid


def test_everything_comes_back_after_a_reboot(shop: Workshop) -> None:
    port = corner(shop, "{kind: rolling, bake: 0s}")
    assert shop.deploy("1.0.0", "production").status == 0
    doomed = [_supervisor(shop), *shop.units().values()]
    for pid in doomed:
        _kill(pid)
    up = shop.fairway("up", "--json")
    assert up.status == 0, up.err
    assert up.json["environments"][0]["ready"] == 2
    with _users(port) as users:
        await_load(users, lambda seen: seen["ok"] > 100)
        assert users.stop().failed == 0


def test_up_brings_back_what_the_journal_says_is_live_when_the_supervisors_folder_was_lost(shop: Workshop) -> None:
    port = corner(shop, "{kind: rolling, bake: 0s}")
    assert shop.deploy("1.0.0", "production").status == 0
    assert shop.fairway("down").status == 0
    (shop.folder / ".fairway/supervisor").rename(shop.folder.parent / "lost")
    up = shop.fairway("up", "--json")
    assert up.status == 0, up.out + up.err
    assert up.json["environments"][0]["ready"] == 2
    with _users(port) as users:
        await_load(users, lambda seen: seen["ok"] > 100)
        assert users.stop().failed == 0


def _supervisor(shop: Workshop) -> int:
    return json.loads((shop.folder / ".fairway/supervisor/supervisor.json").read_text())["process"][0]
