"""The check of a service against its own OpenAPI description, by schemathesis in a process of its own."""

import json
import os
import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from fairway.adapters.checks.asking import Asker
from fairway.domain.validation.exchange import Exchange
from fairway.domain.validation.findings import Finding, errored, failed, passed
from fairway.domain.validation.probes import ContractCheck
from fairway.domain.validation.status import describe_status

#: Findings of one check: each kind of failure is one, however many requests showed it.
_MOST = 20
_CURL = re.compile(r"^\s*(curl .*)$", re.MULTILINE)


def ask_contract(check: ContractCheck, asker: Asker) -> tuple[Finding, ...]:
    """Generates requests, sends them, and reads what schemathesis found."""
    if find_spec("schemathesis") is None:
        raise ModuleNotFoundError(name="schemathesis")
    subject = f"contract {check.schema}"
    arguments = _arguments(check, asker)
    if any(value in argument for _, value in asker.hidden for argument in arguments):
        came = "its address holds a secret, which the list of processes would show"
        return (errored("secret-exposed", subject, "a secret in headers only", came),)
    answer = asker.get(check.schema, check.headers)
    if not isinstance(answer, Exchange):
        return (answer.finding(subject, "an OpenAPI description"),)
    if not 200 <= answer.status < 300:
        return (errored("contract-schema", subject, "an OpenAPI description", describe_status(answer)),)
    with tempfile.TemporaryDirectory(prefix="fairway-contract-") as folder:
        place = Path(folder)
        headers = _write_settings(check, asker, place)
        try:
            done = _run(arguments, headers, place, check.limit)
        except subprocess.TimeoutExpired:
            expected = f"an end within {check.limit:g} s"
            return (errored("timeout", subject, expected, "schemathesis was stopped"),)
        return _read(check, place, done)


def _write_settings(check: ContractCheck, asker: Asker, place: Path) -> dict[str, str]:
    """The headers in a file, and the variables that hold their values."""
    headers = (*asker.pairs(asker.place.settings.headers), *asker.pairs(check.headers))
    # By its environment and not by its arguments, which everybody on the machine can read.
    secret = {f"FAIRWAY_HEADER_{number}": value for number, (_, value) in enumerate(headers)}
    lines = [f'{json.dumps(name)} = "${{FAIRWAY_HEADER_{number}}}"' for number, (name, _) in enumerate(headers)]
    (place / "schemathesis.toml").write_text("[headers]\n" + "\n".join(lines) + "\n")
    return secret


def _arguments(check: ContractCheck, asker: Asker) -> list[str]:
    arguments = [sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run"]
    arguments += [asker.url(check.schema), "--url", asker.base, "--no-color", "--seed", str(check.seed)]
    arguments += ["--max-examples", str(check.examples), "--request-timeout", f"{asker.timeout:g}"]
    arguments += ["--generation-database", "none", "--phases", "examples,coverage,fuzzing"]
    arguments += ["--report", "json,junit", "--report-json-path", "r.json", "--report-junit-path", "r.xml"]
    arguments += ["--checks", ",".join(check.checks)] if check.checks else []
    for path in check.exclude:
        arguments += ["--exclude-path-regex", f"^{re.escape(path)}"]
    if asker.place.settings.ca:
        arguments += ["--tls-verify", asker.place.settings.ca]
    return arguments


def _run(
    arguments: list[str], headers: dict[str, str], place: Path, limit: float
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        arguments,
        cwd=place,
        env={**os.environ, **headers, "HYPOTHESIS_STORAGE_DIRECTORY": str(place / "hypothesis")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=limit,
        check=False,
    )


def _read(check: ContractCheck, place: Path, done: "subprocess.CompletedProcess[str]") -> tuple[Finding, ...]:
    subject, expected = f"contract {check.schema}", "answers as described, to whatever is sent"
    try:
        return _judge(check, json.loads((place / "r.json").read_text()), place, done)
    except (OSError, ValueError, RecursionError, LookupError, TypeError, AttributeError):
        # There is no report, or one of a form that this version of schemathesis should not write.
        return (errored("contract-schema", subject, expected, _last(done)),)


def _judge(
    check: ContractCheck, report: dict[str, Any], place: Path, done: "subprocess.CompletedProcess[str]"
) -> tuple[Finding, ...]:
    subject, expected = f"contract {check.schema}", "answers as described, to whatever is sent"
    failures = report["failures"]
    if not failures and (report["errors"] or not report["complete"] or done.returncode not in (0, 1)):
        return (errored("contract-schema", subject, expected, _last(done)),)
    count = f"{report['test_cases']['generated']} requests to {report['operations']['tested']} operations"
    if not failures:
        if not report["operations"]["tested"]:
            return (errored("contract-schema", subject, expected, "no operation was tested"),)
        return (passed(subject, expected, count),)
    shown = _examples(place / "r.xml")
    return tuple(_failure(one, expected, shown) for one in failures[:_MOST])


def _failure(failure: dict[str, Any], expected: str, shown: dict[str, str]) -> Finding:
    operations = failure["operations"]
    more = f" and {len(operations) - 1} more" if len(operations) > 1 else ""
    example = next((shown[name] for name in operations if name in shown), "")
    came = f"{failure['title']} ({failure['severity']}), {failure['count']} times"
    return failed("contract", f"{operations[0]}{more}", expected, f"{came}; {example}" if example else came)


def _examples(path: Path) -> dict[str, str]:
    """A request that shows a failure, by operation."""
    try:
        root = ElementTree.parse(path).getroot()  # noqa: S314 -- schemathesis has just written it  # nosec B314
    except (OSError, ElementTree.ParseError):
        return {}
    found = {}
    for case in root.iter("testcase"):
        text = "\n".join("\n".join((str(part.get("message") or ""), *part.itertext())) for part in case)
        if command := _CURL.search(text):
            found[str(case.get("name"))] = command[1].strip()[:300]
    return found


def _last(done: "subprocess.CompletedProcess[str]") -> str:
    """What schemathesis said of itself."""
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    words = [
        line
        for line in lines
        if not line.startswith(("=", "_", "━", "Schemathesis v", "Tip:", "Reports:", "-", "Seed"))
    ]
    return " ".join(words)[:300] or f"schemathesis ended with status {done.returncode}"
