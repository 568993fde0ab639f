"""Releases by the command line, with real processes, real registries and a real remote repository."""

import json
import os
import signal
import subprocess
import threading
import time
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from workshop import FAIRWAY, READY

from packages import make_npm, make_sdist, make_wheel
from registries import npm_server, pypi_server

CONFIGURATION = """\
service: shop
release:
  push: origin
  patience: 120s
  build:
    packages:
      run: sh -c 'mkdir dist && cp fixed/* dist/'
      outputs: dist/*
  test:
    unit: {{run: sh -c 'test -e dist/shop-1.0.0.tar.gz'}}
  publish:
    pypi:
      kind: pypi
      url: {pypi}
      user: release
      password_variable: PYPI_TOKEN
      files: [dist/*.whl, dist/shop-*.tar.gz]
    npm:
      kind: npm
      url: {npm}
      token_variable: NPM_TOKEN
      files: dist/*.tgz
"""


class Project:
    """A repository with a remote one."""

    def __init__(self, folder: Path, text: str, variables: dict[str, str]) -> None:
        self.folder = folder / "shop"
        self.remote = folder / "remote.git"
        self.variables = {**os.environ, **variables}
        self.started: list[subprocess.Popen[str]] = []
        subprocess.run(["git", "init", "-q", "--bare", str(self.remote)], check=True)
        self.folder.mkdir()
        self.git("init", "-q", "-b", "main")
        self.git("remote", "add", "origin", str(self.remote))
        (self.folder / ".gitignore").write_text(".fairway/\n")
        self.commit({"fairway.yaml": text})

    def git(self, *words: str) -> str:
        identity = ("-c", "user.name=test", "-c", "user.email=test@localhost")
        done = subprocess.run(["git", *identity, *words], cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(text)
        self.git("add", ".")
        self.git("commit", "-q", "-m", "feat: a change")

    def run(self, *words: str, seconds: float = 180) -> subprocess.CompletedProcess[str]:
        return READY.run([*words], folder=self.folder, variables=self.variables, timeout=seconds)

    def begin(self, *words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [FAIRWAY, *words],
            cwd=self.folder,
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def close(self) -> None:
        for process in self.started:
            process.kill()
            process.communicate(timeout=60)


class Front(ThreadingHTTPServer):
    """Passes requests on to a registry; `after` is called with each upload that arrived, before it is answered."""

    daemon_threads = True

    def __init__(self, registry: str) -> None:
        self.registry = registry
        self.uploads: list[int] = []
        self.before = self.after = lambda: None
        super().__init__(("127.0.0.1", 0), Passing)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/"

    def ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes, str]:
        """Status, content and its type, as the registry answers."""
        request = urllib.request.Request(self.registry + path[1:], body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read(), answer.headers.get("content-type", "")
        except urllib.error.HTTPError as error:
            return error.code, error.read(), error.headers.get("content-type", "")


class Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Front

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0))) or None
        is_upload = self.command != "GET"
        if is_upload:
            self.server.before()
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        status, content, kind = self.server.ask(self.command, self.path, body, headers)
        if is_upload:
            self.server.uploads.append(status)
            self.server.after()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PUT = do_GET  # noqa: N815

    def log_message(self, *arguments):
        pass

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True


@contextmanager
def front(registry: str):
    """A running front of a registry."""
    server = Front(registry)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def world(tmp_path):
    with (
        pypi_server(tmp_path / "pypi") as pypi,
        npm_server(tmp_path / "npm") as npm,
        front(pypi.url) as first,
        front(npm.url) as second,
    ):
        text = CONFIGURATION.format(pypi=first.url, npm=second.url)
        project = Project(tmp_path, text, {"PYPI_TOKEN": "secret-of-pypi", "NPM_TOKEN": npm.token})
        fixed = project.folder / "fixed"
        fixed.mkdir()
        for make in (make_wheel, make_sdist, make_npm):
            make(fixed, "shop", "1.0.0")
        project.commit({})
        project.fronts = (first, second)
        project.packages = pypi.folder / "packages"
        project.npm_url = npm.url
        yield project
        project.close()


def _published(project):
    python = sorted(path.name for path in project.packages.iterdir())
    try:
        with urllib.request.urlopen(f"{project.npm_url}shop", timeout=60) as answer:
            versions = sorted(json.loads(answer.read())["versions"])
    except urllib.error.HTTPError:
        versions = []
    return python, versions


def test_a_release_killed_after_any_single_side_effect_converges_when_it_is_resumed(world):
    # Given a command that dies, as by kill -9, the moment each of its side effects in turn has happened: the push
    # of the tag, two uploads to one registry, one to another. The answer never reaches it.
    project, (pypi, npm) = world, world.fronts
    hook = project.remote / "hooks/post-receive"
    process = None

    def kill():
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
        return True

    hook.write_text("#!/bin/sh\necho pushed >> pushes\nwhile [ ! -e killed ]; do sleep 0.02; done\n")
    hook.chmod(0o755)
    process = project.begin("release", "1.0.0", "--json")
    await_true((project.remote / "pushes").exists)
    kill()
    (project.remote / "killed").touch()
    for registry, uploads in ((pypi, 1), (pypi, 2), (npm, 1)):
        registry.after = lambda registry=registry, uploads=uploads: len(registry.uploads) == uploads and kill()
        process = project.begin("release", "resume", "--json")
        _, error = process.communicate(timeout=180)
        assert process.returncode == -signal.SIGKILL, error
        registry.after = lambda: None

    # When it is resumed for the last time
    done = project.run("release", "resume", "--json")

    # Then everything is there once, and nothing was ever sent twice.
    assert done.returncode == 0, done.stderr
    release = json.loads(done.stdout)
    assert release["phase"] == "completed"
    assert _published(project) == (["shop-1.0.0-py3-none-any.whl", "shop-1.0.0.tar.gz"], ["1.0.0"])
    assert (len(pypi.uploads), len(npm.uploads)) == (2, 1)
    assert (project.remote / "pushes").read_text() == "pushed\n"
    assert project.git("ls-remote", "origin", "refs/tags/v1.0.0^{}").split()[0] == project.git("rev-parse", "HEAD")
    outcomes = {task["task"]: task["detail"] for task in release["tasks"]}
    assert outcomes["pypi"] == "2 there already"
    assert outcomes["npm"] == "1 there already"
    assert "there already" in outcomes["tag"]
    # And what had been built was built once.
    assert [task["tries"] for task in release["tasks"] if task["task"] == "packages"] == [1]


def await_true(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.01)
