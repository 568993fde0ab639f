"""A secret of each kind through every command that takes one: it is where it is needed, and nowhere else."""

import base64
import json
import os
import subprocess
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
from services import APPLICATION, ENVIRONMENT, ask, configure
from test_secrets_stay_secret import watched_processes
from workshop import FAIRWAY, Answer, Workshop, free_port

from packages import make_wheel
from registries import pypi_server

pytestmark = pytest.mark.timeout(300)

SECRETS = {
    "BUILD_TOKEN": "build-8sKq2 with blank",
    "UPLOAD_TOKEN": "upload/4Vbn",
    "PYPI_TOKEN": "secret-of-pypi",
    "FAIRWAY_KEY_PASSPHRASE": "passphrase of seven words 9Lm",
    "HOOK_URL": "http://127.0.0.1:9/hook-5Rt",
    "HOOK_SECRET": "whsec_" + base64.b64encode(b"a secret of a webhook 3Wq").decode(),
    "PROM_TOKEN": "Bearer prom-6Yui",
    "API_KEY": "api+key-7Plo",
    "BENCH_TOKEN": "bench-1Zxc",
}
HEAD = """\
notify: [{{kind: webhook, url_variable: HOOK_URL, secret_variable: HOOK_SECRET}}]
validation: {{checks: {{key: {{kind: http, path: /, headers: {{X-Key: "{{{{API_KEY}}}}"}}}}}}}}
bench:
  headers: {{X-Token: "${{BENCH_TOKEN}}", X-Key: "${{API_KEY}}"}}
  rate: 20
  duration: 200ms
  warmup: 0s
  rounds: 1
release:
  key: release
  patience: 1s
  build:
    packages:
      run: sh -c 'echo "I was told $BUILD_TOKEN"; mkdir dist; cp fixed/* dist/'
      secrets: [BUILD_TOKEN]
      outputs: dist/*
  publish:
    pypi: {{kind: pypi, url: "{pypi}", user: release, password_variable: PYPI_TOKEN, files: dist/*}}
    other:
      kind: command
      files: dist/*
      secrets: [UPLOAD_TOKEN]
      check: sh -c 'test -e {there} && sha256sum {{file}}'
      publish: sh -c 'echo "sent with $UPLOAD_TOKEN"; test -e {open} && touch {there}'
"""
MORE = """\
    secrets: {API_KEY: {variable: API_KEY}}
    gates: {signed: {keys: [release]}}
    stages: {verify: {run: [echo verified]}}
"""
#: An instance that tells its environment, and what it was sent, to whoever asks.
TELL = "body = __import__('json').dumps([dict(__import__('os').environ), str(scope['headers'])]).encode()"


