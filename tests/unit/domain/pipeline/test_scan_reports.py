"""Reports as scanners wrote them, shortened: findings, gaps, and what is no report."""

import json

import pytest

from fairway.domain.pipeline.findings import Waiver
from fairway.domain.pipeline.scan_reports import read_report

PIP_AUDIT = {
    "dependencies": [
        {"name": "attrs", "version": "25.4.0", "vulns": []},
        {
            "name": "idna",
            "version": "3.4",
            "vulns": [
                {
                    "id": "PYSEC-2024-60",
                    "fix_versions": ["3.7"],
                    "aliases": ["GHSA-jjg7-2v4v-x38h", "CVE-2024-3651"],
                    "description": "takes too long\nfor some names",
                }
            ],
        },
    ],
    "fixes": [],
}
SKIPPED = {"name": "jinja2", "skip_reason": "Dependency not found on PyPI and could not be audited: jinja2 (3.0.0)"}
NPM_AUDIT = {
    "auditReportVersion": 2,
    "vulnerabilities": {
        "lodash": {
            "name": "lodash",
            "severity": "high",
            "via": [
                {
                    "source": 1106900,
                    "name": "lodash",
                    "title": "Command Injection in lodash",
                    "url": "https://github.com/advisories/GHSA-35jh-r3h4-6jhm",
                    "severity": "high",
                    "range": "<4.17.21",
                }
            ],
        },
        "shop-tools": {"name": "shop-tools", "severity": "moderate", "via": ["lodash"]},
    },
    "metadata": {"dependencies": {"total": 2}},
}
BANDIT = {
    "errors": [],
    "metrics": {"_totals": {"loc": 12}},
    "results": [
        {
            "filename": "./src/app.py",
            "issue_severity": severity,
            "issue_text": "words",
            "line_number": 3,
            "test_id": f"B60{number}",
        }
        for number, severity in enumerate(("HIGH", "MEDIUM", "LOW", "NEW"))
    ],
}


def read(form, body):
    return read_report(form, json.dumps(body))


def test_a_vulnerability_of_pip_audit_has_all_of_its_names_and_says_what_mends_it():
    report = read("pip-audit", PIP_AUDIT)
    (found,) = report.findings
    assert (found.rule, found.level, found.place) == ("PYSEC-2024-60", "error", "idna")
    assert found.message == "idna 3.4: takes too long for some names (mended in 3.7)"
    assert report.gap == ""
    for name in ("PYSEC-2024-60", "CVE-2024-3651"):
        assert Waiver(name, "2027-01-31", "not reached").covers(found, "2027-01-31")
    assert not Waiver("CVE-1", "2027-01-31", "not reached").covers(found, "2027-01-31")


def test_packages_of_which_nothing_is_known_are_a_gap_beside_what_was_found():
    report = read("pip-audit", {"dependencies": [*PIP_AUDIT["dependencies"], SKIPPED], "fixes": []})
    assert len(report.findings) == 1
    assert report.gap.startswith("nothing is known of jinja2 (Dependency not found on PyPI")
    assert read("pip-audit", {"dependencies": [], "fixes": []}).gap == "there was no package to look at"


def test_an_advisory_of_npm_counts_once_however_many_packages_it_reaches():
    report = read("npm-audit", NPM_AUDIT)
    (found,) = report.findings
    assert (found.rule, found.level, found.path) == ("GHSA-35jh-r3h4-6jhm", "error", "lodash")
    assert found.message == "lodash <4.17.21: Command Injection in lodash"
    assert read("npm-audit", {**NPM_AUDIT, "vulnerabilities": {}}).findings == ()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"code": "ENOLOCK", "summary": "This command requires an existing lockfile."}}, "existing lockfile"),
        ({"message": "405 Method Not Allowed", "error": {"summary": "", "detail": ""}}, "405 Method Not Allowed"),
        ({}, "it gives no list"),
    ],
)
def test_what_npm_could_not_do_is_no_report(body, said):
    with pytest.raises(ValueError, match=said):
        read("npm-audit", body)


def test_bandit_is_weighed_by_its_severities_and_an_unknown_one_is_bad():
    levels = [one.level for one in read("bandit", BANDIT).findings]
    assert levels == ["error", "warning", "note", "error"]
    assert read("bandit", BANDIT).findings[0].place == "src/app.py:3"


def test_a_file_that_bandit_could_not_parse_is_a_gap():
    errors = [{"filename": f"./src/{name}.py", "reason": "syntax error"} for name in "abcde"]
    gap = read("bandit", {**BANDIT, "errors": errors}).gap
    assert (
        gap
        == "it could not look at src/a.py (syntax error), src/b.py (syntax error), src/c.py (syntax error) and 2 more"
    )
    assert read("bandit", {"errors": [], "results": [], "metrics": {"_totals": {"loc": 0}}}).gap


@pytest.mark.parametrize("form", ["bandit", "pip-audit", "npm-audit", "ruff", "sarif"])
@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"results": 3}', '{"dependencies": [3]}', '{"vulnerabilities": {"a": 1}}']
)
def test_what_is_no_report_is_never_an_empty_one(form, text):
    with pytest.raises(ValueError, match=r"."):
        read_report(form, text)


def sarif(level, **more):
    notification = {"descriptor": {"id": "Syntax error"}, "message": {"text": "Syntax error at line src/app.py:1"}}
    notification |= {} if level is None else {"level": level}
    invocation = {"executionSuccessful": True, "toolExecutionNotifications": [notification, "no object"], **more}
    run = {"tool": {"driver": {"name": "a scanner"}}, "invocations": [invocation], "results": []}
    return json.dumps({"version": "2.1.0", "runs": [run]})


@pytest.mark.parametrize(
    ("form", "level", "is_whole"),
    [
        ("sarif", "note", True),
        ("sarif", "warning", True),
        ("sarif", "error", False),
        ("semgrep", "note", True),
        ("semgrep", "warning", False),
        ("semgrep", None, False),
    ],
)
def test_what_a_report_says_went_wrong_is_a_gap_at_the_levels_at_which_something_was_left_out(form, level, is_whole):
    found = read_report(form, sarif(level))
    assert found.gap == ("" if is_whole else "it says: Syntax error at line src/app.py:1")
    assert read_report(form, sarif(level, toolExecutionNotifications=None)).gap == ""
