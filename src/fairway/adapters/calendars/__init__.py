"""Public holidays and timetables by libraries, which are loaded when they are needed; implements `Calendars`."""

import datetime
from collections.abc import Mapping
from functools import lru_cache

from fairway.domain.errors import UserError
from fairway.ports.calendars import Calendars


class LibraryCalendars(Calendars):
    """What the packages `holidays` and `cronsim` know."""

    def list_holidays(self, country: str, region: str, year: int) -> Mapping[datetime.date, str]:
        """The public holidays of a year with their names."""
        return _holidays(country, region, year)

    def find_last(self, cron: str, zone: datetime.tzinfo, at: float) -> float | None:
        """The latest moment of a timetable up to an instant."""
        # The library looks strictly before, by whole minutes.
        return _moment(cron, zone, at + 60.0 - at % 60.0, backwards=True)

    def find_next(self, cron: str, zone: datetime.tzinfo, at: float) -> float | None:
        """The first moment after an instant."""
        return _moment(cron, zone, at, backwards=False)


@lru_cache(maxsize=64)
def _holidays(country: str, region: str, year: int) -> Mapping[datetime.date, str]:
    from holidays import country_holidays  # noqa: PLC0415 -- slow to load, and only some freezes need it

    try:
        return dict(country_holidays(country, subdiv=region or None, years=year))
    except NotImplementedError as error:
        sentence = f"the holidays of {country}{f'-{region}' if region else ''} are not known: {error}"
        raise UserError("unknown-holidays", sentence, "see cadence.freezes") from error


def _moment(cron: str, zone: datetime.tzinfo, at: float, *, backwards: bool) -> float | None:
    from cronsim import CronSim  # noqa: PLC0415 -- only timetables need it

    moments = CronSim(cron, datetime.datetime.fromtimestamp(at, zone), reverse=backwards)
    found = next(moments, None)
    return None if found is None else found.timestamp()
