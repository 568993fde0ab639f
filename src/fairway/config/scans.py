"""The stage `security` of a release: scanners, what they may find, and for how long."""

import datetime
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from fairway.config.problems import quote
from fairway.config.section import Section
from fairway.config.tasks import Pattern, Patterns, TaskSection, to_task
from fairway.config.types import Command, Name, OneOrMore, bare_word, refuse
from fairway.domain.pipeline.additions import Additions
from fairway.domain.pipeline.findings import ScanPolicy, Waiver
from fairway.domain.pipeline.scanners import ScannerName, find_scanner, steps_of
from fairway.domain.pipeline.spec import TaskSpec


def _day(value: str) -> str:
    try:
        day: str | None = datetime.date.fromisoformat(value).isoformat()
    except ValueError:
        day = None
    # Days are compared as texts: other ways of writing one would be above or below all others.
    if day != value:
        raise refuse(f"{quote(value)} is no day", "write it like 2027-01-31")
    return value


Day = Annotated[str, AfterValidator(_day), Field(json_schema_extra={"pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"})]


class WaiverSection(Section):
    """A finding that you decided to live with for some time."""

    rule: str = Field(description="The rule, as the scanner calls it.", examples=["S101"], min_length=1)
    path: Pattern | None = Field(
        default=None, description="Files that it is about; by default any.", examples=["tests/**"]
    )
    until: Day = Field(
        description="The last day on which it holds, UTC. From the next one on the finding blocks.",
        examples=["2027-01-31"],
    )
    reason: str = Field(description="Why.", examples=["only in tests"], min_length=1)


BlockLevel = Literal["error", "warning", "note"]


class FindingsSection(Section):
    """What scanners may find: for all scans together."""

    block: BlockLevel = Field(
        default="warning", description="Findings of this level and of worse ones halt the release.", examples=["error"]
    )
    waivers: list[WaiverSection] = Field(default_factory=list, description="Findings that do not, for some time.")


class ScanSection(Section):
    """A scanner's report decides, and not its status."""

    tool: ScannerName | None = Field(
        default=None,
        description="A scanner by its name: it is called, and its report read, without `run` and `report`. `scan: "
        "bandit` is short for this key alone.",
        examples=["bandit"],
    )
    paths: Patterns = Field(
        default_factory=list,
        description="What the tool looks at. By default the whole checkout; requirements.txt for pip-audit.",
        examples=[["src"]],
    )
    arguments: list[str] = Field(
        default_factory=list, description="Further arguments of the tool.", examples=[["--exclude", "tests"]]
    )
    history: bool | None = Field(
        default=None,
        description="Whether what the commits since the last release added is looked at as well, also where a later "
        "one took it away; before the first release, what was ever added. By default so, for kingfisher.",
        examples=[False],
    )
    image: Name | None = Field(
        default=None,
        description="An image of `images` that the tool looks at in place of paths; for trivy and grype.",
        examples=["shop"],
    )
    report: Pattern | None = Field(
        default=None,
        description="Path of the report in the checkout, in SARIF 2.1.0, where `run` calls the scanner. Without one "
        "that can be read, or where the scanner failed and found nothing, the scan could not be run, which never "
        "counts as passed.",
        examples=["report.sarif"],
    )
    block: BlockLevel | None = Field(
        default=None,
        description="Findings of this level and of worse ones halt the release. By default as `findings.block` says.",
        examples=["error"],
    )
    waivers: list[WaiverSection] = Field(
        default_factory=list, description="Findings that do not, for some time, beside those of `findings.waivers`."
    )


class SecuritySection(TaskSection):
    """A scanner, or commands, that must find nothing before anything is published."""

    run: Annotated[list[Command], OneOrMore()] = Field(
        default_factory=list,
        description="Argument lines run one after the other, without a shell. A scanner that is called by its name "
        "needs none.",
        examples=[["./scan.sh --sarif report.sarif"]],
    )
    scan: Annotated[ScanSection | None, BeforeValidator(bare_word("tool"))] = Field(
        default=None,
        description="The scanner, or how its report is judged. By default the status of the commands decides.",
        examples=["bandit"],
    )
    cache: bool = Field(
        default=True,
        description="Whether an earlier report on the same inputs is taken in place of a new one. By default not for "
        "scanners that ask what is known today.",
        examples=[False],
    )


def to_scan(name: str, section: SecuritySection, findings: FindingsSection) -> TaskSpec:
    """A task of the security stage; a scanner by its name brings its commands along."""
    task = to_task("security", name, section)
    scan = section.scan
    if scan is None:
        return task
    task = replace(task, scan=_policy(scan, findings))
    if scan.tool is None:
        return task
    scanner = find_scanner(scan.tool)
    given = section.model_fields_set
    history = scanner.history and not task.steps and scan.history is not False
    paths = tuple(scan.paths)
    steps = steps_of(scanner, paths=paths, arguments=tuple(scan.arguments), image=scan.image, history=history)
    return replace(
        task,
        steps=task.steps or steps,
        additions=Additions(paths=paths) if history else None,
        needs=(scan.image,) if scan.image and section.needs is None else task.needs,
        cached=section.cache if "cache" in given else not scanner.ageing,
        versioned=section.versioned if "versioned" in given else False,
    )


def _policy(scan: ScanSection, findings: FindingsSection) -> ScanPolicy:
    waivers = tuple(Waiver(one.rule, one.until, one.reason, one.path) for one in (*scan.waivers, *findings.waivers))
    block = scan.block or findings.block
    if scan.tool is None:
        return ScanPolicy(scan.report or "", block, waivers)
    scanner = find_scanner(scan.tool)
    return ScanPolicy(scan.report or scanner.report, block, waivers, scanner.form, scanner.install, scan.image or "")
