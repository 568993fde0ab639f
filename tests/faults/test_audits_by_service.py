"""Audits of dependencies by the real programs, with a list of known vulnerabilities on loopback and without one."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))

from scanner_place import advisories, install, make_place, not_run, scan

from fairway.engine.pipeline import Refused

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
    return make_place(tmp_path, monkeypatch)


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
