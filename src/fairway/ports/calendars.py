"""What is known of calendars beside arithmetic: public holidays and timetables."""

import datetime
from collections.abc import Mapping
from typing import Protocol


class Calendars(Protocol):
    """Public holidays, and the timetables of cron."""

    def list_holidays(self, country: str, region: str, year: int) -> Mapping[datetime.date, str]:
        """The public holidays of a year with their names.

        Args:
            country: as in ISO 3166-1.
            region: subdivision; empty: those of the whole country only.
            year: the year.

        Raises:
            UserError: nobody knows them.
        """
        ...

    def find_last(self, cron: str, zone: datetime.tzinfo, at: float) -> float | None:
        """The latest moment of a timetable up to an instant, seconds since the epoch, UTC; None if there is none."""
        ...

    def find_next(self, cron: str, zone: datetime.tzinfo, at: float) -> float | None:
        """The first moment after an instant, likewise."""
        ...
