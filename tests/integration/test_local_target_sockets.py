import contextlib
import http.client
import json
import os
import signal
import socket
import sys
from pathlib import Path

import pytest
from supervised import WEB_APP, kill_supervisor, supervisor, wait_until

from envoy_world import Client, free_port
from fairway.adapters.routers.envoy import EnvoyRouter
from fairway.adapters.targets.local import LocalTarget
from fairway.domain.rollout.revision import Artifact, Health, Revision, RunSpec
from fairway.domain.rollout.routes import Backend, Routes

__all__ = ["supervisor"]
COMMAND = f"{sys.executable} -S {WEB_APP} --socket {{socket}}"
DEAF = "sh -c 'sleep 1000' {socket}"


@pytest.fixture
def target(tmp_path, supervisor):
    return LocalTarget(service="shop", environment="production", folder=tmp_path / "targets", supervisor=supervisor)


@pytest.fixture
def revise(tmp_path):
    def revise_one(command=COMMAND, name="r1", grace=2.0, **options):
        options.setdefault("health", Health(ready="/health/ready"))
        artifact = Artifact("shop", "1.2.3", "c" * 40, f"sha256:{'0' * 64}", str(tmp_path))
        return Revision(name, "shop", "production", artifact, RunSpec(command, grace=grace, **options))

    return revise_one


class SocketConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("users.example", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def get(instance, path):
    with contextlib.closing(SocketConnection(instance.endpoint.socket)) as connection:
        connection.request("GET", path)
        return connection.getresponse().read().decode()


def answers(instance):
    try:
        return get(instance, "/pid")
    except OSError:
        return None


def ready(target, revision="r1"):
    wait_until(lambda: {one.state for one in target.observe_instances(revision)} == {"ready"})
    return target.observe_instances(revision)


def test_each_instance_listens_on_a_socket_of_its_own_and_on_no_port(target, revise):
    target.ensure_instances(revise(variables=(("BIND", "unix:{socket}"), ("OTHER", "{port}"))), 2, epoch=1)
    one, two = ready(target)
    assert one.endpoint.socket != two.endpoint.socket
    assert (one.endpoint.host, one.endpoint.port) == ("", 0)
    assert one.endpoint.place == one.endpoint.socket
    assert get(two, "/pid") == str(two.pid)
    found = json.loads(get(one, "/environment"))
    assert (found["SOCKET"], found["BIND"], found["OTHER"]) == (
        one.endpoint.socket,
        f"unix:{one.endpoint.socket}",
        "{port}",
    )
    assert not {"PORT", "HOST"} & set(found)
    folder = Path(one.endpoint.socket).parent
    assert folder.stat().st_mode & 0o777 == 0o700
    said = [f"listening on {each.endpoint.socket}" for each in (one, two)]
    wait_until(lambda: [line.text for line in target.read_logs("r1", lines=9, follow=False)] == said)


def test_a_killed_instance_is_back_on_its_socket(target, revise):
    target.ensure_instances(revise(), 1, epoch=1)
    (first,) = ready(target)
    os.kill(first.pid, signal.SIGKILL)  # it leaves the socket's file behind
    wait_until(lambda: answers(first) not in {None, str(first.pid)})
    (second,) = ready(target)
    assert (second.endpoint, second.restarts) == (first.endpoint, 1)


def test_nothing_of_a_socket_is_left_after_the_end_however_it_ended(target, revise, supervisor, tmp_path):
    target.ensure_instances(revise(f"{COMMAND} --ignore-term", grace=0.2), 2, epoch=1)
    one, two = ready(target)
    folders = [Path(each.endpoint.socket).parent for each in (one, two)]
    kill_supervisor(tmp_path / "supervisor")  # its successor knows of the sockets too
    supervisor.stop_all()
    assert not any(folder.exists() for folder in folders)
    supervisor.resume_all()
    assert [each.endpoint for each in ready(target)] == [one.endpoint, two.endpoint]
    target.ensure_instances(revise(), 0, epoch=1)
    wait_until(lambda: not any(folder.exists() for folder in folders))


def test_what_an_earlier_boot_left_behind_is_no_obstacle(target, revise, supervisor):
    target.ensure_instances(revise(), 1, epoch=1)
    (before,) = ready(target)
    supervisor.stop_all()
    path = Path(before.endpoint.socket)
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    supervisor.resume_all()
    wait_until(lambda: answers(before))
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_somebody_else_made_first_is_never_used(target, revise, supervisor, tmp_path):
    target.ensure_instances(revise(), 1, epoch=1)
    (before,) = ready(target)
    supervisor.stop_all()
    folder = Path(before.endpoint.socket).parent
    folder.symlink_to(tmp_path)
    try:
        supervisor.resume_all()
        wait_until(lambda: target.observe_instances("r1")[0].last_exit.endswith("belongs to somebody else"))
        assert not (tmp_path / "socket").exists()
        after = target.ensure_instances(revise(), 1, epoch=1)[-1]
        assert Path(after.endpoint.socket).parent != folder
        wait_until(lambda: [one.state for one in target.observe_instances("r1")] == ["ready"])
    finally:
        folder.unlink()


def test_a_socket_that_nobody_listens_on_is_not_ready_and_says_so(target, revise):
    target.ensure_instances(revise(DEAF), 1, epoch=1)
    (instance,) = target.observe_instances("r1")
    assert (instance.state, instance.detail) == ("starting", f"Nobody listens on {instance.endpoint.socket} yet.")


def test_a_stranger_on_the_socket_is_noticed_and_evaded(target, revise):
    target.ensure_instances(revise(DEAF), 1, epoch=1)
    (before,) = target.observe_instances("r1")
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.bind(before.endpoint.socket)
        stranger.listen()
        (seen,) = target.observe_instances("r1")
        assert seen.state == "unready"
        assert "not the instance's own" in seen.detail
        after = target.ensure_instances(revise(DEAF), 1, epoch=1)[-1]
    assert after.endpoint.socket not in {"", before.endpoint.socket}


def test_whether_an_instance_lives_is_asked_on_its_socket(target, revise, tmp_path):
    health = Health(ready="/health/ready", live="/health/live")
    target.ensure_instances(revise(health=health), 1, epoch=1)
    ready(target)
    status = tmp_path / "supervisor/status/i.shop.production.r1.1.json"
    wait_until(lambda: '"answered": true' in status.read_text())


@pytest.mark.parametrize("path", ["/health/ready", None])
def test_envoy_sends_requests_to_sockets_and_sees_their_health(target, revise, supervisor, tmp_path, path):
    target.ensure_instances(revise(health=Health(ready=path)), 2, epoch=1)
    one, two = ready(target)
    listen = f"127.0.0.1:{free_port()}"
    router = EnvoyRouter(
        service="shop", environment="production", folder=tmp_path / "router", listen=listen, supervisor=supervisor
    )
    backend = Backend("r1", (one.endpoint, two.endpoint), (), path)
    routes = Routes("r1", None, 0.0, (backend,))
    router.ensure_routes(routes, epoch=1)
    assert router.observe().routes == routes
    client = Client(listen)
    assert {client.request(path="/pid")[2] for _ in range(4)} == {b"%d" % one.pid, b"%d" % two.pid}
    assert client.request(path="/host")[2] == listen.encode()
    client.close()

    def health():
        return [(each.instance, each.healthy) for each in router.observe_traffic().of("r1").instances]

    assert health() == [(one.id, True), (two.id, True)]
    target.ensure_instances(revise(health=Health(ready=path)), 1, epoch=1)
    wait_until(lambda: health() == [(one.id, True), (two.id, False)])
    supervisor.ensure_removed("envoy.shop.production")
