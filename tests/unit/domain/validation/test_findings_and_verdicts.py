"""What findings say together, and that each code is explained."""

import ast
from pathlib import Path

import pytest

from fairway.domain.validation.findings import Finding, Report, errored, failed, lenient, passed, skipped
from fairway.domain.validation.meanings import MEANINGS, meaning_of

SOURCE = Path(__file__).parents[4] / "src" / "fairway"
YES, NO = passed("a", "x", "x"), failed("slow", "a", "x", "y")
SILENT, NONE = errored("refused", "a", "x", "nobody"), skipped("absent", "a", "404")


@pytest.mark.parametrize(
    ("findings", "verdict", "summary"),
    [
        ((YES, YES), "passed", "2 passed"),
        ((YES, NONE), "passed", "1 passed, 1 skipped"),
        ((YES, *lenient((NO,))), "passed", "1 passed, 1 with a warning"),
        ((YES, NO, SILENT), "failed", "1 passed, 1 failed, 1 without an answer"),
        ((YES, SILENT), "errored", "1 passed, 1 without an answer"),
        ((NONE,), "errored", "1 skipped"),
        ((), "errored", "nothing was checked"),
    ],
)
def test_a_no_outweighs_silence_and_nothing_is_never_a_yes(findings, verdict, summary):
    report = Report("http://x", findings)
    assert (report.verdict, report.summary) == (verdict, summary)


def test_the_worst_finding_is_the_first_no_else_the_first_silence():
    assert Report("x", (SILENT, NO)).worst is NO
    assert Report("x", (YES, SILENT)).worst is SILENT
    assert Report("x", (YES,)).worst is None


def test_each_code_that_a_check_may_find_is_explained():
    """Codes are the first arguments of `failed`, `errored` and `skipped`, and the values of tables of codes."""
    used = set()
    for path in [*(SOURCE / "adapters/checks").glob("*.py"), *(SOURCE / "domain/validation").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"failed", "errored", "skipped"}:
                used |= {part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant)}
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("dependency-"):
                used.add(node.value)
    assert len(used) > 50
    assert {code for code in used if not meaning_of(code).cause} == set()


@pytest.mark.parametrize("code", MEANINGS)
def test_each_meaning_names_a_cause_and_a_next_step(code):
    assert MEANINGS[code].cause
    assert MEANINGS[code].advice
    assert Finding("x", "failed", code).advice == MEANINGS[code].advice
