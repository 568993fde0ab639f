"""A rehearsal with copies of requests, and users who stay on one revision, under real load through a real Envoy."""

import http.client
import time

from services import corner, release
from workshop import Workshop

from fairway.adapters.load.process import Load

# Fails what is copied, as a release would that cannot live with the present data.
BREAKS_ON_COPIES = 'status = 500 if (b"x-fairway-mirrored", b"true") in scope["headers"] else 200'


def test_a_release_that_fails_copies_is_taken_back_before_any_user_meets_it(shop: Workshop) -> None:
    port = corner(shop, "{kind: canary, steps: [50, 100], bake: 2s, mirror: {share: 50, bake: 20s}}")
    assert shop.deploy("1.0.0", "production").status == 0
    release(shop, "1.1.0", BREAKS_ON_COPIES)
    with Load(f"http://127.0.0.1:{port}/", rate=200, connections=8) as users:
        answer = shop.deploy("1.1.0", "production")
        seen = users.stop()
    assert (answer.status, answer.json["verdict"]) == (1, "failed"), answer.err
    # Where the first reading of the counters comes late, the proxy has ejected the instances before it.
    found = answer.json["evidence"]
    assert found["evidence"]["candidate"]["failed"] > 0 or found["rule"] == "ejected"
    assert (seen.failed, seen.unfinished) == (0, 0)
    assert {name.rpartition("-")[0] for name in seen.by_revision} == {"1.0.0"}
    steps = {step["name"]: step["outcome"] for step in answer.json["steps"]}
    assert steps["weight 50 %"] != "done"


def test_a_good_release_passes_its_rehearsal_and_serves(shop: Workshop) -> None:
    port = corner(shop, "{kind: canary, steps: [50, 100], bake: 2s, mirror: {share: 100, bake: 2s}}")
    assert shop.deploy("1.0.0", "production").status == 0
    release(shop, "1.1.0")
    with Load(f"http://127.0.0.1:{port}/", rate=200, connections=8, options=("--mix", "GET:4,POST:1")) as users:
        answer = shop.deploy("1.1.0", "production")
        seen = users.stop()
    assert (answer.status, answer.json["verdict"]) == (0, "passed"), answer.err
    assert (seen.failed, seen.unfinished) == (0, 0)
    assert shop.status("production")["live"]["release"] == "1.1.0"


def test_users_stay_on_their_revision_during_a_canary(shop: Workshop) -> None:
    port = corner(shop, "{kind: canary, steps: [50, 100], bake: 60s, sticky: {cookie: session}}")
    assert shop.deploy("1.0.0", "production").status == 0
    release(shop, "1.1.0")
    run = shop.deploy("1.1.0", "production", "--no-wait").json["run"]
    shop.await_status("production", lambda status: status["weight"] == 50.0)
    users = [f"user-{number}" for number in range(40)]
    # While the proxy takes up the new weight, or holds a starved instance for sick, users are moved. By chance forty of
    # them would not be where they were three times running.
    deadline = time.monotonic() + 120
    while len(seen := {tuple(_version(port, user) for user in users) for _ in range(3)}) > 1:
        assert time.monotonic() < deadline, seen
    assert set(*seen) == {"1.0.0", "1.1.0"}
    assert shop.steer("abort", run, "--reason", "enough").status == 0
    shop.steer("watch", run, "--timeout", "30s")
    assert {_version(port, user) for user in users} == {"1.0.0"}


def _version(port: int, user: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/", headers={"Cookie": f"theme=dark; session={user}"})
    version = connection.getresponse().read().decode()
    connection.close()
    return version
