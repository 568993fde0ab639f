"""Tables of other projects, row by row. A row that is not answered as there is listed, with its reason.

PEP 440: the tables of `packaging`. SemVer: those of node-semver. Raising by hand: those of commitizen and node-semver.
"""

import json
from collections.abc import Callable
from pathlib import Path
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

#: Each row that is not answered as its table says, with the policy that it contradicts. A row that is in the list and
#: is answered as the table says fails as much as one that is not in it and is not.
EXCLUDED = [json.loads(line) for line in (Path(__file__).parent / "excluded_rows.jsonl").read_text().splitlines()]


def excluded(table: str) -> dict[int, str]:
    """The policy of each row of a table that is excluded, by its number from 1."""
    return {one["row"]: one["policy"] for one in EXCLUDED if one["table"] == table}


def check(table: str, rows: list[Any], is_right: Callable[[Any], bool]) -> None:
    """Every row is answered as its table says, but for those that are excluded, which are not."""
    right = {number for number, row in enumerate(rows, 1) if is_right(row)}
    wrong = {number: rows[number - 1] for number in range(1, len(rows) + 1) if number not in right}
    assert {number: row for number, row in wrong.items() if number not in excluded(table)} == {}
    assert right & excluded(table).keys() == set(), "a row is excluded that is answered as its table says"


def test_each_row_that_is_excluded_is_quoted_with_its_policy() -> None:
    tables = {**NODE, "commitizen_bump_tables": COMMITIZEN}
    for one in EXCLUDED:
        row = tables[one["table"]][one["row"] - 1]
        said = [row[0][:40], *row[1:]] if isinstance(row, list) and isinstance(row[0], str) else row
        assert one["says"] in (row, said), one
        assert one["policy"], one
    places = [(one["table"], one["row"]) for one in EXCLUDED]
    assert len(set(places)) == len(places)


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


def is_read(row: list[Any]) -> bool:
    """The parts of a version are those of the table."""
    text, *parts = row
    if not is_version(parse_semver, text):
        return False
    told = describe_version(parse_semver(text), find_scheme("semver"))
    return [told[one] for one in ("major", "minor", "patch", "prerelease", "build")] == parts


def is_refused(row: list[Any]) -> bool:
    """What is no version is refused."""
    return isinstance(row[0], str) and not is_version(parse_semver, row[0])


def is_in_order(row: list[Any]) -> bool:
    """The first version comes after the second."""
    high, low, *_ = row
    both = is_version(parse_semver, high) and is_version(parse_semver, low)
    return both and parse_semver(high).order > parse_semver(low).order


def is_equal(row: list[Any]) -> bool:
    """Neither version comes after the other."""
    one, other, *_ = row
    both = is_version(parse_semver, one) and is_version(parse_semver, other)
    return both and parse_semver(one).order == parse_semver(other).order


@pytest.mark.parametrize(
    ("table", "is_right"),
    [
        ("valid-versions", is_read),
        ("invalid-versions", is_refused),
        ("comparisons", is_in_order),
        ("equality", is_equal),
    ],
)
def test_semantic_versions_are_read_and_ordered_as_npm_does(table: str, is_right: Callable[[Any], bool]) -> None:
    check(table, NODE[table], is_right)


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
    check("increments", NODE["increments"], lambda row: npm_says(row) == row[2])


def commitizen_says(row: dict[str, Any]) -> set[str]:
    """What both ways make of a row: the table does not say which one it is about. Nothing of what is no version."""
    scheme = find_scheme(row["scheme"].rstrip("2"))
    if not is_version(scheme.parse, row["current_version"]):
        return set()
    version = scheme.parse(row["current_version"])
    level = LEVELS[(row["increment"] or "none").lower()]
    wanted = [
        Bump(level, row["prerelease"] or "", row["prerelease_offset"], row["devrelease"], exact)
        for exact in (False, True)
    ]
    # The rows with a local part that is a version are those of local versions.
    raise_it = bump_local if row["current_version"].startswith("4.5.0+") else bump
    return {str(raise_it(scheme, version, one)) for one in wanted}


def test_versions_are_raised_as_commitizen_raises_them() -> None:
    check("commitizen_bump_tables", COMMITIZEN, lambda row: row["expect"] in commitizen_says(row))


def test_tokens_that_another_tool_shortens_are_raised_to_the_same_pre_release() -> None:
    for number, policy in excluded("commitizen_bump_tables").items():
        row = COMMITIZEN[number - 1]
        if policy.startswith("pre-releases are written as"):
            spelled = {
                one.replace("alpha.", "a").replace("rc.", "rc").replace("dev.", "dev") for one in commitizen_says(row)
            }
            assert row["expect"] in spelled or "alpha1" in row["current_version"], row
