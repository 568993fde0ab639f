"""Messages, timetables, freezes, reports and schemas: understood or refused in our own words, soon, in little memory.

Each reader gets good documents in which one thing was replaced or left out, and noise of the words that mean something
to it. FUZZ_EXAMPLES says how many examples each gets.
"""

import json
import re
import subprocess
import time
import tracemalloc
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from graphql import build_schema, introspection_from_schema
from hypothesis import given
from hypothesis import strategies as st
from test_answers_of_others_never_crash import DEEP, FUZZ, GOOD_SARIF, json_values, of, texts

from fairway.adapters.calendars import LibraryCalendars
from fairway.adapters.checks.contract import _read
from fairway.adapters.checks.graphql import ask_graphql
from fairway.adapters.sources.commit_lines import read_log
from fairway.config import ConfigError, load
from fairway.domain.branching.selection import Log
from fairway.domain.cadence.calendar import Calendar
from fairway.domain.errors import FairwayError
from fairway.domain.pipeline.additions import Additions, name_commits
from fairway.domain.pipeline.scan_reports import read_report
from fairway.domain.validation.exchange import Exchange
from fairway.domain.validation.probes import ContractCheck, GraphqlCheck
from fairway.domain.versioning.message import parse_message
from fairway.domain.versioning.packed import SPECIAL, read_entry
from fairway.domain.versioning.policy import Policy
from fairway.domain.versioning.reverts import find_reverts
from fairway.domain.versioning.weighing import weigh

#: Pieces of what people and forges write into messages.
WORDS = (
    "feat", "fix(a)", "!", ": ", " ", "\n", "\n\n", "* ", "- ", "\r\n", "\ufeff", "BREAKING CHANGE: ", "Release-As: ",
    "Revert \"", "\"", "Reapply \"", "This reverts commit ", "abcdef0", "Reverts #1", "Closes #2", "fixes: ABC-3, and ",
    "(#4)", "(pull request #5)", "Merged ", "Squashed commit of the following:\n", "commit abcdef0123\n", "Author: x\n",
    "Signed-off-by: a", "Refs: ", "a/b#6", "#", "7", "x" * 50, "See merge request a/b!8", "\t", "\0", "\udcff",
)  # fmt: skip
messages = st.lists(st.sampled_from(WORDS), max_size=30).map("".join) | texts


def read_message(text: str) -> None:
    said = parse_message(text)
    assert "\n" not in said.subject
    assert all(isinstance(one, str) for one in (said.body, *said.requests, *said.issues))
    assert all(len(pair) == 2 for pair in said.footers)
    assert len(said.changes) <= len(text) + 1


@FUZZ
@given(messages)
def test_a_message_is_read_whatever_it_holds(text: str) -> None:
    read_message(text)


@FUZZ
@given(st.lists(messages, max_size=5))
def test_a_log_is_read_and_weighed_whatever_its_messages_hold(several: list[str]) -> None:
    records, names = [], [f"{number:040x}" for number in range(len(several))]
    for name, text in zip(names, several, strict=True):
        cleaned = text.replace("\0", "").encode("utf-8", "replace")
        records.append(f"{name}\n\n1\nAnn <a@b>\n1\n".encode() + cleaned)
    commits = {one.id: one for one in read_log([b"\0".join(records)])}
    assert list(commits) == names
    for one, text in zip(commits.values(), several, strict=True):
        cleaned = text.replace("\0", "").encode("utf-8", "replace").decode()
        said = parse_message(cleaned)
        assert one.message[:4] == said[:4]
        assert one.message.requests == said.requests
        assert one.message.issues == said.issues
        if one.kind != SPECIAL:
            shown = said.changes[0]
            issues = () if said.requests else said.issues
            assert read_entry(one.packed) == (shown.scope, shown.description, said.requests, issues)
    newest = list(commits.values())
    weigh(newest, find_reverts(newest), Policy())
    Log.of(commits)


