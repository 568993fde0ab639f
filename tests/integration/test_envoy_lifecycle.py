"""A real Envoy that starts, is killed, is refused its address, refuses its configuration, and goes."""

import os
import signal
import socket
import threading
from pathlib import Path

import pytest
from supervised import kill_supervisor

from envoy_world import Application, Client, DirectSupervisor, free_port, load, wait_until
from fairway.adapters.routers.envoy import EnvoyRouter, transition
from fairway.adapters.routers.envoy.addresses import find_listener
from fairway.adapters.routers.envoy.admin import Admin
from fairway.adapters.routers.envoy.ledger import hold, load_memory, store_memory, widen
from fairway.adapters.supervisor.client import SupervisorClient
from fairway.domain.errors import PermanentError, TransientError
from fairway.domain.rollout.revision import Endpoint
from fairway.domain.rollout.routes import Backend, Routes

A, B = "1.0.0", "1.1.0"
UNIT = "envoy.shop.production"
NOWHERE = Backend("1.2.0", (Endpoint("x", "not-an-address", 1),), (), "/ready")


@pytest.fixture
def supervisor(tmp_path):
    supervisor = DirectSupervisor(tmp_path)
    yield supervisor
    supervisor.close()


@pytest.fixture
def backends():
    applications = [Application(A), Application(B)]
    yield tuple(
        Backend(application.revision, (application.begin(f"{application.revision}.1"),), (), "/ready")
        for application in applications
    )
    for application in applications:
        application.end()


@pytest.fixture
def supervised(tmp_path):
    client = SupervisorClient(tmp_path / "supervisor")
    yield client, tmp_path / "supervisor"
    for unit in client.observe():
        client.ensure_removed(unit)
    kill_supervisor(tmp_path / "supervisor")


@pytest.fixture
def make(tmp_path, supervisor):
    address = f"127.0.0.1:{free_port()}"

    def make(**settings):
        usual = {"service": "shop", "environment": "production", "folder": tmp_path / "router", "listen": address}
        return EnvoyRouter(**{**usual, "supervisor": supervisor, "concurrency": 1, "patience": 2.0, **settings})

    return make


def ask(router) -> tuple[int, str | None]:
    client = Client(router.observe().address)
    try:
        return client.request()[:2]
    finally:
        client.close()


def both(backends, weight=0.0) -> Routes:
    return Routes(A, B, weight, backends)


def test_a_killed_proxy_serves_the_same_routes_again_without_any_controller(make, supervisor, backends):
    router = make()
    router.ensure_routes(both(backends, 100), epoch=1)
    before = router.observe_traffic()
    os.kill(supervisor.observe()[UNIT].pid, signal.SIGKILL)
    wait_until(lambda: not router.observe().running, "it is gone")
    with pytest.raises(TransientError):
        router.observe_traffic()
    wait_until(lambda: router.observe().running, "it is back")
    assert ask(router) == (200, B)
    after = router.observe_traffic()
    assert after.origin != before.origin
    assert after.of(B).finished == 1
    assert router.observe().routes == both(backends, 100)


def test_under_the_real_supervisor_a_killed_proxy_is_back_and_a_dead_supervisor_is_too(make, supervised, backends):
    client, folder = supervised
    router = make(supervisor=client)
    router.ensure_routes(both(backends), epoch=1)
    kill_supervisor(folder)
    # The proxy lives on; the next change finds that nobody watches it, and mends that without restarting it.
    origin = router.observe_traffic().origin
    router.ensure_routes(both(backends, 100), epoch=1)
    assert router.observe_traffic().origin == origin
    os.kill(client.observe()[UNIT].pid, signal.SIGKILL)
    wait_until(lambda: not router.observe().running, "it is gone")
    wait_until(lambda: router.observe().running, "it is back")
    assert ask(router) == (200, B)
    client.ensure_removed(UNIT)


def test_the_files_alone_bring_the_routes_back_after_a_reboot(make, tmp_path, supervisor, backends):
    make().ensure_routes(both(backends, 100), epoch=1)
    supervisor.close()
    (tmp_path / "second").mkdir()
    anew = DirectSupervisor(tmp_path / "second")
    try:
        router = make(supervisor=anew)
        assert not router.observe().running
        router.ensure_routes(both(backends, 100), epoch=1)
        assert ask(router) == (200, B)
    finally:
        anew.close()


