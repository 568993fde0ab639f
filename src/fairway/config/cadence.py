"""The section `cadence`: when releases and deployments may begin, and which leave by timetable."""

import datetime
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from fairway.config.branches import BranchName
from fairway.config.complaints import one_of
from fairway.config.document import Document
from fairway.config.problems import Problem, quote
from fairway.config.section import Section
from fairway.config.types import Name, PositiveDuration, refuse
from fairway.config.versioning import Token, ZoneName
from fairway.domain.cadence.policy import CadencePolicy, Freeze, Holidays, Period, Train, Window, Yearly

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])|24:00")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]([01]\d|2[0-3]):[0-5]\d")
_YEARLY = re.compile(r"(\d\d)-(\d\d)")


def _days(value: Any) -> Any:
    """A list of days; `mon-fri` and one day alone are lists too."""
    words = value if isinstance(value, list) else [value]
    found: list[str] = []
    for word in words:
        first, dash, last = str(word).lower().partition("-")
        for one in (first, last) if dash else (first,):
            if one not in DAYS:
                raise refuse(f"{quote(word)} is no day of the week", f"write {', '.join(DAYS)}, or mon-fri")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        # A run of days may go over the end of the week.
        found += [DAYS[number % 7] for number in range(begin, end + 1 + (7 if end < begin else 0))]
    return sorted(set(found), key=DAYS.index)


def _clock(value: str) -> str:
    if not _CLOCK.fullmatch(value):
        raise refuse(f"{quote(value)} is no time of day", "write it like 09:00; 24:00 ends a day")
    return value


def _moment(value: str) -> str:
    shown = f"{quote(value)} is no date"
    try:
        if _DATE.fullmatch(value) or _MOMENT.fullmatch(value):
            datetime.datetime.fromisoformat(value)
            return value
        if _YEARLY.fullmatch(value):
            datetime.date.fromisoformat(f"2000-{value}")
            return value
    except ValueError as error:
        raise refuse(shown, "there is no such day") from error
    raise refuse(shown, 'write 2026-12-19, "2026-12-19 18:00", or 12-19 for every year')


def _cron(value: str) -> str:
    from cronsim import CronSim, CronSimError  # noqa: PLC0415 -- only files with a timetable need it

    if len(value.split()) != 5:
        raise refuse(f"{quote(value)} does not have the five fields of cron", 'such as "0 9 * * 2"')
    try:
        CronSim(value, datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC))
    except CronSimError as error:
        raise refuse(f"{quote(value)} is no timetable of cron: {error}", 'such as "0 9 * * 2"') from error
    return value


