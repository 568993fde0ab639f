"""What stops the clock and what decides beside errors: objectives and the share of requests, through a real Envoy."""

import json
from pathlib import Path

import pytest
from services import configure, environment, release
from workshop import Workshop, free_port

from fairway.adapters.load.process import Load
from fairway.bootstrap import CONFIG_NAME, open_reader
from fairway.domain.rollout.events import Event, Held, RollbackStarted, StepFailed

#: Margins so wide that a candidate may fail some requests more than stable; objectives that it must keep.
ANALYSIS = "{warmup: 0s, block: 1s, points: 20, latency: 100%, slo: {errors: 1%, p95: 60ms}}"

#: What a file says of the version, or of all.
OBEDIENT = """
        import json, random
        orders = json.load(open({orders!r}))
        orders = orders.get({version!r}, orders)
        await asyncio.sleep(6.0 if random.random() < orders.get("hangs", 0.0) else orders.get("seconds", 0.001))
        status = 500 if random.random() < orders.get("fails", 0.0) else 200"""


class Orders:
    """What the service does from now on."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "orders.json"
        self.give()

    def give(self, **orders: object) -> None:
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(orders))
        new.replace(self.path)

    def obeyed_by(self, version: str) -> str:
        return OBEDIENT.format(orders=str(self.path), version=version)


@pytest.fixture
def orders(tmp_path: Path) -> Orders:
    return Orders(tmp_path)


def facts(shop: Workshop, run: str) -> tuple[Event, ...]:
    _, store = open_reader(shop.folder / CONFIG_NAME)
    try:
        return tuple(store.list_events(run))
    finally:
        store.close()


def test_what_hits_both_and_a_wrong_share_stop_the_clock_and_a_missed_objective_takes_the_candidate_back(
    shop: Workshop, orders: Orders
) -> None:
    port = free_port()
    production = environment("production", port, "{kind: canary, steps: [50, 100], bake: 60s}", analysis=ANALYSIS)
    release(shop, "1.0.0", orders.obeyed_by("1.0.0"), **{"fairway.yaml": configure(production)})
    assert shop.deploy("1.0.0", "production").status == 0
    release(shop, "1.1.0", orders.obeyed_by("1.1.0"))

    with Load(f"http://127.0.0.1:{port}/", rate=200, connections=600, duration=90) as users:
        deploying = shop.start("deploy", "1.1.0", "--env", "production")
        shop.await_status("production", lambda seen: seen["weight"] == 50.0 and seen["evidence"] is not None)
        orders.give(seconds=0.1)
        missed = shop.await_status("production", lambda seen: "stable misses the objective as well" in seen["reason"])
        orders.give(**{"1.1.0": {"hangs": 0.9}})
        elsewhere = shop.await_status("production", lambda seen: "configured are 50 %" in seen["reason"])
        orders.give(**{"1.1.0": {"fails": 0.18}})
        answer = shop.finish(deploying)
        users.stop()

    assert (missed["phase"], elsewhere["phase"]) == ("held", "held")
    ended = shop.now("production")
    assert (answer.status, ended["phase"], ended["verdict"]) == (1, "rolled-back", "failed"), answer.err
    rule = ended["evidence"]["rule"]
    assert rule in {"objective-errors", "objective-p95"}
    assert "If the candidate kept the objective (at most " in ended["reason"]

    # One sentence wherever one reads of it: terminal, JSON, journal and picture.
    events = facts(shop, ended["run"])
    held = [event for event in events if isinstance(event, Held)]
    assert {event.rule for event in held} >= {"objective-missed-by-both", "traffic-share"}
    assert {missed["reason"], elsewhere["reason"]} <= {event.reason for event in held}
    assert all(f"{ended['run']} held: {seen['reason']}\n" in answer.err for seen in (missed, elsewhere))
    told = [event for event in events if isinstance(event, StepFailed | RollbackStarted)]
    assert [(event.rule, event.reason) for event in told] == [(rule, ended["reason"])] * len(told)
    assert ended["evidence"]["sentence"] == ended["reason"]
    assert answer.out == f"corner 1.1.0 in production: rolled-back. {ended['reason']}\n"
    drawn = shop.fairway("status", "--env", "production", "--evidence").out
    assert ended["reason"] in " ".join(drawn.split())
    status = shop.fairway("status", "--env", "production", "--evidence", "--json").json
    assert status["reason"] == ended["reason"]
    assert next(one for one in status["course"]["marks"] if one["kind"] == "roll-back")["reason"] == ended["reason"]
