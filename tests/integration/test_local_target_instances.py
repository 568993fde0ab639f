import contextlib
import json
import os
import signal
import socket
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from supervised import WEB_APP, kill_supervisor, supervisor, wait_until

from fairway.adapters.supervisor.processes import identify, is_alive
from fairway.adapters.targets.local import LocalTarget, readiness
from fairway.adapters.targets.local.listeners import _session_pids, observe_listener
from fairway.domain.errors import PermanentError, UserError
from fairway.domain.rollout.revision import Artifact, Health, Revision, RunSpec

__all__ = ["supervisor"]
COMMAND = f"{sys.executable} -S {WEB_APP} --port {{port}}"


@pytest.fixture
def open_target(tmp_path, supervisor):
    def open_one(environment="production", service="shop", **options):
        return LocalTarget(
            service=service, environment=environment, folder=tmp_path / "targets", supervisor=supervisor, **options
        )

    return open_one


@pytest.fixture
def target(open_target):
    return open_target()


@pytest.fixture
def revise(tmp_path):
    def revise_one(command=COMMAND, name="r1", location=None, grace=2.0, **options):
        options.setdefault("health", Health(ready="/health/ready"))
        artifact = Artifact("shop", "1.2.3", "c" * 40, f"sha256:{'0' * 64}", str(location or tmp_path))
        return Revision(name, "shop", "production", artifact, RunSpec(command, grace=grace, **options))

    return revise_one


