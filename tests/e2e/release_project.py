"""A repository that is released by the command line, and real registries that it publishes to."""

import os
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from workshop import FAIRWAY, READY

from registries import npm_server, pypi_server
from servers import serving


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
    with serving(server):
        yield server


@contextmanager
def publishing(folder: Path, configuration: str, **values: object):
    """A project that publishes to a registry for Python and to one for npm; `fronts` stand before them, in that order.

    In its configuration `{pypi_url}` and `{npm_url}` stand for where they are, and names of `values` for those.
    """
    with (
        pypi_server(folder / "pypi") as pypi,
        npm_server(folder / "npm") as npm,
        front(pypi.url) as first,
        front(npm.url) as second,
    ):
        text = configuration.format(pypi_url=first.url, npm_url=second.url, **values)
        project = Project(folder, text, {"PYPI_TOKEN": "secret-of-pypi", "NPM_TOKEN": npm.token})
        project.fronts, project.npm_url = (first, second), npm.url
        project.packages = pypi.folder / "packages"
        try:
            yield project
        finally:
            project.close()


def await_true(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.01)