@pytest.mark.parametrize(
    "text",
    [
        "fix: a\n\n" + "\n* " * 50_000,
        "fix: a (#1)\n\n" + "\n\nfeat: " * 30_000,
        "Squashed commit of the following:\n\n" + "commit abcdef0\nAuthor: x\n\n" * 10_000,
        "fix: " + "(" * 100_000,
        "fix: a\n\nBREAKING CHANGE: " + "x\n" * 100_000,
        "fix: a\n\n" + "BREAKING CHANGE:\n" * 20_000,
        "fix: a\n\ncloses " + "#1 and " * 50_000,
        "fix: a\n\ncloses " + "a/" * 100_000,
        "fix: a\n\n" + "fixes " * 50_000 + "#1",
        "fix: a\n\nfixes " + "a-1" * 60_000,
        "fix: a\n\n" + "Refs: x\n" * 50_000,
        " " * 200_000 + "fix: a",
        "fix: a" + " " * 200_000,
        "fix: a\n\n" + " " * 200_000 + "x",
        'Revert "' * 2_000 + "x" + '"' * 2_000,
        "\n" * 200_000,
        "a" * 200_000,
        "fix(" + "a" * 200_000,
        "See merge request " + "a/" * 100_000,
    ],
    ids=range(19),
)
def test_a_message_of_any_length_is_read_soon_and_in_little_memory(text: str) -> None:
    tracemalloc.start()
    began = time.process_time()
    read_message(text)
    commits = {one.id: one for one in read_log([b"a" * 40 + b"\n\n1\nA <a>\n1\n" + text.encode()])}
    newest = list(commits.values())
    weigh(newest, find_reverts(newest), Policy())
    took, (_, most) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 20
    assert most < 200 * len(text) + 1_000_000


CADENCE = ("mon", "fri", "sun", "-", "mon-thu", "09:00", "24:00", "00:00", "2026-12-19", "2026-12-19 18:00", "12-19",
           "02-29", "0001-01-01", "9999-12-31", "9999-12-31 23:59", "2026-02-30", "* * * * *", "0 0 30 2 *",
           "0 9 * * 2",
           "*/0 * * * *", "60 0 * * *", "0 0 L * *", "0 0 * * 1#5", "0 0 29 2 *", "1-2-3 * * * *", "², * * * *", "DE",
           "BE", "XX", "tuesday", "Europe/Berlin", "UTC", "Mars/Base", "", "1", "1w")  # fmt: skip
values = (
    st.sampled_from(CADENCE) | texts | st.integers(-3, 30) | st.none() | st.lists(st.sampled_from(CADENCE), max_size=3)
)
keys = {
    "windows": ("days", "from", "to"),
    "freezes": ("from", "to", "holidays", "region", "before", "reason"),
    "trains": ("day", "at", "cron", "branch", "fetch", "pre", "to", "late"),
}
entries = {kind: st.dictionaries(st.sampled_from(names), values, max_size=4) for kind, names in keys.items()}


@FUZZ
@given(
    windows=st.lists(entries["windows"], max_size=2),
    freezes=st.lists(entries["freezes"], max_size=2),
    train=entries["trains"],
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Apia", "Mars/Base"]),
    at=st.sampled_from([0.0, 1.8e9, 4e9, 2.5e11]),
)
def test_a_cadence_that_loads_can_be_asked_at_any_time(
    tmp_path: Path, windows: list[object], freezes: list[object], train: dict[str, object], zone: str, at: float
) -> None:
    path = tmp_path / "fairway.yaml"
    cadence = {"time_zone": zone, "windows": windows, "freezes": freezes, "trains": {"one": train} if train else {}}
    path.write_text(json.dumps({"service": "lib", "branches": "trunk", "cadence": cadence}), errors="replace")
    try:
        policy = load(path).cadence
    except ConfigError as error:
        assert error.problems  # noqa: PT017 -- that they are told is the point
        return
    assert policy is not None
    ask(policy, at)


