"""Findings as JUnit XML, which build servers read."""

from pathlib import Path
from xml.etree import ElementTree

from fairway.domain.errors import UserError
from fairway.domain.validation.findings import Finding, Report

_TAGS = {"failed": "failure", "errored": "error", "skipped": "skipped"}


def write_junit(path: Path, report: Report) -> None:
    """Writes the report; an existing file is replaced.

    Raises:
        UserError: the file cannot be written.
    """
    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(
        suites,
        "testsuite",
        name=_clean(report.target),
        time=f"{report.seconds:.3f}",
        tests=str(len(report.findings)),
        failures=str(report.count("failed")),
        errors=str(report.count("errored")),
        skipped=str(report.count("skipped")),
    )
    for one in report.findings:
        suite.append(_case(one))
    try:
        path.write_bytes(b'<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="utf-8"))
    except OSError as error:
        sentence = f"{path} cannot be written: {error.strerror}"
        raise UserError("junit", sentence, "name a file in a folder that exists") from error


def _case(one: Finding) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase", classname=_clean(one.check), name=_clean(one.subject), time=f"{one.seconds:.3f}"
    )
    text = _clean(f"expected: {one.expected}\ncame: {one.came}\nlikely: {one.cause}\nto do: {one.advice}")
    if one.outcome in _TAGS:
        bad = ElementTree.SubElement(case, _TAGS[one.outcome], message=_clean(one.came))
        if one.outcome != "skipped":
            bad.set("type", one.code)
            bad.text = text
    elif one.outcome == "warning":
        ElementTree.SubElement(case, "system-out").text = text
    return case


def _clean(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(
        c if c in "\t\n" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff") else "�"
        for c in text
    )
