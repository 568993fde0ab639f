"""An environment that refuses what scans left: the levels at which an artifact counts as clean."""

from types import SimpleNamespace

import pytest

from fairway.domain.pipeline.compile import Subject, compile_release
from fairway.domain.pipeline.events import ReleaseStarted, TaskFailed, TaskFinished, TaskStarted
from fairway.domain.pipeline.findings import LEVELS, Finding, ScanPolicy, Waiver, clean_at, judge
from fairway.domain.pipeline.products import Product
from fairway.domain.pipeline.release import evolve, start
from fairway.domain.pipeline.spec import PipelineSpec, TaskSpec
from fairway.usecases.releasing.evidence import find_passed

SEALED = "sha256:" + "5" * 64


def clean_levels(*left, scans=2, failed=False):
    """Levels at which a release with these counts of its scans is clean; fewer counts than scans: the others wait."""
    tasks = [TaskSpec(f"scan{number}", "security", ("scan",), scan=ScanPolicy("r")) for number in range(scans)]
    plan = compile_release(Subject("shop", "1.0.0", "c" * 40, seal=True), PipelineSpec(tuple(tasks)))
    state = start("rel-1", ReleaseStarted(0.0, "ann", plan))
    state = evolve(state, TaskFinished(1.0, "artifact", products=(Product("shop", SEALED, kind="artifact"),)))
    for number, counts in enumerate(left):
        state = evolve(state, TaskStarted(1.0, f"scan{number}"))
        data = {} if counts is None else {"left": dict(zip(LEVELS, counts, strict=True))}
        state = evolve(state, TaskFinished(2.0, f"scan{number}", data=data))
    if failed:
        state = evolve(state, TaskFailed(3.0, "scan0", "errored", "scan-not-run", "no report"))
    journal = SimpleNamespace(
        list_releases=lambda service, limit: [SimpleNamespace(id="rel-1")], load_release=lambda name: state
    )
    passed = find_passed(journal, "shop", SEALED)
    return [level for level in LEVELS if clean_at(level) in passed]


@pytest.mark.parametrize(
    ("left", "clean"),
    [
        (((0, 0, 0), (0, 0, 0)), ["error", "warning", "note"]),
        (((0, 0, 3), (0, 0, 0)), ["error", "warning"]),
        (((0, 0, 0), (0, 1, 0)), ["error"]),
        (((1, 0, 0), (0, 0, 0)), []),
    ],
)
def test_an_artifact_is_clean_at_the_levels_at_which_no_scan_left_anything(left, clean):
    assert clean_levels(*left) == clean


def test_where_a_scan_is_missing_failed_or_of_an_earlier_version_nothing_is_clean():
    assert clean_levels(scans=0) == []
    assert clean_levels((0, 0, 0)) == []
    assert clean_levels((0, 0, 0), (0, 0, 0), failed=True) == []
    assert clean_levels((0, 0, 0), None) == []


def test_what_is_waived_is_not_left():
    findings = [Finding("A", "note", "words"), Finding("B", "note", "words")]
    policy = ScanPolicy("r", "error", (Waiver("A", "2027-01-31", "why"),))
    assert judge(findings, policy, "2027-01-31").left == (findings[1],)
    assert judge(findings, policy, "2027-02-01").left == tuple(findings)
