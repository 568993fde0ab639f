"""Checks of applications that are not ours, real releases from the registries, with what is true of each of them."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from workshop import FAIRWAY, free_port

UV = Path(__file__).parents[2] / ".tools" / "bin" / "uv"
DATASETTE, HTTPBIN, JSON_SERVER = "datasette==0.65.5", "httpbin==0.10.4", "json-server@0.17.4"

CONFIG = """\
service: foreign
run: {{command: "not run here {{port}}"}}
environments:
  production: {{router: {{kind: envoy, listen: "127.0.0.1:8000"}}}}
validation:
  secrets: [PASSWORD]
  checks:
{checks}
"""

DATASETTE_CHECKS = """\
    version: {kind: http, path: /-/versions.json, expect: {body: {$.datasette.version: 0.65.5}}}
    tables: {kind: database, url: "sqlite:///{file}"}
    query:
      kind: flow
      requests:
        - {send: GET /library.json, expect: {body: {"$.tables[0].name": books}}, capture: {TABLE: "$.tables[0].name"}}
        - send: GET /library/{{TABLE}}.json?_shape=array
          expect: {body: {$: {length: 2}, "$[*].title": {type: string}}}
    headers: {kind: headers, required: false}
    burst: {kind: burst, path: /library.json, requests: 30}
"""

HTTPBIN_CHECKS = """\
    basic: {kind: auth, path: /basic-auth/ann/open-sesame, user: ann, password: "{{PASSWORD}}"}
    token: {kind: auth, path: /bearer, bearer: "{{PASSWORD}}"}
    packed: {kind: compression, path: /gzip, encodings: [gzip]}
    again: {kind: conditional, path: /etag/one}
    origins: {kind: cors, path: /get}
    time: {kind: response-time, path: /delay/0, max_time: 5s}
    echo: {kind: flow, requests: [{send: POST /anything, body: {a: 1}, expect: {body: {$.json.a: 1}}}]}
    broken: {kind: http, path: /status/503}
"""

JSON_CHECKS = """\
    posts:
      kind: flow
      requests:
        - {send: POST /posts, body: {title: two}, expect: 201, capture: {ID: $.id}}
        - {send: "GET /posts/{{ID}}", expect: {body: {$.title: two}}}
        - {send: "PATCH /posts/{{ID}}", body: {title: three}, expect: {body: {$.title: three}}}
      cleanup: ["DELETE /posts/{{ID}}"]
    left: {kind: http, path: /posts, expect: {body: {$: {length: 1}}}}
    again: {kind: conditional, path: /posts}
    origins: {kind: cors, path: /posts}
    headers: {kind: headers, path: /posts, ignore: [Permissions-Policy]}
"""

Codes = dict[str, set[tuple[str, str]]]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages from PyPI."""
    folder = tmp_path_factory.mktemp("packages")
    wanted = [DATASETTE, HTTPBIN, "setuptools<81"]
    command = [UV, "pip", "install", "--quiet", "--python", sys.executable, "--target", folder, *wanted]
    subprocess.run(command, check=True, timeout=500)
    return folder


@contextmanager
def running(*command: str | Path, folder: Path, **variables: str) -> Iterator[None]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONWARNINGS": "ignore", **variables}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command], cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            yield
        finally:
            # Its whole group: `node` is a script that starts the real one.
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)


@pytest.fixture
def found(tmp_path: Path) -> Callable[[str, int], Codes]:
    """What the checks of an application find, once it answers."""

    def validate(checks: str, port: int) -> Codes:
        (tmp_path / "fairway.yaml").write_text(CONFIG.format(checks=checks))
        variables = {"TIMEOUT_SECS": "60", "PASSWORD": "open-sesame"}
        command = [FAIRWAY, "validate", f"http://127.0.0.1:{port}", "--json"]
        done = subprocess.run(
            command, cwd=tmp_path, env=os.environ | variables, capture_output=True, text=True, timeout=500, check=False
        )
        report: dict[str, Any] = json.loads(done.stdout)
        codes: Codes = {}
        for one in report["findings"]:
            codes.setdefault(one["check"], set()).add((one["outcome"], one["code"]))
        assert "open-sesame" not in done.stdout.replace("/open-sesame", ""), "but for the path of the file itself"
        return codes

    return validate


OK = {("passed", "ok")}


def test_datasette_is_what_it_says_and_lacks_the_headers_that_it_lacks(packages, found, tmp_path):
    library = tmp_path / "library.db"
    with closing(sqlite3.connect(library)) as database:
        database.executescript("CREATE TABLE books (title TEXT); INSERT INTO books VALUES ('a'), ('b')")
    port = free_port()
    command = (sys.executable, "-m", "datasette", "serve", str(library), "--port", str(port))
    with running(*command, folder=tmp_path, PYTHONPATH=str(packages)):
        codes = found(DATASETTE_CHECKS.replace("{file}", str(library)), port)
    for name in ("version", "tables", "query", "burst"):
        assert codes[name] == OK, (name, codes[name])
    assert codes["headers"] == {("warning", "header-missing")}


def test_httpbin_has_every_fault_that_it_is_made_to_show(packages, found, tmp_path):
    port = free_port()
    command = (sys.executable, "-m", "flask", "--app", "httpbin", "run", "--port", str(port))
    with running(*command, folder=tmp_path, PYTHONPATH=str(packages)):
        codes = found(HTTPBIN_CHECKS, port)
    assert codes["basic"] == codes["again"] == codes["time"] == codes["echo"] == OK, codes
    assert codes["token"] == {*OK, ("failed", "auth-open")}, "it takes any bearer token"
    assert codes["packed"] == {("failed", "no-vary")}
    assert codes["origins"] == {("failed", "cors-open")}
    assert codes["broken"] == {("failed", "status-5xx")}


def test_json_server_keeps_what_it_is_sent_and_lets_every_origin_in(found, tmp_path):
    (tmp_path / "db.json").write_text('{"posts": [{"id": 1, "title": "one"}]}')
    install = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", JSON_SERVER]
    subprocess.run(install, cwd=tmp_path, check=True, timeout=500, capture_output=True)
    port = free_port()
    with running("node", "node_modules/json-server/lib/cli/bin.js", "--port", str(port), "db.json", folder=tmp_path):
        codes = found(JSON_CHECKS, port)
    assert codes["posts"] == codes["left"] == codes["again"] == OK, codes
    assert codes["origins"] == {("failed", "cors-open")}
    assert ("failed", "header-telling") in codes["headers"], "it says that it is Express"
