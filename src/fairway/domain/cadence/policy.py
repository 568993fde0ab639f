"""What the user configured under `cadence`, as frozen values. Made by `fairway.config`."""

from dataclasses import dataclass
from typing import Literal

Releases = Literal["stable", "all", "none"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of some weekdays.

    Attributes:
        days: 0 is Monday.
        start: seconds after midnight, as a clock on the wall shows them.
        end: the same; not above `start`: of the next day.
    """

    days: tuple[int, ...]
    start: int
    end: int

    def __str__(self) -> str:
        """As people write it."""
        days = [_DAYS[day] for day in self.days]
        run = self.days == tuple(range(self.days[0], self.days[-1] + 1)) and len(days) > 2
        words = f"{days[0]} to {days[-1]}" if run else ", ".join(days)
        return f"{words} {_clock(self.start)} to {_clock(self.end)}"


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds % 3600 // 60:02}"


@dataclass(frozen=True, slots=True)
class Period:
    """A freeze from one moment to another.

    Attributes:
        start, end: local times as `YYYY-MM-DDTHH:MM`; at `end` it is over.
    """

    start: str
    end: str
    reason: str


@dataclass(frozen=True, slots=True)
class Yearly:
    """A freeze of every year.

    Attributes:
        start, end: month and day; the last day belongs to it. An end before the start lies in the next year.
    """

    start: tuple[int, int]
    end: tuple[int, int]
    reason: str


@dataclass(frozen=True, slots=True)
class Holidays:
    """The public holidays of a country are freezes.

    Attributes:
        country: as in ISO 3166-1, such as DE.
        region: its subdivision as in ISO 3166-2, without the country; empty: those of the whole country only.
        before: how many days before each belong to it.
    """

    country: str
    region: str = ""
    before: int = 0
    reason: str = ""


Freeze = Period | Yearly | Holidays


@dataclass(frozen=True, slots=True)
class Train:
    """A release that leaves by timetable.

    Attributes:
        cron: when, in the five fields of cron, as a clock on the wall of the time zone shows it.
        branch: whose latest commit it takes; None: the main branch.
        token: of a pre-release; empty: a stable release.
        to: an environment that it goes on to; None: none.
        late: seconds after which it no longer leaves; the next one takes its place.
        fetch: remote whose branch is fetched first; None: the branch as it is here.
    """

    name: str
    cron: str
    branch: str | None = None
    token: str = ""
    to: str | None = None
    late: float = 86400.0
    fetch: str | None = None


@dataclass(frozen=True, slots=True)
class CadencePolicy:
    """When releases and deployments may begin.

    Attributes:
        time_zone: of everything here, as in the IANA database.
        releases: which releases windows and freezes hold back.
        environments: those into which deployments are held back.
        windows: none: any time is fine.
    """

    time_zone: str = "UTC"
    releases: Releases = "stable"
    environments: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    trains: tuple[Train, ...] = ()

    def holds_release(self, *, is_prerelease: bool) -> bool:
        """Windows and freezes are about such a release."""
        return self.releases == "all" or (self.releases == "stable" and not is_prerelease)


@dataclass(frozen=True, slots=True)
class Passage:
    """Somebody's word that a release or deployment begins although it is not the time for it.

    Attributes:
        reason: theirs.
        passed: what would have held it back; empty: nothing.
    """

    kind: Literal["emergency", "security"]
    reason: str
    passed: str = ""

    def __str__(self) -> str:
        """In one sentence."""
        passed = f" (passed: {self.passed})" if self.passed else ""
        return f"{self.kind}: {self.reason}{passed}"