def test_a_refused_configuration_leaves_the_old_routes_even_through_a_restart(make, tmp_path, supervisor, backends):
    def files():
        return {file.name: file.read_text() for file in (tmp_path / "router").glob("*.json")}

    router = make()
    router.ensure_routes(both(backends), epoch=1)
    before = files()
    with pytest.raises(PermanentError, match="not-an-address") as refusal:
        router.ensure_routes(Routes(A, "1.2.0", 50, (backends[0], NOWHERE)), epoch=1)
    assert refusal.value.code == "routing-refused"
    assert files() == before
    assert router.observe().routes == both(backends)
    assert ask(router) == (200, A)
    os.kill(supervisor.observe()[UNIT].pid, signal.SIGKILL)
    wait_until(lambda: not router.observe().running, "it is gone")
    wait_until(lambda: router.observe().running, "it is back", patience=5)
    assert ask(router) == (200, A)
    router.ensure_routes(both(backends, 100), epoch=1)
    assert ask(router) == (200, B)


def test_what_a_dead_controller_began_and_envoy_refuses_does_not_spoil_the_next_change(make, tmp_path, backends):
    router = make()
    router.ensure_routes(both(backends), epoch=1)
    folder = tmp_path / "router"
    store_memory(folder, widen(load_memory(folder), Routes(A, "1.2.0", 0, (backends[0], NOWHERE))))
    router.ensure_routes(both(backends, 100), epoch=2)
    assert ask(router) == (200, B)


def test_a_controller_that_dies_after_moving_the_weights_leaves_a_way_back(make, monkeypatch, backends):
    router = make()
    router.ensure_routes(Routes(A, None, 0, backends[:1]), epoch=1)

    def die(*_):
        raise KeyboardInterrupt

    with load(router.observe().address, clients=2) as outcomes:
        with monkeypatch.context() as patch:
            patch.setattr(transition, "settle", die)
            with pytest.raises(KeyboardInterrupt):
                router.ensure_routes(both(backends, 100), epoch=1)
        wait_until(lambda: outcomes[200, B] > 5, "the weights have moved")
        # The new controller knows nothing of the candidate and asks for stable alone.
        make().ensure_routes(Routes(A, None, 0, backends[:1]), epoch=2)
        before = outcomes[200, A]
        wait_until(lambda: outcomes[200, A] > before + 50, "stable serves")
    assert set(outcomes) == {(200, A), (200, B)}


def test_the_way_back_does_not_wait_for_anything_else(make, backends):
    router = make()
    router.ensure_routes(both(backends, 50), epoch=1)
    silent = Endpoint("silent", "127.0.0.1", free_port())
    waited_for = Backend(A, (*backends[0].endpoints, silent), (), "/ready")
    change = threading.Thread(
        target=router.ensure_routes, args=(both((waited_for, backends[1]), 0),), kwargs={"epoch": 1}
    )
    with load(router.observe().address, clients=2) as outcomes:
        wait_until(lambda: outcomes[200, B] > 5, "the candidate serves")
        change.start()
        while change.is_alive():
            served, before = outcomes[200, B], outcomes[200, A]
            wait_until(lambda before=before: outcomes[200, A] > before + 50, "stable serves")
            if outcomes[200, B] == served:
                break
        # Everything went to stable while the new endpoint was still being waited for.
        assert change.is_alive()
        change.join()
    assert router.observe().routes == both((waited_for, backends[1]), 0)


def test_an_address_that_is_taken_is_refused_with_the_name_of_who_has_it(make, tmp_path, supervisor, backends):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(PermanentError, match=f'"{address}".*process {os.getpid()}') as refusal:
            make(listen=address).ensure_routes(both(backends), epoch=1)
        assert refusal.value.code == "address-taken"
    assert not supervisor.observe()
    assert not (tmp_path / f"{UNIT}.log").exists()


def test_an_address_taken_between_look_and_start_is_refused_too(make, supervisor, monkeypatch, backends):
    port = free_port()
    with socket.socket() as other:
        ensure_unit = supervisor.ensure_unit

        def late(unit):
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            other.bind(("127.0.0.1", port))
            other.listen()
            return ensure_unit(unit)

        monkeypatch.setattr(supervisor, "ensure_unit", late)
        with pytest.raises(PermanentError, match=f"process {os.getpid()}"):
            make(listen=f"127.0.0.1:{port}").ensure_routes(both(backends), epoch=1)
    assert not supervisor.observe()


def test_two_proxies_never_share_an_address(make, tmp_path, supervisor, monkeypatch, backends):
    first = make()
    first.ensure_routes(both(backends), epoch=1)
    # As if both had looked before either had started.
    monkeypatch.setattr("fairway.adapters.routers.envoy.process.check_free", lambda *_, **__: None)
    second = make(environment="staging", folder=tmp_path / "staging")
    with pytest.raises(PermanentError, match="in use"):
        second.ensure_routes(both(backends, 100), epoch=1)
    assert list(supervisor.observe()) == [UNIT]
    assert ask(first) == (200, A)


