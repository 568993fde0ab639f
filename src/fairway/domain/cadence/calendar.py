"""Whether it is the time for something, and when it will be.

What people write is what a clock on the wall shows. A span begins at the first instant at which the clock shows its
beginning, or has jumped over it, and ends likewise: in an hour that the clock shows twice, the first counts; in one
that it leaves out, the instant of the jump.
"""

import datetime
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from fairway.domain.cadence.policy import CadencePolicy, Freeze, Holidays, Period, Window, Yearly

#: How far ahead is looked for a time that is open.
_HORIZON = 366 * 2
_DAY = datetime.timedelta(days=1)

HolidaysOf = Callable[[str, str, int], Mapping[datetime.date, str]]
"""Public holidays of country, region and year, with their names."""


@dataclass(frozen=True, slots=True)
class Span:
    """From one instant to before another, seconds since the epoch, UTC.

    Attributes:
        why: what it is, in words.
    """

    start: float
    end: float
    why: str = ""

    def has(self, at: float) -> bool:
        """The instant lies in it."""
        return self.start <= at < self.end


@dataclass(frozen=True, slots=True)
class Closed:
    """It is not the time.

    Attributes:
        why: what holds it back.
        opens: when it is the time again, seconds since the epoch, UTC; None: not within two years.
    """

    why: str
    opens: float | None


def instant(wall: datetime.datetime, zone: datetime.tzinfo) -> float:
    """The first instant at which a clock on the wall shows this time or has jumped over it.

    Args:
        wall: without a zone.
        zone: where the wall is.

    Returns:
        Seconds since the epoch, UTC.
    """
    early, late = (wall.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    if early <= late:
        return early
    # The clock jumps over it: between the two lies the jump, after which it shows more than this.
    low, high = int(late), int(early)
    while high - low > 1:
        middle = (low + high) // 2
        if _wall(middle, zone) > wall:
            high = middle
        else:
            low = middle
    return float(high)


def _wall(at: float, zone: datetime.tzinfo) -> datetime.datetime:
    """What a clock on the wall shows."""
    return datetime.datetime.fromtimestamp(at, zone).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Windows and freezes in a time zone.

    Attributes:
        holidays: asked only where a freeze names a country.
    """

    policy: CadencePolicy
    zone: datetime.tzinfo
    holidays: HolidaysOf

    def judge(self, at: float) -> Closed | None:
        """What holds something back that would begin at this instant; None: nothing does.

        Args:
            at: seconds since the epoch, UTC.
        """
        why = self._find_closed(at)
        return None if why is None else Closed(why, self._find_open(at))

    def _find_closed(self, at: float) -> str | None:
        frozen = self._frozen(at)
        if frozen is not None:
            return frozen.why
        if not self.policy.windows or self._within(at) is not None:
            return None
        return f"outside of the windows ({'; '.join(map(str, self.policy.windows))} {self.policy.time_zone})"

    def _find_open(self, at: float) -> float | None:
        """The next instant at which nothing is held back."""
        last = at + _HORIZON * 86400.0
        while at < last:
            frozen = self._frozen(at)
            if frozen is not None:
                at = frozen.end
            elif self.policy.windows and self._within(at) is None:
                following = self._next_window(at)
                if following is None:
                    return None
                at = following
            else:
                return at
        return None

    def _frozen(self, at: float) -> Span | None:
        """The freeze that the instant lies in; of several the one that ends last."""
        day = _wall(at, self.zone).date()
        spans = (span for freeze in self.policy.freezes for span in self._spans(freeze, day) if span.has(at))
        return max(spans, key=lambda span: span.end, default=None)

    def _spans(self, freeze: Freeze, day: datetime.date) -> Iterator[Span]:
        """When a freeze holds, around a day."""
        match freeze:
            case Period(start, end, reason):
                begin, over = (instant(datetime.datetime.fromisoformat(one), self.zone) for one in (start, end))
                yield Span(begin, over, _freeze_words(reason, f"{_first(start)} to {_last(end)}"))
            case Yearly(start, end, reason):
                for year in (day.year - 1, day.year, day.year + 1):
                    begin = self._midnight(_date(year, start))
                    over = self._midnight(_date(year + (end < start), end) + _DAY)
                    words = f"{start[0]:02}-{start[1]:02} to {end[0]:02}-{end[1]:02} of every year"
                    yield Span(begin, over, _freeze_words(reason, words))
            case Holidays():
                yield from self._holiday_spans(freeze, day)

    def _holiday_spans(self, freeze: Holidays, day: datetime.date) -> Iterator[Span]:
        ahead = datetime.timedelta(days=freeze.before)
        where = f"{freeze.country}-{freeze.region}" if freeze.region else freeze.country
        for year in sorted({day.year, (day + ahead).year}):
            for date, name in self.holidays(freeze.country, freeze.region, year).items():
                if date - ahead <= day <= date:
                    words = _freeze_words(freeze.reason or name, f"{name} in {where}, {date}")
                    yield Span(self._midnight(date - ahead), self._midnight(date + _DAY), words)

    def _within(self, at: float) -> Span | None:
        """The window that the instant lies in."""
        day = _wall(at, self.zone).date()
        return next((span for span in self._windows(day - _DAY, day) if span.has(at)), None)

    def _next_window(self, at: float) -> float | None:
        """When the next window begins."""
        day = _wall(at, self.zone).date()
        # One more day than a week: a window may be jumped over altogether.
        coming = [span.start for span in self._windows(day, day + 8 * _DAY) if span.start > at]
        return min(coming, default=None)

    def _windows(self, first: datetime.date, last: datetime.date) -> Iterator[Span]:
        """The windows that begin on these days; none that no instant lies in."""
        for number in range((last - first).days + 1):
            day = first + number * _DAY
            for window in self.policy.windows:
                if day.weekday() in window.days:
                    span = self._span(window, day)
                    if span.start < span.end:
                        yield span

    def _span(self, window: Window, day: datetime.date) -> Span:
        over = day + _DAY if window.end <= window.start else day
        return Span(self._at(day, window.start), self._at(over, window.end))

    def _at(self, day: datetime.date, seconds: int) -> float:
        midnight = datetime.datetime.combine(day, datetime.time())
        return instant(midnight + datetime.timedelta(seconds=seconds), self.zone)

    def _midnight(self, day: datetime.date) -> float:
        return self._at(day, 0)


def _date(year: int, when: tuple[int, int]) -> datetime.date:
    """The day of that year; the 29th of February is the 28th where there is none."""
    month, day = when
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return datetime.date(year, month, 28)


def _freeze_words(reason: str, when: str) -> str:
    return f"freeze {reason!r} ({when})" if reason else f"freeze ({when})"


def _first(start: str) -> str:
    return start.replace("T", " ").removesuffix(" 00:00")


def _last(end: str) -> str:
    """The last day, where the end is a midnight; else the time."""
    moment = datetime.datetime.fromisoformat(end)
    return str((moment - _DAY).date()) if moment.time() == datetime.time() else end.replace("T", " ")
