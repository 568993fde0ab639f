"""Latency, resets, half-open connections: between the proxy and instances, to PostgreSQL, to the source of metrics."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from faulty_proxy import FaultyProxy, faulty

from envoy_world import Application, DirectSupervisor, free_port, wait_until
from fairway.adapters.load.process import Load
from fairway.adapters.metrics.prometheus import PrometheusSource
from fairway.adapters.routers.envoy import EnvoyRouter
from fairway.adapters.stores.sql import SqlStore
from fairway.domain.errors import FairwayError, TransientError
from fairway.domain.rollout.revision import Endpoint
from fairway.domain.rollout.routes import Backend, Routes
from fairway.testing.journal_samples import BEGIN, begin, completion, plan, promotion

pytestmark = pytest.mark.timeout(120)


class Street:
    """Two instances of one revision behind the router; the way to the first one is a bad network."""

    def __init__(self, folder: Path, network: FaultyProxy, near: Application, router: EnvoyRouter, port: int) -> None:
        self.folder, self.network, self.near, self.router, self.port = folder, network, near, router, port


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    """As it is where nothing else was asked for."""
    with _street(tmp_path) as made:
        yield made


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Street]:
    """A try of a read is given up after half a second, and made elsewhere."""
    with _street(tmp_path, try_timeout=0.5) as made:
        yield made


@contextmanager
def _street(tmp_path: Path, try_timeout: float | None = None) -> Iterator[Street]:
    supervisor, far, near, port = DirectSupervisor(tmp_path), Application("1.0.0"), Application("1.0.0"), free_port()
    one = far.begin("i.1")
    with faulty((one.host, one.port)) as network:
        router = EnvoyRouter(
            service="shop",
            environment="production",
            folder=tmp_path / "router",
            listen=f"127.0.0.1:{port}",
            supervisor=supervisor,
            try_timeout=try_timeout,
        )
        endpoints = (Endpoint("i.1", "127.0.0.1", network.port), near.begin("i.2"))
        router.ensure_routes(Routes("1.0.0", None, 0.0, (Backend("1.0.0", endpoints, (), "/ready"),)), epoch=1)
        try:
            yield Street(tmp_path, network, near, router, port)
        finally:
            supervisor.close()
            far.end()
            near.end()


def _users(street: Street, seconds: float) -> Load:
    return Load(f"http://127.0.0.1:{street.port}/", rate=100, duration=seconds, connections=16)


def test_latency_makes_pages_late_and_loses_none(street: Street) -> None:
    street.network.delay = 0.05
    with _users(street, 3) as users:
        seen = users.wait()
    assert seen.failed == 0, seen
    assert seen.p99_ms is not None
    assert seen.p99_ms > 90


def test_packets_that_get_lost_make_pages_late_and_lose_none(street: Street) -> None:
    street.network.loss = 0.1
    with _users(street, 6) as users:
        seen = users.wait()
    assert seen.failed == 0, seen
    assert seen.p99_ms is not None
    assert seen.p99_ms > 190


def test_resets_between_proxy_and_instance_lose_no_page(street: Street) -> None:
    with _users(street, 6) as users:
        wait_until(lambda: users.live().get("ok", 0) > 50, "users")
        street.network.break_all()
        wait_until(lambda: users.live().get("ok", 0) > 150, "users")
        street.network.mode = "reset"
        seen = users.wait()
    assert seen.failed == 0, seen


def test_an_instance_that_falls_silent_gets_nothing_more_within_seconds(street: Street) -> None:
    """What it has been asked before waits as long as the user does: nobody can know whether an answer will come."""
    with Load(f"http://127.0.0.1:{street.port}/", rate=100, duration=14, connections=600) as users:
        wait_until(lambda: users.live().get("ok", 0) > 100, "users")
        street.network.mode = "silent"
        seen = users.wait()
    late = [interval for interval in seen.timeline if 7 < interval.at < 10]
    assert late
    assert all(interval.ok == interval.sent for interval in late), late
    waiting = seen.failed + seen.unfinished
    assert 0 < waiting < 400, seen


def test_with_a_limit_for_tries_an_instance_that_falls_silent_costs_no_page(limited: Street) -> None:
    with Load(f"http://127.0.0.1:{limited.port}/", rate=100, duration=8, connections=200) as users:
        wait_until(lambda: users.live().get("ok", 0) > 100, "users")
        limited.network.mode = "silent"
        seen = users.wait()
    assert seen.failed == 0, seen
    assert seen.unfinished == 0, seen


def test_an_instance_that_can_be_reached_again_is_asked_again(street: Street) -> None:
    street.network.mode = "reset"
    with _users(street, 3) as users:
        assert users.wait().failed == 0
    street.network.mode = "pass"
    before = street.network.connections
    with _users(street, 10) as users:
        wait_until(lambda: street.network.connections > before + 2, "asked again")
        assert users.stop().failed == 0


@pytest.fixture
def postgres(postgres_url: str, postgres_socket: str) -> Iterator[tuple[FaultyProxy, str]]:
    """A way to the server that can be made bad, and the URL that goes this way."""
    with faulty(f"{postgres_socket}/.s.PGSQL.5432") as network:
        yield network, f"postgresql://postgres@127.0.0.1:{network.port}/test?sslmode=disable"


def test_a_connection_that_is_cut_anywhere_in_a_transaction_leaves_all_of_it_or_nothing(
    postgres: tuple[FaultyProxy, str], postgres_url: str
) -> None:
    network, url = postgres
    outcomes = set()
    with SqlStore.open(postgres_url) as sound:
        for number, cut in enumerate(range(200, 6000, 150)):
            run = begin(sound, f"run-{number}", plan(environment=f"e{number}"))
            network.cut_after = cut
            try:
                with SqlStore.open(url) as store:
                    store.append(run, (*promotion(), *completion()), wake=None)
                outcome = "done"
            except TransientError as error:
                outcome = error.code
            network.cut_after = None
            network.break_all()
            version = sound.load(run.id).version
            live = sound.environment("shop", f"e{number}").live
            assert (version, live is not None) in ((1, False), (6, True)), (cut, outcome, version)
            assert outcome != "done" or version == 6
            outcomes.add((outcome, version))
    assert {outcome for outcome, _ in outcomes} == {"done", "database-unreachable"}, outcomes


def test_connections_that_are_reset_between_calls_cost_one_call_and_no_more(postgres: tuple[FaultyProxy, str]) -> None:
    network, url = postgres
    with SqlStore.open(url) as store:
        run = begin(store, "run-1", plan())
        for _ in range(5):
            network.break_all()
            failures = 0
            while True:
                try:
                    assert store.load("run-1").id == run.id
                    break
                except TransientError:
                    failures += 1
                    assert failures < 3


def test_a_slow_way_to_the_database_makes_everything_late_and_nothing_wrong(postgres: tuple[FaultyProxy, str]) -> None:
    network, url = postgres
    with SqlStore.open(url) as store:
        run = begin(store, "run-1", plan())
        network.delay = 0.05
        assert store.append(run, (*promotion(), *completion()), wake=None).outcome == "completed"
        assert store.claim("a", now=BEGIN, ttl=9, limit=9) == ()


@pytest.fixture
def answering() -> Iterator[Application]:
    """A server that would answer."""
    made = Application("metrics")
    yield made
    made.end()


@pytest.mark.parametrize("mode", ["reset", "silent"])
def test_a_source_of_metrics_behind_a_bad_network_is_no_data_in_time(mode: str, answering: Application) -> None:
    end = answering.begin("m.1")
    with faulty((end.host, end.port)) as network:
        network.mode = mode
        source = PrometheusSource(url=f"http://127.0.0.1:{network.port}", timeout=1.0)
        began = time.monotonic()
        with pytest.raises(FairwayError) as caught:
            source.read("up", at=BEGIN)
        assert isinstance(caught.value, TransientError)
        assert time.monotonic() - began < 3