def test_a_changed_address_moves_the_proxy_and_keeps_the_routes(make, supervisor, backends):
    make().ensure_routes(both(backends, 100), epoch=1)
    moved = make(listen=f"127.0.0.1:{free_port()}")
    moved.ensure_routes(both(backends, 100), epoch=1)
    assert ask(moved) == (200, B)
    with pytest.raises(ConnectionRefusedError):
        ask(make())
    assert list(supervisor.observe()) == [UNIT]


def test_a_program_that_does_not_run_is_named_with_its_last_words(make, tmp_path, supervisor, monkeypatch, backends):
    program = tmp_path / "envoy"
    program.write_text("#!/bin/sh\necho no such library >&2\nexit 127\n")
    program.chmod(0o755)
    monkeypatch.setattr("fairway.adapters.routers.envoy.process.find_envoy", lambda: program)
    with pytest.raises(PermanentError, match="no such library") as refusal:
        make().ensure_routes(both(backends), epoch=1)
    assert refusal.value.code == "envoy-does-not-run"
    assert not supervisor.observe()


def test_a_release_that_is_too_old_is_refused_and_what_runs_serves_on(
    make, tmp_path, supervisor, monkeypatch, backends
):
    router = make()
    router.ensure_routes(both(backends), epoch=1)
    program = tmp_path / "envoy"
    program.write_text("#!/bin/sh\necho 'envoy  version: 1ab2/1.29.5/Clean/RELEASE/BoringSSL'\n")
    program.chmod(0o755)
    monkeypatch.setattr("fairway.adapters.routers.envoy.process.find_envoy", lambda: program)
    other = make(environment="staging", folder=tmp_path / "staging", listen=f"127.0.0.1:{free_port()}")
    with pytest.raises(PermanentError, match=r"is Envoy 1\.29; 1\.40 or later is wanted") as refusal:
        other.ensure_routes(both(backends), epoch=1)
    assert refusal.value.code == "envoy-too-old"
    assert list(supervisor.observe()) == [UNIT]
    router.ensure_routes(both(backends, 100), epoch=1)
    assert ask(router) == (200, B)


def test_a_proxy_that_does_not_answer_is_a_transient_error(make, supervisor, backends):
    router = make()
    router.ensure_routes(both(backends), epoch=1)
    pid = supervisor.observe()[UNIT].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(TransientError, match="admin socket"):
            router.observe_traffic()
    finally:
        os.kill(pid, signal.SIGCONT)
    assert router.observe_traffic().of(A).finished == 0


def test_two_controllers_do_not_interleave(make, tmp_path, backends):
    router = make(patience=0.2)
    router.ensure_routes(both(backends), epoch=1)
    with hold(tmp_path / "router", 1, patience=1), pytest.raises(TransientError, match="another controller"):
        router.ensure_routes(both(backends, 50), epoch=2)
    assert router.observe().routes == both(backends)


def test_a_folder_that_cannot_be_used_is_named(make, tmp_path, backends):
    (tmp_path / "file").write_text("")
    for call in (lambda r: r.ensure_routes(both(backends), epoch=1), lambda r: r.observe()):
        with pytest.raises(PermanentError, match="file"):
            call(make(folder=tmp_path / "file"))


def test_deep_folders_are_no_obstacle(make, tmp_path, backends):
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    router = make(folder=deep)
    router.ensure_routes(both(backends, 100), epoch=1)
    assert ask(router) == (200, B)
    assert (deep / "admin.sock").stat().st_mode & 0o777 == 0o600
    assert deep.stat().st_mode & 0o777 == 0o700


def test_what_ends_leaves_neither_process_nor_port_nor_shared_memory(make, supervisor, backends):
    shared = set(Path("/dev/shm").iterdir())
    preview = f"127.0.0.1:{free_port()}"
    router = make(preview=preview)
    router.ensure_routes(both(backends, 50), epoch=3)
    address = router.observe().address
    pid = supervisor.observe()[UNIT].pid
    supervisor.ensure_removed(UNIT)
    assert not Path(f"/proc/{pid}").exists()
    assert not supervisor.observe()
    assert [find_listener(int(a.rpartition(":")[2])) for a in (address, preview)] == [None, None]
    assert set(Path("/dev/shm").iterdir()) <= shared
    with pytest.raises(PermanentError, match="epoch 2 is older than 3"):
        router.ensure_routes(both(backends), epoch=2)


def test_clusters_that_no_route_uses_are_gone(make, tmp_path, backends):
    router = make()
    router.ensure_routes(both(backends, 50), epoch=1)
    router.ensure_routes(Routes(B, None, 0, backends[1:]), epoch=1)
    assert [file.name for file in (tmp_path / "router").glob("endpoints-*")] == [f"endpoints-{B}.json"]
    with Admin(tmp_path / "router") as admin:
        assert list(admin.hosts()) == [B]
    assert ask(router) == (200, B)