Clock = Annotated[str, AfterValidator(_clock)]
Moment = Annotated[str, AfterValidator(_moment)]
Days = Annotated[
    list[str],
    BeforeValidator(_days),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class WindowSection(Section):
    """Hours in which releases and deployments may begin."""

    days: Days = Field(
        default=[*DAYS],
        description="Days of the week on which it begins: one, a run such as `mon-thu`, or a list. By default all.",
        examples=["mon-thu"],
    )
    from_: Clock = Field(alias="from", description="When it begins, as a clock there shows it.", examples=["09:00"])
    to: Clock = Field(
        description="When it ends; on the next day, if that is not after `from`. `24:00` is the end of the day.",
        examples=["16:00"],
    )


class FreezeSection(Section):
    """Days on which nothing begins: from one to another, or public holidays."""

    from_: Moment | None = Field(
        default=None,
        alias="from",
        description="First day, or day and time; a month and a day for every year.",
        examples=["2026-12-19"],
    )
    to: Moment | None = Field(
        default=None, description="Last day, which belongs to it, or the time of its end.", examples=["2027-01-03"]
    )
    holidays: Annotated[str, Field(pattern="^[A-Z]{2,3}$")] | None = Field(
        default=None, description="In place of days: the public holidays of this country (ISO 3166).", examples=["DE"]
    )
    region: str | None = Field(
        default=None, description="A subdivision of the country, with holidays of its own.", examples=["BE"]
    )
    before: int = Field(
        default=0, description="How many days before each holiday belong to it.", examples=[1], ge=0, le=14
    )
    reason: str = Field(default="", description="Why, for whoever is refused.", examples=["year end"])


class TrainSection(Section):
    """A release that leaves by timetable, with whatever is there."""

    day: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] | None = Field(
        default=None, description="The day of the week on which it leaves.", examples=["tuesday"]
    )
    at: Clock | None = Field(default=None, description="The time at which it leaves on that day.", examples=["09:00"])
    cron: Annotated[str, AfterValidator(_cron)] | None = Field(
        default=None,
        description="In place of `day` and `at`: a timetable in the five fields of cron.",
        examples=["0 6 * * 1-5"],
    )
    branch: BranchName | None = Field(
        default=None,
        description="The branch whose latest commit is released. By default the main one.",
        examples=["main"],
    )
    fetch: str | None = Field(
        default=None,
        description="Remote that is asked for the branch and the tags first. By default the branch is taken as it is "
        "here.",
        examples=["origin"],
    )
    pre: Token | None = Field(
        default=None,
        description="Token of the pre-releases that it makes. By default releases are stable.",
        examples=["rc"],
    )
    to: str | None = Field(
        default=None, description="Environment that the release goes on to. By default none.", examples=["staging"]
    )
    late: PositiveDuration = Field(
        default=86400.0,
        description="How late it may leave, as after a sleep of the machine or a freeze. After that the next one takes "
        "its place.",
        examples=["4h"],
    )


class CadenceSection(Section):
    """When releases and deployments may begin, and which leave by timetable."""

    time_zone: ZoneName = Field(
        default="UTC",
        description="Of all times here; clocks go forward and back as they do there.",
        examples=["Europe/Berlin"],
    )
    environments: list[Name] | None = Field(
        default=None,
        description="Environments into which deployments are held back. By default those that users see, as "
        "`branches.production` has them.",
        examples=[["production"]],
    )
    releases: Literal["stable", "all", "none"] = Field(
        default="stable", description="Releases that are held back.", examples=["none"]
    )
    windows: list[WindowSection] = Field(
        default_factory=list,
        description="Hours in which releases and deployments may begin. By default any.",
        examples=[[{"days": "mon-thu", "from": "09:00", "to": "16:00"}]],
        max_length=100,
    )
    freezes: list[FreezeSection] = Field(
        default_factory=list,
        description="Days on which none may begin.",
        examples=[[{"from": "12-20", "to": "01-03", "reason": "year end"}]],
        max_length=1000,
    )
    trains: dict[Name, TrainSection] = Field(
        default_factory=dict,
        description="Releases that leave by timetable, by name.",
        examples=[{"weekly": {"day": "tuesday", "at": "09:00"}}],
    )


def to_cadence(section: CadenceSection | None, production: tuple[str, ...]) -> CadencePolicy | None:
    """The section in the words of the domain.

    Args:
        section: None where there is none.
        production: the environments that users see.
    """
    if section is None:
        return None
    return CadencePolicy(
        time_zone=section.time_zone,
        releases=section.releases,
        environments=production if section.environments is None else tuple(section.environments),
        windows=tuple(
            Window(tuple(DAYS.index(day) for day in one.days), _seconds(one.from_), _seconds(one.to))
            for one in section.windows
        ),
        freezes=tuple(_freeze(one) for one in section.freezes),
        trains=tuple(_train(name, one) for name, one in section.trains.items()),
    )


