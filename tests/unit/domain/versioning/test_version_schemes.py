"""Versions of each scheme: reading, order, raising, and what they are in other schemes."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairway.domain.errors import UserError
from fairway.domain.versioning.bump import Bump, bump
from fairway.domain.versioning.calver import check_format, parse_calver, version_of
from fairway.domain.versioning.changelog import date_of
from fairway.domain.versioning.level import Level
from fairway.domain.versioning.mapping import from_container, mapped, to_pep440, to_semver
from fairway.domain.versioning.pep440 import parse_pep440
from fairway.domain.versioning.scheme import find_scheme
from fairway.domain.versioning.semver import parse_semver


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "1.2",
        "1.2.3.4",
        "01.2.3",
        "1.02.3",
        "1.2.3-",
        "1.2.3-01",
        "1.2.3-a..b",
        "1.2.3+",
        "1.2.3+a+b",
        "v1.2.3",
        " 1.2.3",
        "1.2.3\n",
        "١.٢.٣",
        "1.2.3-ä",
        "-1.2.3",
    ],
)
def test_what_is_no_semantic_version_is_refused_in_words(text):
    with pytest.raises(UserError) as caught:
        parse_semver(text)
    assert caught.value.code == "not-a-version"
    assert repr(text[:80]) in caught.value.message


def test_semantic_versions_have_the_order_of_the_specification():
    ordered = (
        "1.0.0-0 1.0.0-1 1.0.0-10 1.0.0-A 1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta "
        "1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.1 1.10.0 2.0.0"
    )
    orders = [parse_semver(text).order for text in ordered.split()]
    assert orders == sorted(orders)
    assert len(set(orders)) == len(orders)


@pytest.mark.parametrize(
    ("given_", "asked", "wanted"),
    [
        ("1.2.3", Bump(Level.PATCH), "1.2.4"),
        ("1.2.3", Bump(Level.MAJOR, "rc"), "2.0.0-rc.1"),
        ("1.2.3", Bump(Level.MINOR, "rc", 0), "1.3.0-rc.0"),
        ("1.3.0-rc.4", Bump(Level.MINOR), "1.3.0"),
        ("1.3.0-rc.4", Bump(Level.MINOR, exact=True), "1.4.0"),
        ("1.3.1-rc.4", Bump(Level.MINOR), "1.4.0"),
        ("1.3.0-rc.4", Bump(Level.NONE, "rc"), "1.3.0-rc.5"),
        ("1.3.0-rc4", Bump(Level.NONE, "rc"), "1.3.0-rc5"),
        ("1.3.0-rc.4", Bump(Level.NONE, "alpha"), "1.3.0-rc.5"),
        ("1.3.0-alpha.4", Bump(Level.NONE, "nightly"), "1.3.0-nightly.1"),
        ("1.3.0-rc.4+build", Bump(Level.NONE), "1.3.0"),
    ],
)
def test_a_semantic_version_is_raised_by_hand(given_, asked, wanted):
    assert str(bump(find_scheme("semver"), parse_semver(given_), asked)) == wanted


@pytest.mark.parametrize("token", ["a+b", "a/b", "ä", "a b", "a..b"])
def test_a_token_that_cannot_stand_in_a_version_is_refused(token):
    with pytest.raises(UserError, match="cannot be a pre-release"):
        bump(find_scheme("semver"), parse_semver("1.0.0"), Bump(Level.MINOR, token))


@pytest.mark.parametrize(
    ("layout", "text", "day", "after"),
    [
        ("YYYY.0M.0D", "2024.09.01", "2024-09-01", "2024.09.01.1"),
        ("YYYY.0M.0D", "2024.09.01.9", "2024-09-01", "2024.09.01.10"),
        ("YYYY.0M.0D", "2024.09.01", "2024-08-01", "2024.09.01.1"),
        ("YYYY.0M.0D", "2024.09.01", "2024-10-01", "2024.10.01"),
        ("YY.MM.MICRO", "24.9.0", "2024-09-30", "24.9.1"),
        ("YY.MM.MICRO", "24.9.7", "2024-10-01", "24.10.0"),
        ("YYYY.WW", "2024.52", "2024-12-30", "2025.1"),
        ("0Y-0M", "06-01", "2006-01-05", "06-01.1"),
    ],
)
def test_a_calendar_version_goes_on_with_the_days(layout, text, day, after):
    version = parse_calver(text, layout)
    assert str(version) == text
    following = version.next_on(datetime.date.fromisoformat(day))
    assert str(following) == after
    assert following.order > version.order


@pytest.mark.parametrize(
    "text", ["2024.13.01", "2024.02.30", "2023.02.29", "2024.9.1", "24.09.01", "2024.09", "2024.09.01.0", "v2024.09.01"]
)
def test_what_is_no_day_is_no_calendar_version(text):
    with pytest.raises(UserError):
        parse_calver(text)


@pytest.mark.parametrize("layout", ["0M.0D", "", "YYYY/MM", "YYYY 0M"])
def test_a_format_that_cannot_be_told_apart_is_refused(layout):
    with pytest.raises(UserError) as caught:
        check_format(layout)
    assert caught.value.code == "calver-format"


@given(
    st.dates(datetime.date(2001, 1, 1), datetime.date(2999, 12, 31)),
    st.dates(datetime.date(2001, 1, 1), datetime.date(2999, 12, 31)),
)
def test_calendar_versions_come_in_the_order_of_their_days(one, other):
    assert (version_of(one).order < version_of(other).order) == (one < other)
    assert parse_calver(str(version_of(one))) == version_of(one)


@pytest.mark.parametrize(
    ("scheme", "text", "semver", "pep440", "container", "debian"),
    [
        ("semver", "1.2.3", "1.2.3", "1.2.3", "1.2.3", "1.2.3"),
        ("semver", "1.2.3-rc.1", "1.2.3-rc.1", "1.2.3rc1", "1.2.3-rc.1", "1.2.3~rc.1"),
        ("semver", "1.2.3-canary.1", "1.2.3-canary.1", None, "1.2.3-canary.1", "1.2.3~canary.1"),
        ("semver", "1.2.3+b.5", "1.2.3+b.5", "1.2.3+b.5", "1.2.3_b.5", "1.2.3+b.5"),
        ("pep440", "1.2rc1", "1.2.0-rc.1", "1.2rc1", "1.2rc1", "1.2~rc1"),
        ("pep440", "1.2.dev3", "1.2.0-0.dev.3", "1.2.dev3", "1.2.dev3", "1.2~~dev3"),
        ("pep440", "1.2.post1", None, "1.2.post1", "1.2.post1", "1.2.post1"),
        ("pep440", "1!1.2", None, "1!1.2", None, "1:1.2"),
        ("calver", "2024.09.01", "2024.9.1", "2024.9.1", "2024.09.01", "2024.09.01"),
        ("calver", "2024.09.01.1", None, "2024.9.1.1", "2024.09.01.1", "2024.09.01.1"),
    ],
)
def test_a_version_is_said_in_other_schemes_or_not_at_all(scheme, text, semver, pep440, container, debian):
    version = find_scheme(scheme).parse(text)
    assert mapped(version) == {"semver": semver, "pep440": pep440, "container": container, "debian": debian}


def test_the_tag_of_an_image_leads_back_to_the_version():
    assert str(from_container("1.2.3-rc.1_b.5")) == "1.2.3-rc.1+b.5"


numbers = st.integers(0, 30)
plain = st.builds("{}.{}.{}".format, numbers, numbers, numbers)
tokens = st.one_of(
    st.just(""),
    st.builds("-{}.{}".format, st.sampled_from(["alpha", "beta", "rc"]), numbers),
    st.builds("-0.dev.{}".format, numbers),
)
mappable = st.builds("{}{}".format, plain, tokens).map(parse_semver)


@given(mappable, mappable)
def test_the_order_is_the_same_on_both_sides_of_the_mapping(one, other):
    left, right = to_pep440(one), to_pep440(other)
    assert left is not None
    assert right is not None
    assert to_semver(left) == one
    assert (one.order < other.order) == (left.order < right.order)


@given(st.integers(0, 4_000_000_000))
def test_days_are_those_of_the_calendar(seconds):
    assert date_of(seconds) == datetime.datetime.fromtimestamp(seconds, datetime.UTC).date().isoformat()


@pytest.mark.parametrize("text", ["1.0+a+", "1..0", "french toast", "1.0 a1", "٠.١"])
def test_what_is_no_version_of_a_python_package_is_refused_in_words(text):
    with pytest.raises(UserError, match="not a version of PEP 440"):
        parse_pep440(text)
