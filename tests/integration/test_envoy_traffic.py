"""What users of a real Envoy see, and what it counts meanwhile."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

import envoy_world
from envoy_world import Application, Client, DirectSupervisor, free_port, load, wait_until
from fairway.adapters.routers.envoy import EnvoyRouter
from fairway.adapters.routers.envoy.admin import Admin
from fairway.domain.rollout.revision import Endpoint
from fairway.domain.rollout.routes import Backend, Routes

STABLE = "1.0.0-aaaa"
CANDIDATE = "1.1.0-bbbb"


class World:
    """One router before a stable revision and a candidate of one application each."""

    def __init__(self, folder: Path) -> None:
        self.supervisor = DirectSupervisor(folder)
        self.address = f"127.0.0.1:{free_port()}"
        self.preview = f"127.0.0.1:{free_port()}"
        self.folder = folder / "router"
        self.router = self.make()
        self.stable, self.candidate = Application(STABLE), Application(CANDIDATE)
        stable = Backend(STABLE, (self.stable.begin("s.1"),), (), "/ready")
        candidate = Backend(CANDIDATE, (self.candidate.begin("c.1"),), (), "/ready")
        self.backends = (stable, candidate)

    def make(self, **settings) -> EnvoyRouter:
        return EnvoyRouter(
            service="shop",
            environment="production",
            folder=self.folder,
            listen=self.address,
            preview=self.preview,
            supervisor=self.supervisor,
            **settings,
        )

    def weigh(self, weight: float) -> None:
        self.router.ensure_routes(Routes(STABLE, CANDIDATE, weight, self.backends), epoch=1)

    def ask(self, *args, address=None, **more):
        client = Client(address or self.address)
        try:
            return client.request(*args, **more)
        finally:
            client.close()

    def traffic(self, revision):
        return self.router.observe_traffic().of(revision)

    def close(self) -> None:
        self.supervisor.close()
        self.stable.end()
        self.candidate.end()


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


def test_no_request_is_lost_and_none_comes_late_while_weights_move(world):
    world.weigh(0)
    with load(world.address) as outcomes:
        for weight in (0.01, 10, 50, 100, 50, 10):
            world.weigh(weight)
        wait_until(lambda: outcomes[200, CANDIDATE] > 20, "the candidate serves")
        world.weigh(0)
        served = world.candidate.seen["GET"]
        before = outcomes[200, STABLE]
        wait_until(lambda: outcomes[200, STABLE] > before + 100, "stable serves")
        # A request that arrived before the change may still be on its way, one for each client.
        assert world.candidate.seen["GET"] <= served + 4
    assert set(outcomes) == {(200, STABLE), (200, CANDIDATE)}


def test_weights_move_when_all_instances_that_had_no_requests_so_far_are_healthy(world):
    late = Application(CANDIDATE)
    late.ready = False
    stable, candidate = world.backends
    world.backends = (stable, replace(candidate, endpoints=(*candidate.endpoints, late.begin("c.2"))))
    try:
        world.weigh(0)
        threading.Timer(0.5, lambda: setattr(late, "ready", True)).start()
        world.weigh(50)
        with Admin(world.folder) as admin:
            assert [host.healthy for host in admin.hosts()[CANDIDATE].values()] == [True, True]
    finally:
        late.end()


def test_the_share_of_requests_is_the_weight(world):
    world.weigh(25)
    with load(world.address) as outcomes:
        wait_until(lambda: sum(outcomes.values()) > 1500, "enough requests")
    share = outcomes[200, CANDIDATE] / sum(outcomes.values())
    # Six standard deviations of 1,500 draws.
    assert abs(share - 0.25) < 0.067


def test_a_candidate_that_fails_every_request_costs_no_read_and_is_ejected(world):
    world.candidate.failing = True
    world.weigh(50)
    with load(world.address) as outcomes:
        wait_until(lambda: world.traffic(CANDIDATE).instances[0].ejected, "the candidate is ejected")
        before = sum(outcomes.values())
        wait_until(lambda: sum(outcomes.values()) > before + 200, "more requests")
    assert set(outcomes) == {(200, STABLE)}
    traffic = world.traffic(CANDIDATE)
    assert traffic.finished == traffic.failed == world.candidate.seen["GET"]
    # Ten in a row, and what was on its way then.
    assert 10 <= traffic.failed <= 10 + 4
    assert world.traffic(STABLE).retried == traffic.failed


def test_a_bad_candidate_costs_no_read_while_one_instance_of_stable_is_broken(world):
    broken = Application(STABLE)
    stable, candidate = world.backends
    world.backends = (replace(stable, endpoints=(*stable.endpoints, broken.begin("s.2"))), candidate)
    world.candidate.failing = broken.breaking = True
    try:
        world.weigh(100)
        assert {world.ask("GET")[:2] for _ in range(40)} == {(200, STABLE)}
        # Some of the tries on stable met the broken one.
        assert broken.seen["GET"] > 0
    finally:
        broken.end()


def test_a_bad_answer_of_stable_in_place_of_the_candidate_is_final(world):
    world.candidate.failing = world.stable.failing = True
    world.weigh(100)
    assert [world.ask("GET")[:2] for _ in range(4)] == [(500, STABLE)] * 4
    with contextlib.closing(http.client.HTTPConnection(world.address)) as user:
        user.request("GET", "/")
        # What Envoy is told to decide by stays inside.
        assert {name for name in user.getresponse().headers if "fairway" in name} == {"x-fairway-revision"}
    assert (world.candidate.seen["GET"], world.stable.seen["GET"]) == (5, 5)


def test_writes_go_to_stable_once_the_candidate_is_ejected(world):
    world.candidate.failing = True
    world.weigh(100)
    while not world.traffic(CANDIDATE).instances[0].ejected:
        world.ask("GET")
    assert world.ask("POST", body=b"x") == (200, STABLE, b"x")


def test_passing_health_checks_do_not_bring_an_ejected_candidate_back(world):
    world.candidate.failing = True
    world.weigh(100)
    while not world.traffic(CANDIDATE).instances[0].ejected:
        world.ask("GET")
    checks = int(_checks(world))
    wait_until(lambda: int(_checks(world)) >= checks + 3, "three more health checks")
    assert world.traffic(CANDIDATE).instances[0].ejected


def _checks(world) -> str:
    with Admin(world.folder) as admin:
        return admin.stats("health_check.success$")[f"cluster.{CANDIDATE}.health_check.success"]


def test_a_write_is_processed_once_whatever_the_answer(world):
    world.weigh(100)
    world.candidate.failing = True
    assert world.ask("POST", body=b"x")[:2] == (500, CANDIDATE)
    assert world.ask("POST", "/reset", body=b"x")[0] == 503
    assert world.candidate.seen["POST"] == 2
    assert world.stable.seen["POST"] == 0
    assert world.traffic(CANDIDATE).failed == 2


def test_a_write_that_nobody_received_goes_to_stable(world):
    world.weigh(100)
    world.candidate.end()
    assert world.ask("POST", body=b"x") == (200, STABLE, b"x")
    assert world.traffic(CANDIDATE).failed == 1


def test_a_reset_read_is_answered_by_stable_and_counted_on_both(world):
    world.weigh(100)
    assert world.ask("GET", "/reset")[0] == 503
    candidate, stable = world.traffic(CANDIDATE), world.traffic(STABLE)
    assert (candidate.finished, candidate.failed, candidate.retried) == (1, 1, 0)
    # Stable has one instance, which is asked again like any of its own reads that breaks off.
    assert (stable.finished, stable.failed, stable.retried, stable.retried_failed) == (2, 2, 2, 2)


def test_an_answer_that_breaks_off_is_a_failure(world):
    world.weigh(0)
    with pytest.raises(http.client.IncompleteRead):
        world.ask("GET", "/cut")
    wait_until(lambda: world.traffic(STABLE).finished == 1, "it is counted")
    assert world.traffic(STABLE).failed == 1


def test_a_request_that_its_client_gives_up_is_no_failure(world):
    world.weigh(0)
    host, _, port = world.address.rpartition(":")
    with socket.create_connection((host, int(port))) as user:
        user.sendall(b"GET /held HTTP/1.1\r\nhost: shop\r\n\r\n")
        wait_until(lambda: world.traffic(STABLE).instances[0].active == 1, "it is under way")
    wait_until(lambda: world.traffic(STABLE).abandoned == 1, "it is counted")
    assert (world.traffic(STABLE).finished, world.traffic(STABLE).failed) == (0, 0)


def test_readings_show_the_latency_of_all_that_was_answered(world):
    """Envoy leaves out a merge of its histograms while one is under way: a busy one may show them a reading later."""
    world.weigh(50)
    for number in range(1, 21):
        world.ask("GET")
        wait_until(lambda number=number: _timed(world) == number, "the latency of each answer shows")
    snapshot = world.router.observe_traffic()
    assert sum(traffic.finished for traffic in snapshot.revisions) == 20
    assert all(50 < lower < 1e6 for traffic in snapshot.revisions for lower, _, _ in traffic.latency)


def test_readings_show_no_latency_of_failures_and_of_second_tries(world):
    world.weigh(100)
    world.candidate.failing = True
    assert [world.ask("GET")[1] for _ in range(2)] == [STABLE, STABLE]
    world.candidate.failing = False
    assert world.ask("GET")[1] == CANDIDATE
    wait_until(lambda: _timed(world) > 0, "the latency of the answer shows")
    candidate, stable = world.traffic(CANDIDATE), world.traffic(STABLE)
    assert (candidate.finished, candidate.failed, stable.retried) == (3, 2, 2)
    assert sum(count for _, _, count in candidate.latency) == 1
    assert stable.latency == ()
    assert [one.latency for one in candidate.instances] == [candidate.latency]


def _timed(world):
    revisions = world.router.observe_traffic().revisions
    return sum(count for traffic in revisions for _, _, count in traffic.latency)


def test_a_try_that_takes_too_long_is_made_on_stable(world):
    world.router = world.make(try_timeout=0.1)
    world.weigh(100)
    world.stable.hold.set()
    assert world.ask("GET", "/held")[:2] == (200, STABLE)
    assert world.traffic(CANDIDATE).failed == 1


def test_an_instance_killed_under_load_costs_no_read(world):
    ports = [free_port(), free_port()]
    script = [sys.executable, envoy_world.__file__, STABLE]
    processes = [subprocess.Popen([*script, str(port)], start_new_session=True) for port in ports]
    try:
        endpoints = tuple(Endpoint(f"p.{port}", "127.0.0.1", port) for port in ports)
        routes = Routes(STABLE, None, 0, (Backend(STABLE, endpoints, (), "/ready"),))
        world.router.ensure_routes(routes, epoch=1)
        wait_until(lambda: all(i.healthy for i in world.traffic(STABLE).instances), "both instances are up")
        with load(world.address) as outcomes:
            wait_until(lambda: all(i.finished > 50 for i in world.traffic(STABLE).instances), "both serve")
            os.killpg(processes[0].pid, signal.SIGKILL)
            wait_until(lambda: not all(i.healthy for i in world.traffic(STABLE).instances), "it is seen as dead")
            before = sum(outcomes.values())
            wait_until(lambda: sum(outcomes.values()) > before + 100, "more requests")
        assert set(outcomes) == {(200, STABLE)}
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_stable_alone_serves_on_whatever_its_health_and_its_failures(world):
    routes = Routes(STABLE, None, 0, world.backends[:1])
    world.router.ensure_routes(routes, epoch=1)
    world.stable.failing = True
    for _ in range(30):
        assert world.ask("GET")[:2] == (500, STABLE)
    world.stable.failing, world.stable.ready = False, False
    wait_until(lambda: not world.traffic(STABLE).instances[0].healthy, "it is seen as unready")
    assert world.ask("GET")[:2] == (200, STABLE)
    # Each was asked once: stable's own failures are not repeated on stable.
    assert world.traffic(STABLE).retried == 0


def test_the_preview_shows_the_candidate_unmasked_and_uncounted(world):
    world.weigh(0)
    assert world.router.observe().preview == world.preview
    assert world.ask("GET", address=world.preview) == (200, CANDIDATE, CANDIDATE.encode())
    world.candidate.failing = True
    assert world.ask("GET", address=world.preview)[:2] == (500, CANDIDATE)
    assert world.ask("GET", headers={"x-fairway-revision": "candidate"})[:2] == (500, CANDIDATE)
    assert world.traffic(CANDIDATE).finished == 0
    world.router.ensure_routes(Routes(STABLE, None, 0, world.backends), epoch=1)
    assert world.ask("GET", address=world.preview)[:2] == (503, None)


def test_a_draining_instance_finishes_what_it_has_and_gets_nothing_new(world):
    world.weigh(100)
    host, _, port = world.address.rpartition(":")
    with socket.create_connection((host, int(port))) as user:
        user.settimeout(10)
        user.sendall(b"GET /held HTTP/1.1\r\nhost: shop\r\n\r\n")
        wait_until(lambda: world.traffic(CANDIDATE).instances[0].active == 1, "it is under way")
        stable, candidate = world.backends
        leaving = replace(candidate, endpoints=(), draining=candidate.endpoints)
        world.router.ensure_routes(Routes(STABLE, CANDIDATE, 0, (stable, leaving)), epoch=1)
        assert world.ask("GET")[:2] == (200, STABLE)
        assert world.traffic(CANDIDATE).instances[0].active == 1
        world.candidate.hold.set()
        assert user.recv(1000).startswith(b"HTTP/1.1 200")
    wait_until(lambda: world.traffic(CANDIDATE).instances[0].active == 0, "it is drained")
    assert world.traffic(CANDIDATE).failed == 0


def test_instances_of_one_revision_are_replaced_under_load_without_a_loss(world):
    second = Application(STABLE)
    try:
        first = world.backends[0]
        world.router.ensure_routes(Routes(STABLE, None, 0, (first,)), epoch=1)
        with load(world.address) as outcomes:
            fresh = second.begin("s.2")
            replaced = replace(first, endpoints=(fresh,), draining=first.endpoints)
            world.router.ensure_routes(Routes(STABLE, None, 0, (replaced,)), epoch=1)
            wait_until(lambda: world.traffic(STABLE).instances[0].active == 0, "the old one is drained")
            served, before = world.stable.seen["GET"], sum(outcomes.values())
            wait_until(lambda: sum(outcomes.values()) > before + 50, "more requests")
            assert world.stable.seen["GET"] == served
            world.router.ensure_routes(Routes(STABLE, None, 0, (replace(replaced, draining=()),)), epoch=1)
            world.stable.end()
            before = sum(outcomes.values())
            wait_until(lambda: sum(outcomes.values()) > before + 100, "more requests")
        assert set(outcomes) == {(200, STABLE)}
    finally:
        second.end()


def test_counters_of_instances_that_served_in_earlier_runs_are_not_read_again(world):
    stable, candidate = world.backends
    for number in range(1, 4):
        served = replace(candidate, endpoints=(replace(candidate.endpoints[0], instance=f"c.{number}"),))
        world.router.ensure_routes(Routes(STABLE, CANDIDATE, 100, (stable, served)), epoch=1)
        assert world.ask("GET")[1] == CANDIDATE
        wait_until(lambda: world.traffic(CANDIDATE).finished == 1, "the one request of this run shows")
        assert [one.instance for one in world.traffic(CANDIDATE).instances] == [f"c.{number}"]
        world.router.ensure_routes(Routes(STABLE, None, 0, (stable,)), epoch=1)
    with Admin(world.folder) as admin:
        known = {stat["name"].split(".")[5] for stat in admin.used_stats(r"^attempts\.ended\.")}
    assert known == {"c%2E1", "c%2E2", "c%2E3"}, "Envoy has not forgotten any of them"


def test_a_web_socket_passes_and_its_end_is_no_failure(world):
    world.weigh(0)
    host, _, port = world.address.rpartition(":")
    with socket.create_connection((host, int(port))) as user:
        user.settimeout(10)
        user.sendall(b"GET /ws HTTP/1.1\r\nhost: shop\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n")
        assert user.recv(1000).startswith(b"HTTP/1.1 101")
        user.sendall(b"hello")
        assert user.recv(100) == b"HELLO"
        assert user.recv(100) == b""
    wait_until(lambda: world.traffic(STABLE).finished == 1, "it is counted")
    assert world.traffic(STABLE).failed == 0


def test_large_bodies_pass(world):
    world.weigh(0)
    body = b"x" * 5_000_000
    assert world.ask("POST", body=body) == (200, STABLE, body)


def test_the_application_learns_who_asks_and_no_client_can_steer_the_proxy(world):
    world.weigh(0)
    forged = {
        "x-forwarded-for": "203.0.113.7",
        "x-forwarded-proto": "https",
        "x-envoy-retry-on": "5xx",
        "x-envoy-max-retries": "3",
    }
    world.stable.failing = True
    assert world.ask("GET", headers={**forged, "host": "shop.example"})[0] == 500
    seen = world.stable.headers
    assert world.stable.seen["GET"] == 1
    assert seen["host"] == "shop.example"
    assert seen["x-forwarded-for"].startswith("203.0.113.7,")
    assert seen["x-forwarded-proto"] == "http"
    assert "x-envoy-retry-on" not in seen


def test_a_trusted_proxy_in_front_says_how_users_connected(world):
    world.router = world.make(trusted_hops=1)
    world.weigh(0)
    world.ask("GET", headers={"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"})
    assert world.stable.headers["x-forwarded-proto"] == "https"
    assert world.stable.headers["x-forwarded-for"].startswith("203.0.113.7,")
