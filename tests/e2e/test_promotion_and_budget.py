"""A step that ends on evidence and a budget of failed requests, on real processes behind a real Envoy, under load."""

from typing import Any

import pytest
from services import corner, release
from workshop import Workshop, await_load

from fairway.adapters.load.process import Load

#: Margins so wide that a few hundred requests decide for the candidate and none against it.
WIDE = "{warmup: 0s, block: 1s, points: 20, latency: 100%}"


def _users(port: int) -> Load:
    return Load(f"http://127.0.0.1:{port}/", rate=300, connections=16)


def _spent(status: dict[str, Any]) -> int:
    return status["evidence"]["evidence"]["budget"]["failed"]


def test_a_good_candidate_ends_its_step_long_before_the_deadline(shop: Workshop) -> None:
    port = corner(shop, "{kind: canary, steps: [50, 100], bake: 60s, min_bake: 2s}", analysis=WIDE)
    assert shop.deploy("1.0.0", "production").status == 0
    release(shop, "1.1.0")
    with _users(port) as users:
        # Latency is compared by what stable took so far, which should not be the moment of the deployment alone.
        await_load(users, lambda seen: seen["sent"] >= 1500)
        answer = shop.deploy("1.1.0", "production")
    assert answer.status == 0, answer.err
    bake = next(step for step in answer.json["steps"] if step["name"].startswith("bake at 50 %"))
    assert 2.0 <= bake["seconds"] < 30.0
    assert bake["detail"].startswith("Good enough to go on after ")
    assert [test["name"] for test in answer.json["evidence"]["evidence"]["promotion"]] in (
        [],
        ["errors", "latency", "abandonment"],
    )


def test_a_budget_freezes_the_weight_at_half_and_takes_the_candidate_back_when_it_is_spent(
    shop: Workshop, tmp_path_factory: pytest.TempPathFactory
) -> None:
    flag = tmp_path_factory.mktemp("fault") / "on"
    bad = f"SEEN % 20 == 0 and (SEEN <= 60 or __import__('os').path.exists({str(flag)!r}))"
    more = "    budget: {failed_requests: 10}\n"
    port = corner(shop, "{kind: canary, steps: [50, 100], bake: 20s}", analysis=WIDE, more=more)
    assert shop.deploy("1.0.0", "production").status == 0
    release(shop, "1.1.0", f"status = 500 if {bad} else 200")
    with _users(port) as users:
        deploying = shop.start("deploy", "1.1.0", "--env", "production", "--json")
        frozen = shop.await_status("production", lambda seen: seen["phase"] == "held" and _spent(seen) >= 5)
        assert _spent(frozen) <= 6
        assert "the weight stays at 50 % until a person promotes or aborts" in frozen["reason"]
        flag.touch()
        answer = shop.finish(deploying)
        seen = users.stop()
    report = answer.json
    assert (answer.status, report["phase"], report["verdict"]) == (1, "rolled-back", "failed"), answer.err
    assert "the budget is spent" in report["reason"]
    assert report["evidence"]["rule"] == "budget"
    assert 10 <= report["evidence"]["evidence"]["budget"]["failed"] < 40
    assert seen.failed == 0, seen
