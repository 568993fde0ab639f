"""What a scanner found, read as SARIF 2.1.0, and what of it blocks a release.

A scan has three results: it passed, it has findings, or it could not be run. What cannot be read as a report, or says
itself that it was not completed, is the third, and never the first.
https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from fairway.domain.pipeline.products import matches

Level = Literal["error", "warning", "note"]
#: How a report is written: by the standard, or as a scanner writes it.
Form = Literal["sarif", "ruff", "semgrep", "bandit", "pip-audit", "npm-audit"]
#: From the worst.
LEVELS: tuple[Level, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a scan.

    Attributes:
        path: the file, or the package where a dependency is meant.
        line: 0 where the report names none.
        aliases: other names of the rule, such as those of the same vulnerability in other lists.
        commit: full object name of the commit that added it, where the history was looked at; else empty.
    """

    rule: str
    level: Level
    message: str
    path: str = ""
    line: int = 0
    aliases: tuple[str, ...] = ()
    commit: str = ""

    @property
    def place(self) -> str:
        """Where it is, as people write it."""
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where} in commit {self.commit[:12]}" if self.commit else where


@dataclass(frozen=True, slots=True)
class Waiver:
    """A finding that somebody decided to live with for some time.

    Attributes:
        path: pattern of the files that it is about; None: any.
        until: the last day on which it holds, YYYY-MM-DD, UTC.
    """

    rule: str
    until: str
    reason: str
    path: str | None = None

    def covers(self, finding: Finding, day: str) -> bool:
        """It is about this finding, and holds on that day."""
        about = self.rule in (finding.rule, *finding.aliases) and (
            self.path is None or matches(finding.path, self.path)
        )
        return about and day <= self.until


@dataclass(frozen=True, slots=True)
class ScanPolicy:
    """What of a report blocks.

    Attributes:
        report: path of the report in the checkout.
        block: findings of this level and of worse ones.
        form: how the report is written, see `scan_reports`.
        install: how to get the scanner, where it is known; empty where it is not.
        image: name of the image that is looked at, for each of its platforms; empty: none.
    """

    report: str
    block: Level = "warning"
    waivers: tuple[Waiver, ...] = ()
    form: Form = "sarif"
    install: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """A report by a policy.

    Attributes:
        left: those below the level that blocks which no waiver covers: an environment may still refuse them.
    """

    blocking: tuple[Finding, ...]
    waived: tuple[tuple[Finding, Waiver], ...]
    below: tuple[Finding, ...]
    lapsed: tuple[Waiver, ...]
    left: tuple[Finding, ...] = ()

    @property
    def summary(self) -> str:
        """The counts, in words."""
        words = [f"{len(self.blocking)} findings" if self.blocking else "no findings"]
        words += [f"{len(self.waived)} waived"] if self.waived else []
        words += [f"{len(self.below)} below the level that blocks"] if self.below else []
        return ", ".join(words)


def judge(findings: Iterable[Finding], policy: ScanPolicy, day: str) -> Judgement:
    """What of the findings blocks.

    Args:
        findings: what a report holds.
        policy: what blocks.
        day: today, YYYY-MM-DD, UTC.
    """
    blocking, waived, below, lapsed, left = [], [], [], [], []
    for finding in findings:
        waiver = next((one for one in policy.waivers if one.covers(finding, day)), None)
        if LEVELS.index(finding.level) > LEVELS.index(policy.block):
            below.append(finding)
            left += [] if waiver else [finding]
        elif waiver is not None:
            waived.append((finding, waiver))
        else:
            blocking.append(finding)
            lapsed += [one for one in policy.waivers if one.covers(finding, one.until)]
    return Judgement(tuple(blocking), tuple(waived), tuple(below), tuple(dict.fromkeys(lapsed)), tuple(left))


def clean_at(level: Level) -> str:
    """What is said to have passed where scans left nothing of this level or worse; no task is called so."""
    return f"scans without findings at {level}"


def read_sarif(text: str) -> tuple[Finding, ...]:
    """The results of all runs of a report, without those that are suppressed in the source.

    Raises:
        ValueError: it is no report, or one of a scan that was not completed.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the report is no JSON: {error}") from error
    runs = body.get("runs") if isinstance(body, dict) else None
    if not isinstance(runs, list) or not runs or not str(body.get("version", "")).startswith("2."):
        raise ValueError("the report is no SARIF with a run")
    try:
        return tuple(finding for run in runs for finding in _findings(run))
    except (LookupError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"the report is no SARIF: {type(error).__name__} {error}") from error


def _findings(run: dict[str, Any]) -> Iterator[Finding]:
    for invocation in run.get("invocations", ()):
        if invocation.get("executionSuccessful") is False:
            raise ValueError(f"the scanner {run['tool']['driver']['name']} says that it was not completed")
    if "results" not in run:
        # By the standard a run without results is one that did not get that far.
        raise ValueError(f"the scanner {run['tool']['driver']['name']} gives no results")
    rules = run["tool"]["driver"].get("rules", ())
    levels = {one["id"]: one.get("defaultConfiguration", {}).get("level") for one in rules}
    for result in run["results"] or ():
        if result.get("kind", "fail") not in ("fail", "open", "review") or _is_suppressed(result):
            continue
        rule = str(result.get("ruleId") or result.get("rule", {}).get("id") or "")
        level = result.get("level") or levels.get(rule) or "warning"
        if level == "none":
            continue
        path, line = _place(result)
        message = " ".join(str(result.get("message", {}).get("text", "")).split())
        yield Finding(rule, level if level in LEVELS else "error", message, path, line, _aliases(result))


def _is_suppressed(result: dict[str, Any]) -> bool:
    return any(one.get("status", "accepted") == "accepted" for one in result.get("suppressions") or ())


def _aliases(result: dict[str, Any]) -> tuple[str, ...]:
    """Other names of a vulnerability, in a property of uv: the standard has no place for them."""
    found = (result.get("properties") or {}).get("uv/aliases")
    return tuple(str(one) for one in found) if isinstance(found, list) else ()


def _place(result: dict[str, Any]) -> tuple[str, int]:
    for location in result.get("locations") or ():
        physical = location.get("physicalLocation", {})
        path = str(physical.get("artifactLocation", {}).get("uri", "")).removeprefix("./")
        return path, int(physical.get("region", {}).get("startLine", 0))
    return "", 0
