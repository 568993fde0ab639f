"""Windows, freezes and holidays around midnights, years and changes of the clock."""

import datetime
from zoneinfo import ZoneInfo

import pytest

from fairway.domain.cadence.calendar import Calendar, instant
from fairway.domain.cadence.policy import CadencePolicy, Holidays, Period, Window, Yearly

BERLIN = ZoneInfo("Europe/Berlin")
CHRISTMAS = {datetime.date(2026, 12, 25): "Christmas Day"}


def holidays(country, region, year):
    return {day: name for day, name in CHRISTMAS.items() if day.year == year and country == "DE"}


def calendar(*, windows=(), freezes=(), zone=BERLIN):
    policy = CadencePolicy(time_zone=str(zone), windows=tuple(windows), freezes=tuple(freezes))
    return Calendar(policy, zone, holidays)


def at(text, zone=BERLIN):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def utc(text):
    return at(text, datetime.UTC)


OFFICE = Window((0, 1, 2, 3), 9 * 3600, 16 * 3600)
NIGHT = Window((4,), 22 * 3600, 2 * 3600)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-23T08:59:59", False),
        ("2026-11-23T09:00", True),
        ("2026-11-23T15:59:59", True),
        ("2026-11-23T16:00", False),
        ("2026-11-27T12:00", False),
    ],
)
def test_a_window_begins_and_ends_to_the_second(moment, is_open):
    assert (calendar(windows=[OFFICE]).judge(at(moment)) is None) is is_open


def test_what_is_closed_says_why_and_when_it_opens():
    closed = calendar(windows=[OFFICE]).judge(at("2026-11-26T17:00"))
    assert closed.why == "outside of the windows (Mon to Thu 09:00 to 16:00 Europe/Berlin)"
    assert closed.opens == at("2026-11-30T09:00")


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins():
    night = calendar(windows=[NIGHT])
    assert night.judge(at("2026-11-28T01:59")) is None
    assert night.judge(at("2026-11-27T01:00")) is not None
    assert night.judge(at("2026-11-28T02:00")).opens == at("2026-12-04T22:00")


def test_the_last_day_of_a_freeze_belongs_to_it():
    frozen = calendar(freezes=[Period("2026-12-19T00:00", "2027-01-04T00:00", "year end")])
    assert frozen.judge(at("2026-12-18T23:59:59")) is None
    closed = frozen.judge(at("2027-01-03T23:59:59"))
    assert closed.why == "freeze 'year end' (2026-12-19 to 2027-01-03)"
    assert closed.opens == at("2027-01-04T00:00")
    assert frozen.judge(at("2027-01-04T00:00")) is None


@pytest.mark.parametrize(
    ("moment", "is_open"), [("2026-12-31T12:00", False), ("2031-01-02T12:00", False), ("2031-01-04T00:00", True)]
)
def test_a_yearly_freeze_may_go_over_the_end_of_the_year(moment, is_open):
    yearly = calendar(freezes=[Yearly((12, 20), (1, 3), "")])
    assert (yearly.judge(at(moment)) is None) is is_open


def test_the_last_of_february_is_frozen_in_other_years_too():
    assert calendar(freezes=[Yearly((2, 29), (2, 29), "")]).judge(at("2027-02-28T12:00")) is not None


def test_a_holiday_and_the_days_before_it_are_frozen():
    frozen = calendar(freezes=[Holidays("DE", before=1)])
    assert frozen.judge(at("2026-12-23T23:59")) is None
    closed = frozen.judge(at("2026-12-24T00:00"))
    assert closed.why == "freeze 'Christmas Day' (Christmas Day in DE, 2026-12-25)"
    assert closed.opens == at("2026-12-26T00:00")


def test_it_opens_with_the_next_window_after_the_last_of_several_freezes():
    both = calendar(windows=[OFFICE], freezes=[Holidays("DE"), Period("2026-12-26T00:00", "2026-12-28T12:00", "")])
    assert both.judge(at("2026-12-25T10:00")).opens == at("2026-12-28T12:00")


def test_what_never_opens_says_so():
    assert (
        calendar(freezes=[Period("2026-01-01T00:00", "2099-01-01T00:00", "for good")])
        .judge(at("2026-06-01T00:00"))
        .opens
        is None
    )


def test_a_window_in_the_hour_that_is_left_out_is_none():
    gone = calendar(windows=[Window(tuple(range(7)), 2 * 3600, 3 * 3600)])
    closed = gone.judge(at("2026-03-29T01:59:59"))
    assert closed.opens == at("2026-03-30T02:00")


def test_a_window_that_begins_in_the_hour_that_is_left_out_begins_with_the_jump():
    late = calendar(windows=[Window(tuple(range(7)), 2 * 3600 + 1800, 5 * 3600)])
    assert late.judge(utc("2026-03-29T00:59:59")) is not None
    assert late.judge(utc("2026-03-29T01:00:00")) is None


def test_in_the_hour_that_comes_twice_the_first_one_counts():
    early = calendar(windows=[Window(tuple(range(7)), 3600, 2 * 3600 + 1800)])
    assert early.judge(utc("2026-10-25T00:29:59")) is None
    assert early.judge(utc("2026-10-25T00:30:00")) is not None
    assert early.judge(utc("2026-10-25T01:15:00")) is not None


def test_a_day_without_midnight_begins_with_the_jump():
    """In Beirut clocks jump from 00:00 to 01:00."""
    beirut = ZoneInfo("Asia/Beirut")
    assert instant(datetime.datetime.fromisoformat("2026-03-29T00:00"), beirut) == utc("2026-03-28T22:00:00")
