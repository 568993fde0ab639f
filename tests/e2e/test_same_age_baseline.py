"""A release that is slow while it is young, compared with stable and with fresh instances of the stable release."""

import os
import signal
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from services import configure, environment, release
from workshop import Workshop, await_load, free_port

from fairway.adapters.load.process import Load

# An empty cache: the first requests of each instance take 15 ms longer.
COLD = 500
YOUNG = f"await asyncio.sleep(0.015 if SEEN <= {COLD} else 0.0)"
SLOWER = f"await asyncio.sleep(0.035 if SEEN <= {COLD} else 0.02)"
STEPS = "steps: [40, 100], bake: 3500ms"
JUDGED = "{warmup: 0s, block: 500ms}"


class Place(NamedTuple):
    """Two environments with a warm 1.0.0 under load: compared with stable, and with a baseline."""

    shop: Workshop
    plain: Load
    beside: Load


@pytest.fixture(scope="module")
def place(shared_shop: Workshop) -> Iterator[Place]:
    ports = {"plain": free_port(), "beside": free_port()}
    strategies = {"plain": f"{{kind: canary, {STEPS}}}", "beside": f"{{kind: canary, {STEPS}, baseline: true}}"}
    environments = (
        environment(name, port, strategies[name], instances=1, observe="0s", analysis=JUDGED)
        for name, port in ports.items()
    )
    release(shared_shop, "1.0.0", YOUNG, **{"fairway.yaml": configure(*environments)})
    begun = [shared_shop.deploy("1.0.0", name, "--no-wait").json["run"] for name in ports]
    assert [shared_shop.steer("watch", run).status for run in begun] == [0, 0]
    release(shared_shop, "1.1.0", YOUNG)
    release(shared_shop, "1.2.0", SLOWER)
    release(shared_shop, "1.3.0", YOUNG)
    with (
        Load(f"http://127.0.0.1:{ports['plain']}/", rate=300, connections=16) as plain,
        Load(f"http://127.0.0.1:{ports['beside']}/", rate=300, connections=16) as beside,
    ):
        for users in (plain, beside):
            await_load(users, lambda seen: seen["sent"] > COLD + 100)
        yield Place(shared_shop, plain, beside)
        assert [users.stop().failed for users in (plain, beside)] == [0, 0]


def baselines(shop: Workshop) -> dict[str, int]:
    """Processes of a baseline, by unit."""
    return {unit: pid for unit, pid in shop.units().items() if "-baseline" in unit}


def test_a_release_that_is_only_young_is_taken_back_against_stable_and_promoted_beside_a_baseline(place: Place) -> None:
    shop = place.shop
    run = shop.deploy("1.1.0", "beside", "--no-wait").json["run"]
    other = shop.deploy("1.1.0", "plain", "--no-wait").json["run"]
    seen = shop.await_status("beside", lambda status: status["weight"] == 40.0 and status["evidence"] is not None)
    assert (seen["baseline"]["weight"], len(baselines(shop))) == (40.0, 1)
    answer = shop.steer("watch", run)
    assert (answer.status, answer.json["verdict"]) == (0, "passed"), answer.out
    assert baselines(shop) == {}
    said = next(step["detail"] for step in answer.json["steps"] if step["name"] == "bake at 40 %")
    assert "the baseline" in said

    taken_back = shop.steer("watch", other)
    assert (taken_back.status, taken_back.json["verdict"]) == (1, "failed"), taken_back.out
    assert taken_back.json["evidence"]["rule"] == "latency-lane"


def test_a_release_that_stays_slower_is_taken_back_beside_a_baseline_as_well(place: Place) -> None:
    answer = place.shop.deploy("1.2.0", "beside")
    assert (answer.status, answer.json["verdict"]) == (1, "failed"), answer.out
    assert answer.json["evidence"]["rule"] == "latency-lane"
    assert answer.json["evidence"]["evidence"]["reference"] == "baseline"
    assert baselines(place.shop) == {}
    assert place.shop.status("beside")["live"]["release"] == "1.1.0"


def test_a_baseline_that_dies_is_told_and_not_held_against_the_candidate_and_an_abort_ends_it(place: Place) -> None:
    shop = place.shop
    run = shop.deploy("1.3.0", "beside", "--no-wait").json["run"]
    shop.await_status("beside", lambda status: status["weight"] == 40.0 and status["evidence"] is not None)
    (pid,) = baselines(shop).values()
    os.kill(pid, signal.SIGKILL)
    held = shop.await_status("beside", lambda status: status["phase"] == "held")
    assert ("of the baseline" in held["reason"], held["weight"]) == (True, 40.0)
    assert shop.steer("abort", run, "--reason", "enough").status == 0
    ended = shop.steer("watch", run)
    assert (ended.json["phase"], ended.json["quarantined"]) == ("rolled-back", False), ended.out
    assert baselines(shop) == {}
