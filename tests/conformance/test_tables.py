"""Tables of other projects, row by row. A row that is not answered as there is excluded by a policy with its reason.

PEP 440: the tables of `packaging`. SemVer: those of node-semver. Raising by hand: those of commitizen and node-semver.
"""

import json
from typing import Any

import pytest
from recorded import DATA, load

from fairway.domain.errors import UserError
from fairway.domain.versioning.bump import Bump, bump, bump_local
from fairway.domain.versioning.increments import INCREMENTS, increment
from fairway.domain.versioning.level import LEVELS
from fairway.domain.versioning.pep440 import parse_pep440
from fairway.domain.versioning.scheme import find_scheme
from fairway.domain.versioning.semver import parse_semver
from fairway.domain.versioning.shown import describe_version

PEP440 = load("pep440_tables.json")
NODE = load("node_semver.json")
COMMITIZEN = [json.loads(line) for line in (DATA / "commitizen_bump_tables.jsonl").read_text().splitlines()]

#: Node reads a leading v and takes numbers up to 2**53; the specification knows neither.
V_BELONGS_TO_THE_TAG = "a leading v belongs to the tag"
NO_LARGEST_NUMBER = "the specification knows no largest number and no longest text"
NOT_A_STRING = "the table tries values that are no text"
LOOSE = "loose reading, which the specification does not know"
NOT_SEMVER = "the version to raise is not a semantic version"
SHORT_TOKENS = "pre-releases are written as 1.0.0-alpha.0: a0 and b0 are another tool's habit"


def is_version(parse: Any, text: str) -> bool:
    try:
        parse(text)
    except UserError:
        return False
    return True


def test_versions_of_python_packages_have_their_order() -> None:
    ordered = [parse_pep440(text) for text in load("pep440_ordered_versions.json")]
    for place, low in enumerate(ordered):
        assert all(low.order < high.order for high in ordered[place + 1 :]), str(low)
    assert len(ordered) > 60


def test_versions_of_python_packages_have_their_normal_form() -> None:
    for table in ("test_normalized_versions", "test_version_str_repr"):
        assert [str(parse_pep440(text)) for text, _ in PEP440[table]] == [normal for _, normal in PEP440[table]]


def test_what_is_no_version_of_a_python_package_is_refused() -> None:
    assert [text for text in PEP440["test_invalid_versions"] if is_version(parse_pep440, text)] == []


@pytest.mark.parametrize(
    ("table", "part"),
    [
        ("public", "public"),
        ("base_version", "base_version"),
        ("epoch", "epoch"),
        ("release", "release"),
        ("local", "local"),
        ("pre", "pre"),
        ("is_prerelease", "is_prerelease"),
        ("dev", "dev"),
        ("is_devrelease", "is_devrelease"),
        ("post", "post"),
        ("is_postrelease", "is_postrelease"),
    ],
)
def test_the_parts_of_a_version_of_a_python_package_are_told(table: str, part: str) -> None:
    scheme = find_scheme("pep440")
    rows = PEP440[f"test_version_{table}"]
    assert [describe_version(parse_pep440(text), scheme)[part] for text, _ in rows] == [wanted for _, wanted in rows]


def test_semantic_versions_are_read() -> None:
    read = []
    for text, major, minor, patch, pre, build in NODE["valid-versions"]:
        if text.startswith("v"):
            assert not is_version(parse_semver, text), V_BELONGS_TO_THE_TAG
            continue
        told = describe_version(parse_semver(text), find_scheme("semver"))
        assert [told[one] for one in ("major", "minor", "patch", "prerelease", "build")] == [
            major,
            minor,
            patch,
            pre,
            build,
        ]
        read.append(text)
    assert len(read) == 21


def test_what_is_no_semantic_version_is_refused() -> None:
    excluded = []
    for text, why, *_ in NODE["invalid-versions"]:
        if not isinstance(text, str):
            excluded.append(NOT_A_STRING)
        elif why.startswith("too "):
            excluded.append(NO_LARGEST_NUMBER)
        else:
            assert not is_version(parse_semver, text), text
    assert len(excluded) == 7


