"""Calendar versions: a date in a format, and a counter for further releases of the same date.

The codes are those of https://calver.org: `YYYY` 2024, `YY` 24, `0Y` 06, `MM` 9, `0M` 09, `WW` 5, `0W` 05, `DD` 1,
`0D` 01, and `MICRO`, a counter from 0 that is always written. Without `MICRO` the second release of a date gets `.1`,
the third `.2`. A pre-release is written as in SemVer: `2024.09.01-rc.1`.
"""

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from fairway.domain.errors import UserError
from fairway.domain.versioning.layout import DEFAULT_FORMAT
from fairway.domain.versioning.semver import Counted, SemVer, checked_pre

_CODES: dict[str, tuple[str, Callable[[datetime.date, bool], int], int]] = {
    # The pattern, the number of a day (by weeks or not: the year of a week is not always the day's), the least width.
    "YYYY": (r"\d{4}", lambda day, weeks: _year(day, weeks=weeks), 4),
    "0Y": (r"\d{2,3}", lambda day, weeks: _year(day, weeks=weeks) - 2000, 2),
    "YY": (r"0|[1-9]\d{0,2}", lambda day, weeks: _year(day, weeks=weeks) - 2000, 1),
    "0M": (r"0[1-9]|1[0-2]", lambda day, _: day.month, 2),
    "MM": (r"[1-9]|1[0-2]", lambda day, _: day.month, 1),
    "0W": (r"0[1-9]|[1-4]\d|5[0-3]", lambda day, _: day.isocalendar().week, 2),
    "WW": (r"[1-9]|[1-4]\d|5[0-3]", lambda day, _: day.isocalendar().week, 1),
    "0D": (r"0[1-9]|[12]\d|3[01]", lambda day, _: day.day, 2),
    "DD": (r"[1-9]|[12]\d|3[01]", lambda day, _: day.day, 1),
    "MICRO": (r"0|[1-9]\d*", lambda _day, _weeks: 0, 1),
}
_CODE = re.compile("|".join(sorted(_CODES, key=len, reverse=True)))
_TAIL = r"(?:-(?P<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+(?P<build>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"


@dataclass(frozen=True)
class CalVer:
    """A calendar version.

    Attributes:
        text: the date as the format writes it, without a counter of its own.
        numbers: its parts, for the order.
        counter: which release of this date, from 0.
        format: how it is written.
    """

    text: str
    numbers: tuple[int, ...]
    counter: int = 0
    pre: str = ""
    build: str = ""
    format: str = field(default=DEFAULT_FORMAT, compare=False)

    def __str__(self) -> str:
        if "MICRO" in self.format:
            core = self.text.replace("MICRO", str(self.counter))
        else:
            core = f"{self.text}.{self.counter}" if self.counter else self.text
        return f"{core}{'-' if self.pre else ''}{self.pre}{'+' if self.build else ''}{self.build}"

    @property
    def is_prerelease(self) -> bool:
        """It comes before the version of the date itself."""
        return bool(self.pre)

    @cached_property
    def order(self) -> tuple[object, ...]:
        """By date, then counter, then as SemVer orders pre-releases."""
        return (*self.numbers, self.counter, *SemVer((0, 0, 0), self.pre).order[3:])

    @property
    def core(self) -> "CalVer":
        """The stable version that this one is, or leads to."""
        return CalVer(self.text, self.numbers, self.counter, format=self.format)

    @property
    def counted(self) -> Counted | None:
        """Token and number of the pre-release."""
        return SemVer((0, 0, 0), self.pre).counted

    def with_pre(self, counted: Counted | None) -> "CalVer":
        """The same release as this pre-release, or as the stable version.

        Raises:
            UserError: the token cannot stand in a version.
        """
        pre = "" if counted is None else checked_pre(str(counted))
        return CalVer(self.text, self.numbers, self.counter, pre, format=self.format)

    def with_build(self, build: str) -> "CalVer":
        """The same version with build metadata."""
        return CalVer(self.text, self.numbers, self.counter, self.pre, build, self.format)

    def next_on(self, day: datetime.date) -> "CalVer":
        """The release after this one, made on that day: the date, or the next of the same date.

        A day before this version's own counts as its day: versions never go back, whatever the clock says.
        """
        fresh = version_of(day, self.format)
        if fresh.numbers > self.numbers:
            return fresh
        return CalVer(self.text, self.numbers, self.counter + 1, format=self.format)


def version_of(day: datetime.date, layout: str = DEFAULT_FORMAT) -> CalVer:
    """The first release of a day."""
    codes, weeks = _CODE.findall(layout), "W" in layout
    values = [_CODES[code][1](day, weeks) for code in codes]
    written = iter(_written(code, value) for code, value in zip(codes, values, strict=True))
    text = _CODE.sub(lambda _: next(written), layout)
    return CalVer(text, _without_counter(codes, values), format=layout)


def parse_calver(text: str, layout: str = DEFAULT_FORMAT) -> CalVer:
    """The version.

    Raises:
        UserError: it is none of this format, or no date.
    """
    match, codes = _pattern(layout).fullmatch(text), _CODE.findall(layout)
    if match is None:
        example = version_of(datetime.date(2024, 9, 1), layout)
        raise UserError("not-a-version", f"{text[:80]!r} is not a calendar version {layout}", f"such as {example}")
    values = [int(match[f"c{index}"]) for index in range(len(codes))]
    _insist_on_date(text, dict(zip((code[-1] for code in codes), values, strict=True)))
    written = iter(_written(code, value) for code, value in zip(codes, values, strict=True))
    date = _CODE.sub(lambda _: next(written), layout)
    counter = values[codes.index("MICRO")] if "MICRO" in codes else int(match["counter"] or 0)
    return CalVer(date, _without_counter(codes, values), counter, match["pre"] or "", match["build"] or "", layout)


def check_format(layout: str) -> str:
    """The format.

    Raises:
        UserError: no version could be told from another by it.
    """
    if "Y" not in layout or not re.fullmatch(r"[0-9A-Za-z._-]+", layout):
        raise UserError(
            "calver-format", f"{layout[:40]!r} is not a format of calendar versions", f"{DEFAULT_FORMAT} is"
        )
    return layout


@lru_cache(maxsize=8)
def _pattern(layout: str) -> re.Pattern[str]:
    codes = _CODE.findall(layout)
    between = [re.escape(part) for part in _CODE.sub("\0", layout).split("\0")]
    date = between[0]
    for index, code in enumerate(codes):
        date += f"(?P<c{index}>{_CODES[code][0]}){between[index + 1]}"
    counter = "" if "MICRO" in codes else r"(?:\.(?P<counter>[1-9]\d*))?"
    return re.compile(date + counter + _TAIL, re.ASCII)


def _written(code: str, value: int) -> str:
    return "MICRO" if code == "MICRO" else f"{value:0{_CODES[code][2]}}"


def _without_counter(codes: list[str], values: list[int]) -> tuple[int, ...]:
    return tuple(value for code, value in zip(codes, values, strict=True) if code != "MICRO")


def _year(day: datetime.date, *, weeks: bool) -> int:
    return day.isocalendar().year if weeks else day.year


def _insist_on_date(text: str, dated: dict[str, int]) -> None:
    year = dated.get("Y", 2000)
    try:
        datetime.date(year if year > 999 else 2000 + year, dated.get("M", 1), dated.get("D", 1))
    except ValueError as error:
        raise UserError("not-a-version", f"{text[:80]!r} is not a date", "2024.09.01 is one") from error
