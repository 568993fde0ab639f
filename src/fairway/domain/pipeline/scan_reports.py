"""Reports of scanners in their own formats, read as the same findings as SARIF.

What cannot be read raises. What can be read and says that something was not looked at is a report with a gap: what it
found counts, and that it found nothing does not.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fairway.domain.pipeline.findings import Finding, Form, Level, read_sarif


@dataclass(frozen=True, slots=True)
class Report:
    """What a scanner wrote.

    Attributes:
        gap: what it did not look at, in one clause; empty if it looked at everything.
    """

    findings: tuple[Finding, ...]
    gap: str = ""


def read_report(form: Form, text: str) -> Report:
    """A report.

    Args:
        form: whose it is.
        text: all of it.

    Raises:
        ValueError: it is none, or one of a scan that was not completed.
    """
    if form in _TROUBLES:
        return Report(read_sarif(text), _listed(list(_troubles(json.loads(text), _TROUBLES[form]))))
    if form == "ruff":
        return _ruff(text)
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the report is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise ValueError("the report is no object")  # noqa: TRY004 -- one kind for whatever is wrong with a report
    try:
        return _READERS[form](body)
    except (LookupError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"the report is none of {form}: {type(error).__name__} {error}") from error


#: Levels of what a scanner says went wrong at which it did not look at everything, by the form of its report. A file
#: that semgrep cannot parse is a warning to it, and leaves its status as it is.
_TROUBLES: Mapping[Form, frozenset[str]] = {"sarif": frozenset({"error"}), "semgrep": frozenset({"error", "warning"})}


def _troubles(body: Mapping[str, Any], levels: frozenset[str]) -> Iterator[str]:
    """What the runs of a report say went wrong."""
    for run in body["runs"]:
        for invocation in run.get("invocations", ()):
            said_of_it = invocation.get("toolExecutionNotifications")
            for one in said_of_it if isinstance(said_of_it, list) else ():
                # By the standard what says no level is a warning.
                if isinstance(one, dict) and str(one.get("level", "warning")) in levels:
                    message = one.get("message")
                    said = message.get("text") if isinstance(message, dict) else None
                    yield f"it says: {_words(said or one.get('descriptor') or 'something went wrong')[:200]}"


#: What bandit, whose rules these are, holds for severe and for slight; ruff calls everything an error.
_SEVERE = frozenset(["S201", "S202", "S324", "S501", "S502", "S507", "S602", "S605", "S609", "S701"])
_SLIGHT = frozenset(["S101", "S105", "S106", "S107", "S110", "S112", "S311", "S403", "S404", "S603", "S606", "S607"])


def _ruff(text: str) -> Report:
    found, broken = [], []
    for one in read_sarif(text):
        if not one.rule or one.rule == "invalid-syntax":
            broken.append(one.path)
            continue
        level: Level = "error" if one.rule in _SEVERE else "note" if one.rule in _SLIGHT else "warning"
        found.append(Finding(one.rule, level, one.message, one.path, one.line))
    return Report(tuple(found), f"{_listed(broken)} cannot be parsed" if broken else "")


_BANDIT: Mapping[str, Level] = {"HIGH": "error", "MEDIUM": "warning", "LOW": "note"}


def _bandit(body: Mapping[str, Any]) -> Report:
    findings = tuple(
        Finding(
            str(one["test_id"]),
            _BANDIT.get(str(one["issue_severity"]), "error"),
            _words(one["issue_text"]),
            str(one["filename"]).removeprefix("./"),
            int(one["line_number"]),
        )
        for one in body["results"]
    )
    errors = [f"{str(one['filename']).removeprefix('./')} ({one['reason']})" for one in body["errors"]]
    if errors:
        return Report(findings, f"it could not look at {_listed(errors)}")
    return Report(findings, "" if body["metrics"]["_totals"]["loc"] else "there was no Python to look at")


def _pip_audit(body: Mapping[str, Any]) -> Report:
    packages = body["dependencies"]
    findings = tuple(finding for one in packages for finding in _pip_findings(one))
    skipped = [f"{one['name']} ({_words(one['skip_reason'])})" for one in packages if "skip_reason" in one]
    if skipped:
        return Report(findings, f"nothing is known of {_listed(skipped)}")
    return Report(findings, "" if packages else "there was no package to look at")


def _pip_findings(package: Mapping[str, Any]) -> Iterator[Finding]:
    for flaw in package.get("vulns", ()):
        fixed = ", ".join(flaw.get("fix_versions") or ()) or "no version yet"
        words = (
            f"{package['name']} {package['version']}: {_words(flaw.get('description', ''))[:300]} (mended in {fixed})"
        )
        # The service says nothing of how bad it is; what is known and not mended is taken as bad.
        yield Finding(str(flaw["id"]), "error", words, str(package["name"]), aliases=tuple(flaw.get("aliases") or ()))


_NPM: Mapping[str, Level] = {
    "critical": "error",
    "high": "error",
    "moderate": "warning",
    "low": "note",
    "info": "note",
}


def _npm_audit(body: Mapping[str, Any]) -> Report:
    if "vulnerabilities" not in body:
        error: Any = body.get("error") or {}
        said = body.get("message") or error.get("summary") or error.get("code") or "it gives no list"
        raise ValueError(f"npm says: {_words(said)}")
    found: dict[tuple[str, str], Finding] = {}
    for package in body["vulnerabilities"].values():
        for flaw in package["via"]:
            # A name stands for another entry of the list.
            if isinstance(flaw, dict):
                rule = str(flaw.get("url", "")).rpartition("/")[2] or str(flaw["source"])
                words = f"{flaw['name']} {flaw.get('range', '')}: {_words(flaw['title'])}"
                level = _NPM.get(str(flaw["severity"]), "error")
                found[rule, flaw["name"]] = Finding(
                    rule, level, words, str(flaw["name"]), aliases=(str(flaw["source"]),)
                )
    return Report(tuple(found.values()))


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Report]] = {
    "bandit": _bandit,
    "pip-audit": _pip_audit,
    "npm-audit": _npm_audit,
}


def _listed(words: list[str]) -> str:
    shown = ", ".join(words[:3])
    return shown if len(words) <= 3 else f"{shown} and {len(words) - 3} more"


def _words(text: object) -> str:
    return " ".join(str(text).split())