def is_loose(row: list[Any]) -> bool:
    option = row[2] if len(row) > 2 else False
    return bool(option.get("loose") if isinstance(option, dict) else option)


def test_semantic_versions_have_their_order() -> None:
    strict = [row for row in NODE["comparisons"] if not is_loose(row)]
    for high, low, *_ in strict:
        assert parse_semver(high).order > parse_semver(low).order, (high, low)
    assert {LOOSE: len(NODE["comparisons"]) - len(strict)} == {LOOSE: 12}


def test_build_metadata_has_no_part_in_the_order() -> None:
    strict = [row for row in NODE["equality"] if not is_loose(row)]
    plain = [row for row in strict if not row[0].strip().startswith("v")]
    for one, other, *_ in plain:
        assert parse_semver(one).order == parse_semver(other).order, (one, other)
    assert len(plain) == 2
    assert len(strict) == 3, V_BELONGS_TO_THE_TAG


def npm_says(row: list[Any]) -> str | None:
    """What our steps make of a row: npm's own, and `bump` for the plain ones."""
    text, step, _, option, token, first = (*row, None, None, None)[:6]
    token = token if isinstance(token, str) else option if isinstance(option, str) else ""
    start = "none" if first is False else str(first or "0")
    try:
        version = parse_semver(text)
        if step in INCREMENTS:
            return str(increment(version, step, token, start))
        if step not in ("major", "minor", "patch"):
            return None
        return str(bump(find_scheme("semver"), version, Bump(LEVELS[step])))
    except UserError:
        return None


def test_steps_of_npm_lead_where_npm_goes() -> None:
    wrong, excluded = [], []
    for row in NODE["increments"]:
        text, _, wanted, option, *_ = (*row, None, None)
        if option is True or isinstance(option, dict):
            excluded.append(LOOSE)
            assert not is_version(parse_semver, text), text
        elif npm_says(row) != wanted:
            wrong.append((row, npm_says(row)))
    assert wrong == []
    assert len(excluded) == 3


def commitizen_says(row: dict[str, Any]) -> set[str]:
    """What both ways make of a row: the table does not say which one it is about."""
    scheme = find_scheme(row["scheme"].rstrip("2"))
    version = scheme.parse(row["current_version"])
    level = LEVELS[(row["increment"] or "none").lower()]
    wanted = [
        Bump(level, row["prerelease"] or "", row["prerelease_offset"], row["devrelease"], exact)
        for exact in (False, True)
    ]
    # The rows with a local part that is a version are those of local versions.
    raise_it = bump_local if row["current_version"].startswith("4.5.0+") else bump
    return {str(raise_it(scheme, version, one)) for one in wanted}


def excluded_by(row: dict[str, Any]) -> str:
    """The policy that a row contradicts; empty if it must be answered as the table says."""
    if row["scheme"] != "pep440" and not is_version(parse_semver, row["current_version"]):
        return NOT_SEMVER
    if row["scheme"] == "semver" and (row["prerelease"] or row["devrelease"] is not None):
        return SHORT_TOKENS
    return ""


def test_versions_are_raised_as_commitizen_raises_them() -> None:
    wrong, excluded, right = [], {}, 0
    for row in COMMITIZEN:
        policy = excluded_by(row)
        if policy:
            excluded[row["scheme"], policy] = excluded.get((row["scheme"], policy), 0) + 1
        elif row["expect"] not in commitizen_says(row):
            wrong.append((row, commitizen_says(row)))
        else:
            right += 1
    assert wrong == []
    assert excluded == {("semver", NOT_SEMVER): 49, ("semver", SHORT_TOKENS): 11, ("semver2", NOT_SEMVER): 9}
    assert right == len(COMMITIZEN) - 69


def test_what_the_policies_exclude_is_refused_or_written_in_our_way() -> None:
    for row in COMMITIZEN:
        if excluded_by(row) == SHORT_TOKENS:
            spelled = {
                one.replace("alpha.", "a").replace("rc.", "rc").replace("dev.", "dev") for one in commitizen_says(row)
            }
            assert row["expect"] in spelled or "alpha1" in row["current_version"], row
