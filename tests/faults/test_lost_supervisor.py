"""The supervisor's folder is lost while everything runs: what runs is found again, goes on serving and is kept anew."""

import json
import os
import signal

import pytest
from services import corner, release
from workshop import Workshop, await_load

from fairway.adapters.load.process import Load
from fairway.adapters.supervisor.processes import Identity, identify, is_alive

pytestmark = pytest.mark.timeout(240)


def lose(shop: Workshop) -> None:
    """kill -9 of the supervisor, whose folder is then moved away."""
    folder = shop.folder / ".fairway/supervisor"
    supervisor = identify(json.loads((folder / "supervisor.json").read_text())["process"][0])
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    while is_alive(supervisor):
        pass
    folder.rename(shop.folder.parent / f"lost-{supervisor.pid}")


def processes(shop: Workshop) -> dict[str, Identity]:
    """What runs, by unit."""
    return {unit: found for unit, pid in shop.units().items() if (found := identify(pid))}


def stray(shop: Workshop) -> dict[str, str] | None:
    """What `fairway doctor` says of processes that nobody keeps."""
    findings = shop.fairway("doctor", "--json").json["findings"]
    return next((one for one in findings if one["name"] == "processes"), None)


def test_up_takes_over_what_runs_and_no_request_is_lost(shop: Workshop) -> None:
    port = corner(shop, "{kind: rolling, bake: 0s}")
    assert shop.deploy("1.0.0", "production").status == 0
    before, ran = shop.units(), processes(shop)
    assert len(before) == 4
    assert stray(shop) is None
    with Load(f"http://127.0.0.1:{port}/", rate=100, connections=8) as users:
        await_load(users, lambda seen: seen["ok"] > 50)
        lose(shop)
        found = stray(shop)
        assert found is not None
        assert found["status"] == "warning"
        assert all(f"{pid} ({unit})" in found["sentence"] for unit, pid in before.items()), found
        up = shop.fairway("up", "--json")
        assert up.status == 0, up.out + up.err
        assert shop.units() == before, "the same processes as before"
        assert stray(shop) is None
        # And they are kept: one that is killed comes back, and the next release goes out.
        unit, pid = next((unit, pid) for unit, pid in before.items() if unit.startswith("i."))
        os.kill(pid, signal.SIGKILL)
        await_load(users, lambda seen: shop.units().get(unit) not in (None, pid))
        release(shop, "1.1.0")
        assert shop.deploy("1.1.0", "production").status == 0
        seen = users.stop()
    assert seen.failed == 0, seen
    assert shop.fairway("down").status == 0
    assert not [unit for unit, process in ran.items() if is_alive(process)]


def test_a_rollout_under_way_ends_right(shop: Workshop) -> None:
    """Whichever way it goes without its instances in sight: what is live runs afterwards, and no more."""
    port = corner(shop, "{kind: canary, steps: [50, 100], bake: 5s}")
    assert shop.deploy("1.0.0", "production").status == 0
    release(shop, "1.1.0")
    with Load(f"http://127.0.0.1:{port}/", rate=100, connections=8) as users:
        assert shop.deploy("1.1.0", "production", "--no-wait").status == 0
        shop.await_status("production", lambda status: status["weight"] == 50)
        ran = processes(shop)
        lose(shop)
        assert shop.fairway("up", "--json").status == 0
        over = shop.await_status("production", lambda status: status["phase"] in ("paused", "completed", "rolled-back"))
        if over["finished"] is None:
            assert shop.steer("abort", over["run"]).status == 0
            over = shop.await_status("production", lambda status: status["finished"] is not None)
        assert users.stop().failed == 0
    live = over["live"]["revision"]
    gone = {unit: process for unit, process in ran.items() if unit.startswith("i.") and live not in unit}
    assert shop.fairway("up").status == 0
    assert len([unit for unit in shop.units() if unit.startswith("i.")]) == 2
    assert all(live in unit for unit in shop.units() if unit.startswith("i."))
    assert not [unit for unit, process in gone.items() if is_alive(process)]
    assert stray(shop) is None


def test_down_ends_what_nobody_keeps(shop: Workshop) -> None:
    corner(shop, "{kind: rolling, bake: 0s}")
    assert shop.deploy("1.0.0", "production").status == 0
    ran = processes(shop)
    lose(shop)
    down = shop.fairway("down", "--json")
    assert down.status == 0, down.err
    assert set(down.json["stopped"]) == set(ran)
    assert not [unit for unit, process in ran.items() if is_alive(process)]
    assert shop.fairway("up").status == 0
    assert len(shop.units()) == 4
