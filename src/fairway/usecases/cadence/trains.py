"""Trains: each departure is one release, whoever looks at the timetable and however often.

The id of the release is made of service, train and moment, so that of several who start it only one does: the journal
decides. A departure that has nothing to take is recorded too, as a release that is over: what is merged afterwards
waits for the next one.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from fairway.domain.cadence.calendar import Calendar, Closed
from fairway.domain.cadence.policy import Train
from fairway.domain.errors import TransientError, UserError
from fairway.domain.pipeline.actions import AwaitTurn
from fairway.domain.pipeline.compile import TURN
from fairway.domain.pipeline.events import ReleaseEnded, ReleaseStarted
from fairway.domain.pipeline.plan import ReleasePlan, Task
from fairway.domain.pipeline.release import Release
from fairway.ports.calendars import Calendars
from fairway.ports.releases import ReleaseJournal

State = Literal["none", "due", "held", "missed", "under-way", "left"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a train stands. Times are seconds since the epoch, UTC.

    Attributes:
        state: `none`: no departure has come since the timetable is known; `due`: it is to leave now; `held`: as soon as
            windows and freezes allow; `missed`: too late, the next one takes its place; `under-way`, `left`: it did.
        departure: the latest one; None: there is none yet.
        release: id of the release that this departure is.
        why: more in words, may be empty.
        following: the next departure; None: there will be none.
    """

    train: Train
    state: State
    departure: float | None
    release: str
    why: str
    following: float | None


@dataclass(frozen=True, slots=True)
class TrainDesk:
    """What trains need.

    Attributes:
        known_since: since when the timetable of a train is known here; departures before that are nobody's business.
        clock: now, seconds since the epoch, UTC.
    """

    service: str
    calendar: Calendar
    calendars: Calendars
    journal: ReleaseJournal
    known_since: Callable[[Train], float]
    clock: Callable[[], float]

    def find(self, name: str) -> Train:
        """The train of that name.

        Raises:
            UserError: there is none.
        """
        trains = self.calendar.policy.trains
        found = next((one for one in trains if one.name == name), None)
        if found is None:
            known = ", ".join(one.name for one in trains) or "none; see cadence.trains"
            raise UserError("unknown-train", f"there is no train {name[:60]!r}", f"known are {known}")
        return found

    def look(self, train: Train) -> Standing:
        """How the train stands now; starts nothing. A timetable is known from the first look on."""
        now, zone = self.clock(), self.calendar.zone
        last = self.calendars.find_last(train.cron, zone, now)
        following = self.calendars.find_next(train.cron, zone, now)
        if last is None:
            return Standing(train, "none", None, "", "", following)
        release = self.name_of(train, last)
        found = self._recorded(release)
        if found is not None:
            state: State = "left" if found.outcome is not None or found.halted is not None else "under-way"
            return Standing(train, state, last, release, found.explained or found.phase, following)
        if last < self.known_since(train):
            return Standing(train, "none", None, "", "", following)
        if now - last > train.late:
            return Standing(train, "missed", last, release, "the next one takes its place", following)
        closed = self._closed(train)
        if closed is not None:
            return Standing(train, "held", last, release, closed.why, following)
        return Standing(train, "due", last, release, "", following)

    def name_of(self, train: Train, departure: float) -> str:
        """The id of the release that a departure is; names hold dashes, but no dot, so that no two trains share one."""
        moment = datetime.datetime.fromtimestamp(departure, datetime.UTC)
        return f"rel-{self.service}.{train.name}-{moment:%Y%m%dt%H%Mz}"

    def record_empty(self, standing: Standing, *, actor: str, commit: str, why: str) -> None:
        """The train has left without a release; a second call changes nothing.

        Args:
            standing: a departure.
            actor: who looked.
            commit: full object name of what there was; empty where that is not known.
            why: in a sentence.
        """
        task = Task(TURN, "queue", AwaitTurn())
        plan = ReleasePlan(self.service, "", "", commit, "", (task,), train=standing.train.name)
        at = self.clock()
        self.journal.start_release(standing.release, ReleaseStarted(at, actor, plan))
        state = self.journal.load_release(standing.release)
        if state.outcome is None and not state.plan.version:
            try:
                self.journal.append_release(state, (ReleaseEnded(at, "abandoned", f"left without a release: {why}"),))
            except TransientError as error:
                if error.code != "version-conflict":
                    raise

    def is_empty(self, release: Release) -> bool:
        """The release is a departure that had nothing to take, although that may not be written down to its end."""
        return not release.plan.version

    def _recorded(self, release: str) -> Release | None:
        try:
            return self.journal.load_release(release)
        except UserError:
            return None

    def _closed(self, train: Train) -> Closed | None:
        """What holds the train back, as it would hold a release back that a person makes."""
        policy = self.calendar.policy
        held = policy.holds_release(is_prerelease=bool(train.token)) or train.to in policy.environments
        return self.calendar.judge(self.clock()) if held else None
