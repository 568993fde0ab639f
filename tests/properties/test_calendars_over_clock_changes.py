"""Windows and trains hold what they promise whatever clocks do: against a clock that is watched minute by minute."""

import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st

from fairway.adapters.calendars import LibraryCalendars
from fairway.domain.cadence.calendar import Calendar, instant
from fairway.domain.cadence.policy import CadencePolicy, Period, Window

#: With changes by an hour, by half of one, at midnight, by a whole day, several in a year, and none.
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Beirut",
    "America/Santiago",
    "Africa/Casablanca",
    "UTC",
)
MINUTE = 60.0


def changes(zone, year):
    """The instants of a year at which a clock there changes, or one of the year's days if it never does."""
    begin = datetime.datetime(year, 1, 1, tzinfo=datetime.UTC)
    hours = [begin + datetime.timedelta(hours=n) for n in range(366 * 24)]
    offsets = [one.astimezone(zone).utcoffset() for one in hours]
    return [hours[n] for n in range(1, len(hours)) if offsets[n] != offsets[n - 1]] or [hours[4000]]


CHANGES = {name: [one for year in (2026, 2027) for one in changes(ZoneInfo(name), year)] for name in ZONES}
CHANGES["Pacific/Apia"] = [datetime.datetime(2011, 12, 30, 10, tzinfo=datetime.UTC)]

near_changes = st.sampled_from([(name, change) for name, found in CHANGES.items() for change in found]).flatmap(
    lambda one: st.integers(-1440, 1440).map(lambda minutes: (one[0], one[1].timestamp() + minutes * MINUTE))
)
clocks = st.integers(0, 1439).map(lambda minutes: minutes * 60)


def watched(zone, wall):
    """The first minute at which a clock on the wall shows this or more, by looking at it every minute."""
    begin = wall.replace(tzinfo=datetime.UTC).timestamp() - 30 * 3600
    shown = (
        (begin + n * MINUTE, datetime.datetime.fromtimestamp(begin + n * MINUTE, zone).replace(tzinfo=None))
        for n in range(60 * 60)
    )
    return next(at for at, clock in shown if clock >= wall)


@settings(deadline=None, max_examples=40)
@given(near_changes)
@example(("Pacific/Apia", datetime.datetime(2011, 12, 30, 12, tzinfo=datetime.UTC).timestamp()))
def test_a_time_on_the_wall_is_the_first_instant_that_shows_it_or_jumped_over_it(place):
    name, at = place
    zone = ZoneInfo(name)
    # What a clock without changes would show: it may be a time that there is not.
    usual = zone.utcoffset(datetime.datetime.fromtimestamp(at - 7 * 86400, zone))
    wall = datetime.datetime.fromtimestamp(at, datetime.UTC).replace(tzinfo=None) + usual
    assert instant(wall, zone) == watched(zone, wall)


@settings(deadline=None, max_examples=40)
@given(near_changes, clocks, clocks)
def test_it_is_open_from_the_first_sight_of_the_beginning_to_the_first_sight_of_the_end(place, start, end):
    name, at = place
    zone = ZoneInfo(name)
    day = datetime.datetime.fromtimestamp(at, zone).date()
    window = Window(tuple(range(7)), start, end)

    def bounds(date):
        midnight = datetime.datetime.combine(date, datetime.time())
        over = end if end > start else end + 86400
        return [watched(zone, midnight + datetime.timedelta(seconds=one)) for one in (start, over)]

    spans = [bounds(day + datetime.timedelta(days=n)) for n in (-1, 0)]
    expected = any(begin <= at < over for begin, over in spans)
    calendar = Calendar(CadencePolicy(time_zone=name, windows=(window,)), zone, lambda *_: {})
    assert (calendar.judge(at) is None) is expected


@settings(deadline=None, max_examples=40)
@given(near_changes, clocks, clocks, st.sets(st.integers(0, 6), min_size=1), st.integers(1, 4000))
def test_it_opens_when_it_says_and_not_before(place, start, end, days, minutes):
    name, at = place
    zone = ZoneInfo(name)
    begin = datetime.datetime.fromtimestamp(at, zone).replace(tzinfo=None, second=0)
    over = begin + datetime.timedelta(minutes=minutes)
    freeze = Period(begin.isoformat(timespec="minutes"), over.isoformat(timespec="minutes"), "")
    policy = CadencePolicy(time_zone=name, windows=(Window(tuple(sorted(days)), start, end),), freezes=(freeze,))
    calendar = Calendar(policy, zone, lambda *_: {})
    closed = calendar.judge(at)
    if closed is None or closed.opens is None:
        return
    assert calendar.judge(closed.opens) is None
    assert calendar.judge(closed.opens - 1.0) is not None
    between = [at + (closed.opens - at) * part / 20 for part in range(20)]
    assert all(calendar.judge(one) is not None for one in between)


@settings(deadline=None, max_examples=40)
@given(near_changes.filter(lambda place: place[0] != "Pacific/Apia"), clocks)
def test_a_daily_train_leaves_once_on_each_day_whatever_clocks_do(place, clock):
    name, at = place
    zone, calendars = ZoneInfo(name), LibraryCalendars()
    cron = f"{clock // 60 % 60} {clock // 3600} * * *"
    departures = [calendars.find_next(cron, zone, at - 3 * 86400)]
    for _ in range(6):
        departures.append(calendars.find_next(cron, zone, departures[-1]))
    days = [datetime.datetime.fromtimestamp(one, zone).date() for one in departures]
    assert days == [days[0] + datetime.timedelta(days=n) for n in range(7)]
    # Whoever looks back at any moment sees the departures that whoever looked ahead saw.
    for earlier, later in pairwise(departures):
        for moment in (earlier, earlier + 1.0, (earlier + later) / 2, later - 1.0):
            assert calendars.find_last(cron, zone, moment) == earlier