def _seconds(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60


def _freeze(section: FreezeSection) -> Freeze:
    if section.holidays is not None:
        return Holidays(section.holidays, section.region or "", section.before, section.reason)
    start, end = section.from_ or "", section.to or section.from_ or ""
    if _YEARLY.fullmatch(start):
        return Yearly(_month_and_day(start), _month_and_day(end), section.reason)
    return Period(_at(start), _at(end, ends=True), section.reason)


def _month_and_day(text: str) -> tuple[int, int]:
    month, day = text.split("-")
    return int(month), int(day)


def _at(text: str, *, ends: bool = False) -> str:
    """The local moment; the end of a day where only a day is given."""
    moment = datetime.datetime.fromisoformat(text)
    if ends and _DATE.fullmatch(text):
        # The last day that there is has no next one.
        with suppress(OverflowError):
            moment += datetime.timedelta(days=1)
    return moment.isoformat(timespec="minutes")


def _train(name: str, section: TrainSection) -> Train:
    cron = section.cron
    if cron is None:
        hours, minutes = (section.at or "0:0").split(":")
        cron = f"{int(minutes)} {int(hours)} * * {WEEKDAYS.index(section.day or 'monday') + 1}"
    return Train(name, cron, section.branch, section.pre or "", section.to, section.late, section.fetch)


def check_cadence(document: Document, data: Any, section: CadenceSection) -> Iterator[Problem]:
    """What concerns more than one key of the section."""
    environments = data.get("environments")
    known = list(environments) if isinstance(environments, dict) else []
    for number, name in enumerate(section.environments or ()):
        if name not in known:
            path = ("cadence", "environments", number)
            yield document.problem(path, *one_of(name, "an environment of this file", known))
    for place, window in enumerate(section.windows):
        if _seconds(window.from_) >= 86400:
            yield document.problem(("cadence", "windows", place, "from"), "24:00 begins no window", "write 00:00")
    for place, freeze in enumerate(section.freezes):
        for sentence, hint in _freeze_problems(freeze):
            yield document.problem(("cadence", "freezes", place), sentence, hint)
    for name, train in section.trains.items():
        for key, sentence, hint in _train_problems(train, known):
            yield document.problem(("cadence", "trains", name, *key), sentence, hint)


def _freeze_problems(freeze: FreezeSection) -> Iterator[tuple[str, str]]:
    start, end = freeze.from_, freeze.to
    if (start is None) == (freeze.holidays is None):
        yield "a freeze has either from, or holidays", "such as {from: 2026-12-19, to: 2027-01-03} or {holidays: DE}"
    elif freeze.holidays is not None:
        yield from _holiday_problems(freeze)
    elif start is not None and end is not None:
        if bool(_YEARLY.fullmatch(start)) != bool(_YEARLY.fullmatch(end)):
            yield "one of from and to has a year, and the other one has none", "give it to both, or to none"
        elif not _YEARLY.fullmatch(start) and _at(start) >= _at(end, ends=True):
            yield f"the freeze ends ({end}) before it begins ({start})", ""
    elif start is not None and _MOMENT.fullmatch(start):
        yield f"the freeze from {start} has no end", "add to"


def _holiday_problems(freeze: FreezeSection) -> Iterator[tuple[str, str]]:
    """Countries and regions whose holidays nobody knows; the library is loaded for this only."""
    import holidays  # noqa: PLC0415 -- takes longer to load than the rest of the file to be read

    country = freeze.holidays or ""
    regions = holidays.list_supported_countries().get(country)
    if regions is None:
        yield f"the holidays of {quote(country)} are not known", "write the country as ISO 3166 does, such as DE or US"
    elif freeze.region is not None and freeze.region not in regions:
        yield (
            f"{country} has no region {quote(freeze.region)} with holidays",
            f"known are {', '.join(regions) or 'none'}",
        )
    if freeze.to is not None:
        yield "to does not go with holidays", "remove it"


def _train_problems(train: TrainSection, known: list[str]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    weekly = train.day is not None or train.at is not None
    if weekly == (train.cron is not None):
        yield (), "a train has either day and at, or cron", 'such as {day: tuesday, at: "09:00"}'
    elif weekly and (train.day is None or train.at is None):
        yield (), "day and at go together", 'such as {day: tuesday, at: "09:00"}'
    elif train.at == "24:00":
        yield ("at",), "24:00 is no time to leave", "write 00:00 of the next day"
    if train.to is not None and train.to not in known:
        yield ("to",), *one_of(train.to, "an environment of this file", known)
