import json

import pytest

from fairway.domain.pipeline.findings import Finding, ScanPolicy, Waiver, judge, read_sarif

TOOL = {"driver": {"name": "scan", "rules": [{"id": "A1", "defaultConfiguration": {"level": "note"}}]}}


def report(*results, **run):
    return json.dumps({"version": "2.1.0", "runs": [{"tool": TOOL, "results": list(results), **run}]})


def result(rule="B2", path="src/app.py", **more):
    place = {"physicalLocation": {"artifactLocation": {"uri": path}, "region": {"startLine": 3}}}
    return {"ruleId": rule, "message": {"text": "bad\n thing"}, "locations": [place], **more}


def finding(rule="B2", level="error", path="src/app.py"):
    return Finding(rule, level, "bad", path, 3)


def test_a_result_has_its_rule_level_place_and_words():
    (found,) = read_sarif(report(result(level="error")))
    assert found == Finding("B2", "error", "bad thing", "src/app.py", 3)
    assert found.place == "src/app.py:3"


def test_a_path_is_written_as_waivers_write_it():
    assert read_sarif(report(result(path="./src/app.py")))[0].path == "src/app.py"


def test_the_level_is_the_results_own_or_the_rules_or_warning():
    found = read_sarif(report(result("A1"), result("A1", level="error"), result("B2")))
    assert [one.level for one in found] == ["note", "error", "warning"]


def test_what_is_suppressed_in_the_source_or_passed_is_no_finding():
    suppressed = result(suppressions=[{"kind": "inSource"}])
    rejected = result(suppressions=[{"kind": "inSource", "status": "rejected"}])
    assert read_sarif(report(suppressed, result(kind="pass"))) == ()
    assert len(read_sarif(report(rejected))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"version": "2.1.0", "runs": []}',
        '{"version": "1.0.0", "runs": [{}]}',
        '{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "scan"}}}]}',
        '{"version": "2.1.0", "runs": ["x"]}',
        report(invocations=[{"executionSuccessful": False}]),
        report("x"),
    ],
)
def test_what_is_no_report_of_a_completed_scan_never_reads_as_no_findings(text):
    with pytest.raises(ValueError, match=r"report|scanner"):
        read_sarif(text)


def test_an_empty_list_of_results_is_a_scan_that_found_nothing():
    assert read_sarif(report()) == ()


def test_findings_of_the_level_and_of_worse_ones_block():
    found = [finding(level="note"), finding(level="warning"), finding(level="error")]
    verdict = judge(found, ScanPolicy("r", "warning"), "2026-01-01")
    assert [one.level for one in verdict.blocking] == ["warning", "error"]
    assert [one.level for one in verdict.below] == ["note"]
    assert [one.level for one in judge(found, ScanPolicy("r", "error"), "2026-01-01").blocking] == ["error"]


def test_a_waiver_holds_for_its_rule_and_files_until_its_last_day():
    waiver = Waiver("B2", "2026-06-30", "only in tests", "tests/**")
    policy = ScanPolicy("r", "warning", (waiver,))
    test, other = finding(path="tests/a.py"), finding(path="src/a.py")
    verdict = judge([test, other], policy, "2026-06-30")
    assert verdict.waived == ((test, waiver),)
    assert verdict.blocking == (other,)
    late = judge([test], policy, "2026-07-01")
    assert (late.blocking, late.lapsed) == ((test,), (waiver,))
    assert judge([finding("B3", path="tests/a.py")], policy, "2026-01-01").waived == ()