class Place:
    """A repository with all of it, and everything that was said in it."""

    def __init__(self, shop: Workshop, pypi: str) -> None:
        self.shop, self.port, self.said = shop, free_port(), dict[str, str]()
        self.open = shop.folder.parent / "open"
        production = ENVIRONMENT.format(
            name="production",
            port=self.port,
            instances=1,
            strategy="{kind: rolling, bake: 0s}",
            analysis="{metrics: {source: {kind: prometheus, url: 'http://127.0.0.1:9', authorization_variable: "
            "PROM_TOKEN}, gauges: {depth: {query: depth}}}, rules: {deep: 'depth > 1.0'}}",
            observe="0s",
            more=MORE,
        )
        head = HEAD.format(pypi=pypi, there=shop.folder.parent / "there", open=self.open)
        (shop.folder / "fixed").mkdir()
        make_wheel(shop.folder / "fixed", "corner", "1.0.0")
        (shop.folder / "corner.py").write_text(APPLICATION.format(version="1.0.0", body=TELL))
        (shop.folder / "fairway.yaml").write_text(configure(production, head=head))

    def ask(self, *words: str, status: int = 0) -> Answer:
        """A command of a process of its own, with every secret in its environment."""
        done = subprocess.run(
            [FAIRWAY, *words],
            cwd=self.shop.folder,
            env=os.environ | SECRETS,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        answer = Answer(done.returncode, done.stdout, done.stderr)
        self.said[" ".join(words)] = answer.out + answer.err
        assert answer.status == status, (words, answer)
        return answer

    def commit(self) -> None:
        self.shop.git("add", ".")
        self.shop.git("commit", "--quiet", "--message", "feat: all of it")


@pytest.fixture
def place(shop: Workshop, tmp_path: Path) -> Iterator[Place]:
    with pypi_server(tmp_path / "pypi") as server:
        yield Place(shop, server.url)


def shapes(secret: str) -> set[bytes]:
    """Plain, in a URL, and as it is sent by those who sign in with it."""
    plain = {secret, urllib.parse.quote(secret), urllib.parse.quote(secret, safe=""), urllib.parse.quote_plus(secret)}
    encoded = {base64.b64encode(f"{user}{secret}".encode())[:-4] for user in ("", "release:")}
    return {text.encode() for text in plain} | encoded


def test_secrets_are_found_in_no_output_log_plan_journal_unit_or_list_of_processes(place: Place) -> None:
    lines: set[bytes] = set()
    with watched_processes(lines):
        place.ask("keys", "create", "release", "--json")
        place.commit()
        place.ask("check")
        place.ask("release", "1.0.0", "--dry-run", "--json")
        # The command that publishes says its secret and fails: what it said is in the reason.
        place.ask("release", "1.0.0", status=3)
        place.open.touch()
        run = json.loads(place.ask("release", "resume", "--json").out)["release"]
        place.ask("release", "status", run, "--json")
        log = place.ask("release", "logs", run, "packages")
        place.ask("verify", "1.0.0", "--json")
        place.ask("plan", "1.0.0", "--env", "production", "--json")
        place.ask("deploy", "1.0.0", "--env", "production", "--timeout", "90s", "--json")
        place.ask("validate", "--env", "production", "--json")
        place.ask("bench", "run", "--env", "production", "--name", "one", "--json")
        place.ask("bench", "list", "--json")
        place.ask("bench", "report", "--output", str(place.shop.folder / "bench.html"))
        for words in (("status",), ("status", "--evidence"), ("history", "--env", "production"), ("doctor",)):
            place.ask(*words, "--json")
        place.ask("logs", "--env", "production")
        environment, _ = json.loads(ask(place.port).text)
    assert "I was told ***" in log.out, "it was there to be hidden"
    assert any(FAIRWAY.encode() in line or b"fairway" in line for line in lines), "processes were watched"
    units = place.shop.folder / ".fairway/supervisor/units/controller.json"
    assert units.stat().st_mode & 0o777 == 0o600
    held = {name for name, secret in SECRETS.items() if any(shape in units.read_bytes() for shape in shapes(secret))}
    assert held == {"HOOK_URL", "HOOK_SECRET", "PROM_TOKEN", "API_KEY"}, "what the controller itself has to use"
    for name, secret in SECRETS.items():
        assert name not in environment
        for shape in shapes(secret):
            assert shape.decode() not in json.dumps(environment), name
            assert not [words for words, text in place.said.items() if shape in text.encode()], name
            assert not [line for line in lines if shape in line], name
            assert not [path for path in files(place.shop.folder, units) if shape in path.read_bytes()], name


def files(folder: Path, units: Path) -> list[Path]:
    """Everything in the repository, its history and the state folder, but the one file that may hold secrets."""
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink() and path != units]


def test_nobody_else_may_read_what_the_controller_was_given(place: Place) -> None:
    """Of the kernel's own books too: only the account itself, and root, may look at a process's environment."""
    place.ask("keys", "create", "release")
    place.commit()
    place.open.touch()
    place.ask("release", "1.0.0")
    place.ask("deploy", "1.0.0", "--env", "production", "--timeout", "90s")
    controller = place.shop.units()["controller"]
    for path in (Path(f"/proc/{controller}/environ"), place.shop.folder / ".fairway/supervisor/units/controller.json"):
        assert path.stat().st_mode & 0o077 == 0, path
    done = subprocess.run(["ps", "-p", str(controller), "-o", "args="], capture_output=True, text=True, check=False)
    assert not [name for name, secret in SECRETS.items() if secret in done.stdout]