def ask(policy, at: float) -> None:
    calendars, zone = LibraryCalendars(), ZoneInfo(policy.time_zone)
    try:
        Calendar(policy, zone, calendars.list_holidays).judge(at)
        for one in policy.trains:
            calendars.find_last(one.cron, zone, at)
            calendars.find_next(one.cron, zone, at)
    except FairwayError as error:
        assert str(error)  # noqa: PT017 -- what it says is the point


@pytest.mark.parametrize("at", [0.0, 1.8e9, 2.5e11])
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Apia", "America/New_York"])
@pytest.mark.parametrize(
    "entry",
    [
        "freezes: [{from: 9999-12-31}]",
        "freezes: [{from: 2026-01-01, to: 9999-12-31}]",
        "freezes: [{from: 0001-01-01, to: 0001-01-02}]",
        "freezes: [{from: 02-29}]",
        "trains: {a: {cron: '0 0 29 2 *'}}",
    ],
)
def test_days_at_the_ends_of_the_calendar_are_days(tmp_path: Path, entry: str, zone: str, at: float) -> None:
    path = tmp_path / "fairway.yaml"
    path.write_text(f"service: lib\nbranches: trunk\ncadence: {{time_zone: {zone}, {entry}}}\n")
    policy = load(path).cadence
    assert policy is not None
    ask(policy, at)


@FUZZ
@given(expression=st.lists(st.sampled_from([*"0123456789*/,-#L", "MON", "JAN", "?", "²"]), min_size=1, max_size=6))
def test_a_timetable_is_refused_or_has_moments(tmp_path: Path, expression: list[str]) -> None:
    path = tmp_path / "fairway.yaml"
    for place in range(5):
        fields = ["*"] * 5
        fields[place] = "".join(expression)
        cron = json.dumps(" ".join(fields))
        path.write_text(f"service: lib\nbranches: trunk\ncadence: {{trains: {{a: {{cron: {cron}}}}}}}\n")
        try:
            policy = load(path).cadence
        except ConfigError:
            continue
        assert policy is not None
        ask(policy, 1.8e9)


GOOD_BANDIT = {
    "errors": [{"filename": "a.py", "reason": "x"}],
    "metrics": {"_totals": {"loc": 3}},
    "results": [{"test_id": "B1", "issue_severity": "HIGH", "issue_text": "t", "filename": "a.py", "line_number": 3}],
}
GOOD_PIP = {
    "dependencies": [
        {
            "name": "a",
            "version": "1",
            "vulns": [{"id": "X", "fix_versions": ["2"], "aliases": ["Y"], "description": "d"}],
        },
        {"name": "b", "skip_reason": "c"},
    ]
}
FLAW = {"source": 1, "name": "a", "title": "t", "url": "u/X", "severity": "high", "range": "<1"}
GOOD_NPM = {"vulnerabilities": {"a": {"via": [FLAW, "b"]}}, "message": "m", "error": {"code": "E", "summary": "s"}}
FORMS = {"sarif": GOOD_SARIF, "ruff": GOOD_SARIF, "bandit": GOOD_BANDIT, "pip-audit": GOOD_PIP, "npm-audit": GOOD_NPM}


@pytest.mark.parametrize("form", FORMS)
def test_a_report_of_a_scanner_is_findings_or_no_report(form: str) -> None:
    @FUZZ
    @given(
        of(FORMS[form]) | st.just(DEEP) | st.just(json.dumps(FORMS[form]).replace("3", "1e999").replace('"1"', "NaN"))
    )
    def holds(text: str) -> None:
        try:
            report = read_report(form, text)
        except ValueError as error:
            assert str(error)  # noqa: PT017 -- what it says is the point
            return
        for one in name_commits(report.findings):
            assert one.level in ("error", "warning", "note")
            assert isinstance(one.place + one.message + report.gap, str)

    holds()


