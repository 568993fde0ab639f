"""Who passes windows and freezes, and with what."""

from zoneinfo import ZoneInfo

import pytest

from fairway.domain.cadence.calendar import Calendar
from fairway.domain.cadence.policy import CadencePolicy, Passage, Period
from fairway.domain.errors import UserError
from fairway.usecases.answers import Declined
from fairway.usecases.cadence.gate import CadenceGate, passage_of


def gate(**policy):
    frozen = (Period("2026-01-01T00:00", "2027-01-01T00:00", "audit"),)
    made = CadencePolicy("Europe/Berlin", environments=("production",), freezes=frozen, **policy)
    return CadenceGate(Calendar(made, ZoneInfo("Europe/Berlin"), lambda *_: {}), lambda: 1_780_000_000.0)


def release(asked, version="1.0.0", passage=None, to=None, early=False):
    return asked.admit_release(version, passage, is_prerelease=early, to=to)


def test_a_refusal_says_what_when_and_how_to_pass():
    refused = gate().admit_deployment("production", None)
    assert refused == Declined(
        "closed",
        "a deployment to production is held back: freeze 'audit' (2026-01-01 to 2026-12-31)",
        "it is the time again on Fri 2027-01-01 00:00 Europe/Berlin; "
        "--emergency REASON or --security REASON pass, on record",
    )


def test_a_refusal_without_an_end_in_sight_says_for_how_long_it_stays_so():
    frozen = (Period("2026-01-01T00:00", "2099-01-01T00:00", "audit"),)
    made = CadencePolicy("Europe/Berlin", environments=("production",), freezes=frozen)
    asked = CadenceGate(Calendar(made, ZoneInfo("Europe/Berlin"), lambda *_: {}), lambda: 1_780_000_000.0)
    assert asked.admit_deployment("production", None).hint.startswith("it stays closed for two years at least; ")


def test_what_was_passed_is_told_with_the_reason():
    passed = gate().admit_deployment("production", Passage("emergency", "down"))
    assert passed == Passage("emergency", "down", "freeze 'audit' (2026-01-01 to 2026-12-31)")


def test_a_reason_is_kept_also_where_nothing_had_to_be_passed():
    assert gate().admit_deployment("staging", Passage("security", "CVE")) == Passage("security", "CVE")


@pytest.mark.parametrize(
    ("releases", "early", "held"),
    [("stable", False, True), ("stable", True, False), ("all", True, True), ("none", False, False)],
)
def test_which_releases_are_held_back_is_configured(releases, early, held):
    assert isinstance(release(gate(releases=releases), early=early), Declined) is held


def test_a_pre_release_that_goes_on_to_production_is_held_back():
    assert isinstance(release(gate(), early=True, to="production"), Declined)
    assert release(gate(), early=True, to="staging") is None


@pytest.mark.parametrize(
    ("given", "code"), [(("", None), "no-reason"), ((None, " "), "no-reason"), (("a", "b"), "usage")]
)
def test_who_passes_says_one_reason(given, code):
    with pytest.raises(UserError) as refused:
        passage_of(*given)
    assert refused.value.code == code


def test_who_says_nothing_passes_nothing():
    assert passage_of(None, None) is None
