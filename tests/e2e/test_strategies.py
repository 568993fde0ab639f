"""Releases by every strategy, good and bad, on real processes behind a real Envoy, under load."""

import pytest
from services import DEAD, corner, one_in, release
from workshop import Workshop

from fairway.adapters.load.process import Load

CANARY = "{kind: canary, steps: [10, 50, 100], bake: 3s}"
BLUE_GREEN = "{kind: blue-green, keep: 3s}"
ROLLING = "{kind: rolling, max_surge: 1, max_unavailable: 0, bake: 1s}"


def _users(port: int, rate: float = 300) -> Load:
    return Load(f"http://127.0.0.1:{port}/", rate=rate, connections=16)


@pytest.mark.parametrize("strategy", [CANARY, BLUE_GREEN, ROLLING], ids=["canary", "blue-green", "rolling"])
def test_a_good_release_replaces_the_one_before_without_a_failed_request(shop: Workshop, strategy: str) -> None:
    port = corner(shop, strategy)
    assert shop.deploy("1.0.0", "production").status == 0
    release(shop, "1.1.0")
    with _users(port) as users:
        answer = shop.deploy("1.1.0", "production")
        seen = users.stop()
    assert answer.status == 0, answer.err
    assert answer.json["verdict"] == "passed"
    assert (seen.failed, seen.unfinished) == (0, 0)
    assert {name.rpartition("-")[0] for name in seen.by_revision} == {"1.0.0", "1.1.0"}
    status = shop.status("production")
    assert status["live"]["release"] == "1.1.0"
    assert len([unit for unit in shop.units() if unit.startswith("i.")]) == 2


@pytest.mark.parametrize("strategy", [CANARY, BLUE_GREEN, ROLLING], ids=["canary", "blue-green", "rolling"])
def test_a_dead_release_is_taken_back_and_no_user_sees_it(shop: Workshop, strategy: str) -> None:
    port = corner(shop, strategy)
    assert shop.deploy("1.0.0", "production").status == 0
    release(shop, "1.1.0", DEAD)
    with _users(port) as users:
        answer = shop.deploy("1.1.0", "production")
        seen = users.stop()
    report = answer.json
    assert (answer.status, report["phase"], report["verdict"]) == (1, "rolled-back", "failed"), answer.err
    assert seen.failed == 0, seen
    assert report["quarantined"]
    assert "1.1.0" in report["release"]
    # Where the first reading of the counters comes late, the proxy has ejected the instances before it.
    assert report["evidence"]["evidence"]["candidate"]["failed"] > 0 or report["evidence"]["rule"] == "ejected"
    assert shop.status("production")["live"]["release"] == "1.0.0"

    again = shop.deploy("1.1.0", "production")
    assert again.status == 1
    assert again.json["error"]["code"] == "quarantined"


def test_one_failure_in_twenty_is_found_by_evidence(shop: Workshop) -> None:
    port = corner(shop, "{kind: canary, steps: [50, 100], bake: 20s}")
    assert shop.deploy("1.0.0", "production").status == 0
    release(shop, "1.1.0", one_in(20))
    with _users(port) as users:
        answer = shop.deploy("1.1.0", "production")
        seen = users.stop()
    assert (answer.status, answer.json["verdict"]) == (1, "failed"), answer.err
    assert seen.failed == 0, seen
    assert "e-value" in answer.json["reason"]
    assert "interval" in answer.json["reason"]


def test_a_release_that_turns_bad_after_the_promotion_is_taken_back_while_the_old_one_is_warm(shop: Workshop) -> None:
    port = corner(shop, "{kind: canary, steps: [50, 100], bake: 2s}", observe="60s")
    assert shop.deploy("1.0.0", "production").status == 0
    release(shop, "1.1.0", "status = 500 if SEEN > 900 else 200")
    with _users(port) as users:
        answer = shop.deploy("1.1.0", "production")
        seen = users.stop()
    report = answer.json
    assert (answer.status, report["verdict"]) == (1, "failed"), answer.err
    outcomes = {step["name"]: step["outcome"] for step in report["steps"]}
    assert outcomes["promote"] == "done"
    assert seen.failed == 0, seen
    assert shop.status("production")["live"]["release"] == "1.0.0"


def test_the_same_release_again_is_nothing_to_do(shop: Workshop) -> None:
    corner(shop, ROLLING)
    assert shop.deploy("1.0.0", "production").status == 0
    again = shop.deploy("1.0.0", "production")
    assert again.status == 0
    assert again.json["unchanged"] is True


def test_a_release_that_never_becomes_ready_is_refused_and_the_old_one_serves_on(shop: Workshop) -> None:
    port = corner(shop, CANARY)
    assert shop.deploy("1.0.0", "production").status == 0
    shop.release("1.1.0", {"corner.py": "raise SystemExit('no such module: goods')\n"})
    with _users(port) as users:
        answer = shop.deploy("1.1.0", "production")
        seen = users.stop()
    assert (answer.status, answer.json["verdict"]) == (1, "failed")
    assert "ends again and again" in answer.json["reason"]
    assert seen.failed == 0