@FUZZ
@given(
    path=texts | st.sampled_from([f"../history/{'a' * 40}/src/a b.py", f"../history/{'a' * 39}/x"]),
    paths=st.lists(texts),
)
def test_any_path_of_a_finding_counts_or_does_not(path: str, paths: list[str]) -> None:
    assert Additions(paths=tuple(paths)).has(path) in (True, False)


GOOD_CONTRACT = {
    "failures": [{"operations": ["GET /a", "GET /b"], "title": "t", "severity": "high", "count": 2}],
    "errors": [],
    "complete": True,
    "test_cases": {"generated": 3},
    "operations": {"tested": 1},
}
CASES = '<suites><suite><testcase name="GET /a"><failure message="m">curl /a</failure></testcase></suite></suites>'


@FUZZ
@given(
    text=of(GOOD_CONTRACT, GOOD_CONTRACT | {"failures": []}) | st.just(DEEP),
    cases=texts | st.just(CASES) | st.just("<a>" * 5000),
)
def test_a_report_about_a_contract_is_findings_or_none_at_all(tmp_path: Path, text: str, cases: str) -> None:
    (tmp_path / "r.json").write_text(text, encoding="utf-8", errors="replace")
    (tmp_path / "r.xml").write_text(cases, encoding="utf-8", errors="replace")
    done = subprocess.CompletedProcess([], 1, "", "it says why")
    found = _read(ContractCheck(), tmp_path, done)
    assert found
    assert all(isinstance(one.came, str) and one.outcome in ("passed", "failed", "errored") for one in found)


SCHEMA = build_schema(
    'type Query { a(b: In = {c: 1}): [Thing!]! @deprecated(reason: "x") }\n'
    "interface Named { name: String }\ntype Thing implements Named { name: String kind: Kind }\n"
    "enum Kind { ONE TWO }\ninput In { c: Int = 1 d: [In!] }\nunion Any = Thing\nscalar Day"
)
GOOD_SCHEMA = {"data": dict(introspection_from_schema(SCHEMA, descriptions=False))}


class Service:
    """Answers a query well, and is asked for its schema twice: by the stable revision, and by the candidate."""

    base = "http://127.0.0.1:2"
    place = SimpleNamespace(stable="http://127.0.0.1:1")

    def __init__(self, *answers: str) -> None:
        self.answers = [*answers]

    def fill(self, value):
        return value

    def url(self, path: str) -> str:
        return self.base + path

    def client(self):
        return self

    def send(self, method: str, url: str, **_: object) -> Exchange:
        return Exchange(method, url, 200, body=self.answers.pop(0).encode("utf-8", "replace"))


@FUZZ
@given(text=of(GOOD_SCHEMA) | st.just(DEEP), stable=st.booleans())
def test_a_schema_that_cannot_be_read_is_none_and_no_fault(text: str, stable: bool) -> None:
    good = json.dumps(GOOD_SCHEMA)
    service = Service('{"data": {}}', *((text, good) if stable else (good, text)))
    found = ask_graphql(GraphqlCheck(), service)
    assert found[0].outcome == "passed"
    assert found[1].outcome in ("passed", "failed", "errored")


@FUZZ
@given(
    of({"data": {}, "errors": [{"message": "m", "path": ["a", 1]}]})
    | json_values.map(lambda one: json.dumps({"errors": one}))
)
def test_any_answer_to_a_query_is_judged(text: str) -> None:
    (found,) = ask_graphql(GraphqlCheck(schema=False), Service(text))
    assert found.outcome in ("passed", "failed")


def test_a_good_schema_has_no_breaking_change_against_itself() -> None:
    good = json.dumps(GOOD_SCHEMA)
    found = ask_graphql(GraphqlCheck(), Service('{"data": {}}', good, good))
    assert [one.outcome for one in found] == ["passed", "passed"]
    assert re.search(r"\d+ types, none broken", found[1].came)