def get(instance, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{instance.endpoint.port}{path}", timeout=60) as answer:
        return answer.read().decode()


def ready(target, revision="r1"):
    deadline = time.monotonic() + 60
    found = target.observe_instances(revision)
    while any(one.state != "ready" for one in found):
        assert time.monotonic() < deadline, found
        time.sleep(0.01)
        found = target.observe_instances(revision)
    return found


def gone(target, revision="r1"):
    wait_until(lambda: target.observe_instances(revision) == ())


def test_a_killed_instance_is_back_on_its_port(target, revise):
    target.ensure_instances(revise(), 1, epoch=1)
    (first,) = ready(target)
    os.kill(first.pid, signal.SIGKILL)
    killed = time.monotonic()
    wait_until(lambda: answers(first) not in {None, str(first.pid)})
    assert time.monotonic() - killed < 30
    (second,) = ready(target)
    assert second.endpoint == first.endpoint
    assert second.id == first.id
    assert (second.restarts, second.last_exit) == (1, "signal SIGKILL")
    assert answers(second) == str(second.pid)


def answers(instance):
    try:
        return get(instance, "/pid")
    except OSError:
        return None


def test_instances_get_their_environment_and_nothing_of_ours(target, revise, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_CONTROLLER", "x")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    variables = (("ADDRESS", "http://{host}:{port}/"), ("JSON", '{"a": 1}'), ("PORT", "80"))
    target.ensure_instances(revise(variables=variables), 1, epoch=1)
    (instance,) = ready(target)
    port = str(instance.endpoint.port)
    found = json.loads(get(instance, "/environment"))
    assert found["TZ"] == "Asia/Tokyo"
    assert found["ADDRESS"] == f"http://127.0.0.1:{port}/"
    assert found["JSON"] == '{"a": 1}'
    assert (found["HOST"], found["PORT"]) == ("127.0.0.1", port)
    fairway = {name: value for name, value in found.items() if name.startswith("FAIRWAY_")}
    assert fairway == {
        "FAIRWAY_SERVICE": "shop",
        "FAIRWAY_ENVIRONMENT": "production",
        "FAIRWAY_VERSION": "1.2.3",
        "FAIRWAY_COMMIT": "c" * 40,
        "FAIRWAY_REVISION": "r1",
        "FAIRWAY_INSTANCE": "r1.1",
        "FAIRWAY_UNIT": fairway["FAIRWAY_UNIT"],
    }
    assert fairway["FAIRWAY_UNIT"].endswith("/supervisor/units/i.shop.production.r1.1.json")
    others = set(found) - set(fairway) - {"ADDRESS", "JSON", "HOST", "PORT", "PATH", "HOME", "LANG", "TZ"}
    assert others <= {"PYTHONDONTWRITEBYTECODE", "LC_CTYPE"}  # LC_CTYPE is Python's own doing


def test_asking_again_from_another_shell_restarts_nothing(target, revise, monkeypatch):
    target.ensure_instances(revise(), 1, epoch=1)
    (before,) = ready(target)
    monkeypatch.setenv("PATH", f"/somewhere/else:{os.environ['PATH']}")
    target.ensure_instances(revise(), 1, epoch=1)
    assert ready(target)[0].pid == before.pid


def test_the_program_of_the_artifact_goes_before_the_one_in_path(target, revise, tmp_path):
    program = tmp_path / "artifact/.venv/bin/serve"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\npwd\nexec {sys.executable} -S {WEB_APP} --port "$1"\n')
    program.chmod(0o755)
    target.ensure_instances(revise(".venv/bin/serve {port}", location=tmp_path / "artifact"), 1, epoch=1)
    ready(target)
    lines = [line.text for line in target.read_logs("r1", lines=10, follow=False)]
    assert lines[0] == str(tmp_path / "artifact")


def test_what_cannot_run_is_refused_and_leaves_nothing(target, revise, tmp_path):
    (tmp_path / "data").write_text("no program")
    for command, kind, code, quoted in [
        ("nonesuch --port {port}", PermanentError, "program-missing", "'nonesuch'"),
        (".venv/bin/nonesuch", PermanentError, "program-missing", str(tmp_path / ".venv/bin/nonesuch")),
        ("./data", PermanentError, "program-not-executable", str(tmp_path / "data")),
        ("", UserError, "command-empty", "''"),
        ("serve 'it", UserError, "command-quotes", "serve 'it"),
    ]:
        with pytest.raises(kind) as refusal:
            target.ensure_instances(revise(command), 1, epoch=1)
        assert refusal.value.code == code
        assert quoted in refusal.value.message
    with pytest.raises(PermanentError) as refusal:
        target.ensure_instances(revise(location=tmp_path / "gone"), 1, epoch=1)
    assert refusal.value.code == "artifact-missing"
    assert target.list_revisions() == ()


def test_an_instance_that_is_never_ready_says_why(open_target, revise):
    times = [0.0]
    target = open_target(clock=lambda: time.time() + times[0])
    target.ensure_instances(revise(f"{COMMAND} --never-ready"), 1, epoch=1)
    wait_until(lambda: "503" in target.observe_instances("r1")[0].detail)
    (instance,) = target.observe_instances("r1")
    assert instance.state == "starting"
    assert instance.detail == (f"GET /health/ready on 127.0.0.1:{instance.endpoint.port} was answered with status 503.")
    times[0] = 31.0
    assert target.observe_instances("r1")[0].state == "unready"


def test_the_readiness_answer_must_contain_the_text(target, revise):
    health = Health(ready="/health/ready", ready_body="database up")
    target.ensure_instances(revise(f"{COMMAND} --body 'database down'", health=health), 1, epoch=1)
    wait_until(lambda: "without 'database up'" in target.observe_instances("r1")[0].detail)
    assert target.observe_instances("r1")[0].state == "starting"
    target.ensure_instances(revise(f"{COMMAND} --body 'the database up'", health=health, name="r2"), 1, epoch=1)
    ready(target, "r2")


def test_without_a_path_any_answer_is_readiness(target, revise):
    target.ensure_instances(revise(f"{COMMAND} --never-ready", health=Health()), 1, epoch=1)
    ready(target)


def test_a_crash_loop_is_seen_and_counted(target, revise):
    target.ensure_instances(revise(f"{COMMAND} --crash-after 0.05"), 1, epoch=1)
    wait_until(lambda: target.observe_instances("r1")[0].state == "crash-loop")
    (instance,) = target.observe_instances("r1")
    assert instance.restarts >= 2
    assert instance.last_exit == "exit status 3"
    assert "exit status 3" in instance.detail


def test_a_stranger_on_the_port_is_noticed_and_evaded(target, revise):
    target.ensure_instances(revise("sleep 1000"), 1, epoch=1)
    (before,) = target.observe_instances("r1")
    with answering_readiness(before.endpoint.port):
        (seen,) = target.observe_instances("r1")
        assert seen.state == "unready"
        assert "not the instance's own" in seen.detail
        after = target.ensure_instances(revise("sleep 1000"), 1, epoch=1)[-1]
        assert after.endpoint.port != before.endpoint.port
        assert after.id != before.id
    wait_until(lambda: [one.id for one in target.observe_instances("r1")] == [after.id])


FORKS = """
import os, socket, sys, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
if os.fork() == 0:
    time.sleep(1000)
time.sleep(1000)
"""


def test_a_child_of_a_process_that_was_killed_is_no_stranger(target, revise, tmp_path):
    (tmp_path / "forks.py").write_text(FORKS)
    revision = revise(f"{sys.executable} -S {tmp_path}/forks.py {{port}}")
    target.ensure_instances(revision, 1, epoch=1)
    (before,) = target.observe_instances("r1")
    wait_until(lambda: observe_listener(before.endpoint, before.pid).ours)
    wait_until(lambda: len(_session_pids(before.pid)) == 2)
    kill_supervisor(tmp_path / "supervisor")
    os.kill(before.pid, signal.SIGKILL)
    wait_until(lambda: target.observe_instances("r1")[0].pid is None)
    assert observe_listener(before.endpoint, None).anyone
    assert [one.id for one in target.ensure_instances(revision, 1, epoch=1)] == [before.id]


def test_instances_that_run_while_the_supervisors_folder_is_lost_are_kept_as_they_are(target, revise, tmp_path):
    target.ensure_instances(revise(), 2, epoch=1)
    before = ready(target)
    kill_supervisor(tmp_path / "supervisor")
    (tmp_path / "supervisor").rename(tmp_path / "lost")
    assert {one.state for one in target.observe_instances("r1")} == {"exited"}
    target.ensure_instances(revise(), 2, epoch=1)
    assert [(one.id, one.pid, one.endpoint) for one in ready(target)] == [
        (one.id, one.pid, one.endpoint) for one in before
    ]


def test_an_instance_that_runs_while_the_supervisors_folder_is_lost_can_be_let_go(target, revise, tmp_path):
    target.ensure_instances(revise(), 2, epoch=1)
    processes = [identify(one.pid) for one in ready(target)]
    kill_supervisor(tmp_path / "supervisor")
    (tmp_path / "supervisor").rename(tmp_path / "lost")
    target.ensure_instances(revise(), 0, epoch=1)
    wait_until(lambda: not any(is_alive(process) for process in processes))


@contextlib.contextmanager
def answering_readiness(port):
    """A server of the test's own process that says that it is ready."""
    server = socket.create_server(("127.0.0.1", port))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


def test_an_instance_that_listens_by_a_child_is_ready(target, revise):
    target.ensure_instances(revise(f"sh -c '{COMMAND} & wait'"), 1, epoch=1)
    (instance,) = ready(target)
    assert get(instance, "/pid") != str(instance.pid)


def test_stopping_leaves_no_child_and_no_listener(target, revise):
    target.ensure_instances(revise(f"{COMMAND} --ignore-term --children 2", grace=0.3), 1, epoch=1)
    (instance,) = ready(target)
    process = identify(instance.pid)
    target.ensure_instances(revise(), 0, epoch=1)
    gone(target)
    assert not is_alive(process)
    socket.create_server(("127.0.0.1", instance.endpoint.port)).close()


def test_surplus_instances_are_stopped_at_the_same_time_and_nobody_is_kept_waiting(target, revise):
    target.ensure_instances(revise(f"{COMMAND} --ignore-term", grace=2.0), 3, epoch=1)
    before = ready(target)
    started = time.monotonic()
    stopping = target.ensure_instances(revise(), 0, epoch=1)
    assert time.monotonic() - started < 2
    assert [(one.id, one.pid, one.state) for one in stopping] == [(one.id, one.pid, "stopping") for one in before]
    assert target.list_revisions() == ("r1",)
    gone(target)
    assert 2 <= time.monotonic() - started < 6
    assert target.list_revisions() == ()


def test_what_replaces_an_instance_does_not_wait_for_its_end(target, revise):
    revision = revise(f"{COMMAND} --ignore-term", grace=1.0)
    target.ensure_instances(revision, 1, epoch=1)
    (old,) = ready(target)
    target.ensure_instances(revision, 0, epoch=1)
    leaving, new = target.ensure_instances(revision, 1, epoch=1)
    assert (leaving.id, leaving.state) == (old.id, "stopping")
    assert new.state in {"starting", "ready"}
    assert new.id != old.id
    assert new.endpoint.port != old.endpoint.port
    wait_until(lambda: [one.state for one in target.observe_instances("r1")] == ["ready"])
    assert target.observe_instances("r1")[0].pid not in {None, old.pid}


def test_what_leaves_is_stopped_whoever_dies_meanwhile(open_target, revise, supervisor, tmp_path):
    class CutOff:
        observe = supervisor.observe

        def ensure_stopping(self, unit):
            raise KeyboardInterrupt

    open_target().ensure_instances(revise(f"{COMMAND} --ignore-term", grace=0.5), 2, epoch=1)
    before = ready(open_target())
    cut = open_target()
    cut._supervisor = CutOff()
    with pytest.raises(KeyboardInterrupt):
        cut.ensure_instances(revise(), 0, epoch=1)
    target = open_target()
    assert [one.state for one in target.observe_instances("r1")] == ["stopping", "stopping"]
    assert [one.pid for one in target.ensure_instances(revise(), 0, epoch=1)] == [one.pid for one in before]
    kill_supervisor(tmp_path / "supervisor")
    supervisor.ensure_running()
    gone(target)
    assert not any(unit.startswith(target.unit_prefix) for unit in supervisor.observe())


def test_going_down_waits_for_what_is_on_its_way_out(target, revise, supervisor):
    target.ensure_instances(revise(f"{COMMAND} --ignore-term", grace=0.5), 1, epoch=1)
    (instance,) = ready(target)
    process = identify(instance.pid)
    target.ensure_instances(revise(), 0, epoch=1)
    supervisor.stop_all({f"{target.unit_prefix}{instance.id}"})
    assert not is_alive(process)
    assert target.observe_instances("r1") == ()


def test_services_and_environments_side_by_side_never_share_a_port(open_target, revise):
    places = [("shop", "production"), ("shop", "staging"), ("shop.production", "eu"), ("Shop", "production")]
    targets = [open_target(environment, service) for service, environment in places]
    threads = [
        threading.Thread(target=one.ensure_instances, args=(revise(), 2), kwargs={"epoch": 1}) for one in targets
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ports = [instance.endpoint.port for one in targets for instance in ready(one)]
    assert len(set(ports)) == 8
    assert all(20_000 <= port < 32_000 for port in ports)
    assert len({one.unit_prefix for one in targets}) == 4
    targets[0].ensure_instances(revise(), 0, epoch=1)
    gone(targets[0])
    assert [len(one.observe_instances("r1")) for one in targets] == [0, 2, 2, 2]


def test_a_port_is_not_given_out_again_at_once(target, revise):
    first = target.ensure_instances(revise("sleep 1000"), 1, epoch=1)[0]
    target.ensure_instances(revise(), 0, epoch=1)
    second = target.ensure_instances(revise("sleep 1000", name="r2"), 1, epoch=1)[0]
    assert second.endpoint.port != first.endpoint.port


def test_a_stopped_environment_shows_as_exited_and_comes_back(target, revise, supervisor):
    target.ensure_instances(revise(), 2, epoch=1)
    before = ready(target)
    own = {unit for unit in supervisor.observe() if unit.startswith(target.unit_prefix)}
    assert len(own) == 2
    supervisor.stop_all(own)
    assert {one.state for one in target.observe_instances("r1")} == {"exited"}
    supervisor.resume_all(own)
    assert [one.endpoint for one in ready(target)] == [one.endpoint for one in before]


def test_an_instance_whose_start_was_cut_off_is_completed(open_target, revise, supervisor):
    class CutOff:
        def ensure_unit(self, unit):
            raise KeyboardInterrupt

        observe = supervisor.observe

    cut = open_target()
    cut._supervisor = CutOff()
    with pytest.raises(KeyboardInterrupt):
        cut.ensure_instances(revise(), 1, epoch=1)
    target = open_target()
    (planned,) = target.observe_instances("r1")
    assert planned.state == "exited"
    target.ensure_instances(revise(), 1, epoch=1)
    assert ready(target)[0].endpoint == planned.endpoint


def test_records_are_for_the_owner_only(target, revise, tmp_path):
    target.ensure_instances(revise("sleep 1000", variables=(("TOKEN", "secret"),)), 1, epoch=1)
    files = [path for path in Path(tmp_path / "targets").iterdir() if path.suffix == ".json"]
    assert files
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files)
    assert all("secret" not in path.read_text() for path in files)


def test_without_a_path_a_connection_that_nobody_answers_is_not_readiness(target, revise, tmp_path, monkeypatch):
    monkeypatch.setattr(readiness, "_FIRST_PAGE", 0.5)
    script = tmp_path / "deaf.py"
    script.write_text(
        "import socket, sys, time\ns = socket.create_server(('127.0.0.1', int(sys.argv[1])))\ntime.sleep(60)\n"
    )
    revision = revise(command=f"{sys.executable} -S {script} {{port}}", health=Health())
    target.ensure_instances(revision, 1, epoch=1)
    wait_until(lambda: "not been answered yet" in target.observe_instances(revision.id)[0].detail)
    assert target.observe_instances(revision.id)[0].state == "starting"
    wait_until(lambda: "was not answered" in target.observe_instances(revision.id)[0].detail)
    assert target.observe_instances(revision.id)[0].state != "ready"
