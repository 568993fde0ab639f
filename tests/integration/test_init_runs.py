"""What `fairway init` writes is started for real, on a port of our choosing, and has to answer there."""

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairway.adapters.machine import LocalFolder, LocalMachine
from fairway.adapters.routers.envoy.binary import find_envoy
from fairway.config import load
from fairway.domain.rollout.spec import ServiceSpec
from fairway.usecases.init import inspect, write_configuration

STANDARD_LIBRARY = """
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"from python" if self.path == "/health/ready" else b"?"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""
NODE = """
const http = require("http");
http.createServer((request, response) => response.end(request.url === "/healthz" ? "from node" : "?"))
  .listen(process.env.PORT);
"""
ASGI = """
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"from asgi"})
"""


def initialise(folder: Path, files: dict[str, str]) -> ServiceSpec:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    repository = LocalFolder(folder)
    write_configuration(repository, inspect(repository), LocalMachine(find_envoy))
    return load(folder / "fairway.yaml")


@contextlib.contextmanager
def started(spec: ServiceSpec, port: int) -> Iterator[subprocess.Popen]:
    """One instance, as the target starts it: its own process group, little environment, no shell."""
    command = spec.environments[0].run.command
    words = [word.replace("{port}", str(port)).replace("{host}", "127.0.0.1") for word in shlex.split(command)]
    variables = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    variables |= {"PORT": str(port), "HOST": "127.0.0.1"}
    with subprocess.Popen(
        words,
        cwd=spec.folder,
        env=variables,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def answer(spec: ServiceSpec) -> str:
    """What the service says at its health path, or at `/` without one."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}{spec.environments[0].run.health.ready or '/'}"
    deadline = time.monotonic() + 60
    with started(spec, port) as process:
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as response:
                return response.read().decode()
            time.sleep(0.05)
        return f"no answer; the process ended with {process.poll()}"


def test_pages_are_served(tmp_path):
    assert answer(initialise(tmp_path, {"index.html": "from a page"})) == "from a page"


def test_pages_of_a_folder_are_served(tmp_path):
    assert answer(initialise(tmp_path, {"public/index.html": "from a folder"})) == "from a folder"


def test_a_node_server_answers(tmp_path):
    files = {"package.json": '{"name": "shop", "scripts": {"start": "node server.js"}}', "server.js": NODE}
    assert answer(initialise(tmp_path, files)) == "from node"


def test_a_node_server_behind_npm_answers(tmp_path):
    files = {"package.json": '{"name": "shop", "scripts": {"start": "true && node server.js"}}', "server.js": NODE}
    spec = initialise(tmp_path, files)
    assert spec.environments[0].run.command == "npm start"
    assert answer(spec) == "from node"


def test_a_script_of_the_standard_library_answers(tmp_path):
    assert answer(initialise(tmp_path, {"serve.py": STANDARD_LIBRARY})) == "from python"


def test_an_asgi_application_answers_from_its_virtual_environment(tmp_path):
    # The environment of the tests stands in for the one that the build would make.
    spec = initialise(tmp_path, {"src/shop/app.py": ASGI, "requirements.txt": "uvicorn\n"})
    (tmp_path / ".venv").symlink_to(sys.prefix)
    assert answer(spec) == "from asgi"


@pytest.mark.parametrize(
    "line",
    ["python3 serve.py", "export A=1; exec python3 serve.py", 'env HOST=127.0.0.1 PORT="$PORT" python3 serve.py'],
)
def test_the_web_line_of_a_procfile_answers(tmp_path, line):
    assert answer(initialise(tmp_path, {"Procfile": f"web: {line}\n", "serve.py": STANDARD_LIBRARY})) == "from python"


def test_what_init_writes_says_which_ports_it_chose_and_they_are_free(tmp_path):
    spec = initialise(tmp_path, {"index.html": ""})
    for environment in spec.environments:
        host, _, port = environment.router.get("listen").rpartition(":")
        assert LocalMachine(find_envoy).observe_address(host, int(port)).free
