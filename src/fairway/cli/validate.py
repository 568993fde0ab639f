"""validate."""

from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit, note, print_json
from fairway.domain.validation.findings import Finding, Report

_EXITS = {"passed": Exit.YES, "failed": Exit.NO, "errored": Exit.UNKNOWN}
Moment = Literal["before", "candidate", "live", "rollback", "restore"]


def validate(
    url: str | None = None,
    /,
    *,
    env: str | None = None,
    only: list[str] | None = None,
    moment: Moment | None = None,
    junit: Path | None = None,
    verbose: bool = False,
    options: Options = DEFAULTS,
) -> int:
    """Check that what runs does what it should.

    Args:
        url: the base address; default: BASE_URL, else the address of the environment.
        env: whose checks, and whose address; default: the only environment, or the usual checks.
        only: the name of a check, once for each; default: all.
        moment: only the checks that run at this moment of a rollout.
        junit: also write the findings there as JUnit XML.
        verbose: also say what was expected where all was well.
    """
    from fairway.bootstrap.validation import open_validation

    wanted = open_validation(url, env, options.config, only=tuple(only or ()), moment=moment, tell=_tell)
    verbose = verbose or wanted.verbose
    report = wanted.validation.run()
    if junit is not None:
        from fairway.cli.junit import write_junit

        write_junit(junit, report)
    if options.json:
        print_json(as_json(report))
    else:
        from fairway.cli.findings import print_report

        print_report(report, verbose=verbose)
    return _EXITS[report.verdict]


def as_json(report: Report) -> dict[str, Any]:
    """The report for programs."""
    findings = [asdict(one) | {"cause": one.cause, "advice": one.advice} for one in report.findings]
    counts = {outcome: report.count(outcome) for outcome in ("passed", "failed", "warning", "errored", "skipped")}
    return {
        "target": report.target,
        "verdict": report.verdict,
        "seconds": round(report.seconds, 3),
        "counts": counts,
        "findings": findings,
    }


def _tell(number: int, count: int, name: str, found: tuple[Finding, ...] | None) -> None:
    """Progress: what is being checked, and what did not pass, as soon as that is known."""
    if found is None:
        note(f"[{number}/{count}] {name}")
    for one in found or ():
        if one.outcome in ("failed", "errored"):
            note(f"        {one.outcome}: {one.sentence}")
