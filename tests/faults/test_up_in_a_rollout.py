"""`fairway up` while a rollout is under way, which goes on meanwhile and retires what was live before it."""

import os
import signal
import time

import pytest
from services import corner, release
from workshop import Workshop

#: Seconds that a revision has to become ready by default; nobody who comes back may wait for them in vain.
TIME_TO_BE_READY = 30.0


@pytest.mark.timeout(180)
def test_up_waits_for_what_the_rollout_has_left_to_serve_and_for_nothing_else(shop: Workshop) -> None:
    corner(shop, "{kind: rolling, bake: 4s}")
    assert shop.deploy("1.0.0", "production").status == 0
    live = shop.now("production")["live"]["revision"]
    release(shop, "1.1.0")
    assert shop.deploy("1.1.0", "production", "--no-wait").status == 0
    deadline = time.monotonic() + 60
    while len(left := [unit for unit in shop.units() if live in unit]) > 1:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
    os.kill(shop.units()["controller"], signal.SIGKILL)
    began = time.monotonic()
    up = shop.fairway("up", "--json")
    took = time.monotonic() - began
    (back,) = up.json["environments"]
    assert (up.status, back["ready"]) == (0, back["wanted"]), up.out
    assert took < TIME_TO_BE_READY, took
    assert shop.await_status("production", lambda status: status["finished"] is not None)["phase"] == "completed"
