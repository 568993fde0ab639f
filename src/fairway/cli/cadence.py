"""cadence and train."""

from typing import TYPE_CHECKING, Any

from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit, note, print_json, say, table
from fairway.domain.errors import TransientError
from fairway.usecases.report import timestamp

if TYPE_CHECKING:
    from fairway.bootstrap import Project
    from fairway.domain.cadence.calendar import Calendar
    from fairway.usecases.cadence.trains import Standing


def cadence(*, options: Options = DEFAULTS) -> int:
    """Say whether something may be released or deployed now, when it may be, and when trains leave.

    The status is 0 if it is the time, and 1 if windows or freezes hold releases and deployments back.
    """
    from fairway import bootstrap
    from fairway.bootstrap.trains import train_desk_of
    from fairway.usecases.cadence.gate import local

    project = bootstrap.open_project(options.config)
    desk = train_desk_of(project)
    calendar = desk.calendar
    closed = calendar.judge(bootstrap.now())
    standings = [desk.look(train) for train in calendar.policy.trains]
    if options.json:
        print_json(
            {
                "open": closed is None,
                "why": None if closed is None else closed.why,
                "opens": None if closed is None else timestamp(closed.opens),
                "time_zone": calendar.policy.time_zone,
                "releases": calendar.policy.releases,
                "environments": list(calendar.policy.environments),
                "trains": [_describe(one) for one in standings],
            }
        )
        return Exit.YES if closed is None else Exit.NO
    if closed is None:
        say("open: nothing is held back")
    else:
        again = f", until {local(closed.opens, calendar)}" if closed.opens is not None else ""
        say(f"closed: {closed.why}{again}")
    if standings:
        say(table(("TRAIN", "NEXT", "LATEST", "STATE", "WHY"), [_row(one, calendar) for one in standings]))
    return Exit.YES if closed is None else Exit.NO


def train(name: str | None = None, /, *, options: Options = DEFAULTS) -> int:
    """Start the release of each train that is due, and carry it on to its end.

    May be called at any time, by cron every minute: a departure is released once, whoever calls.

    Args:
        name: only this train; default: all.
    """
    from fairway import bootstrap
    from fairway.bootstrap.trains import SEEN_BEFORE, train_desk_of
    from fairway.cli.release import carry_on

    project = bootstrap.open_project(options.config)
    desk = train_desk_of(project, before=SEEN_BEFORE)
    trains = desk.calendar.policy.trains if name is None else (desk.find(name),)
    worst = Exit.YES
    left: list[dict[str, Any]] = []
    for one in trains:
        standing = desk.look(one)
        state = _board(project, standing)
        if state is not None:
            try:
                worst = max(worst, Exit(carry_on(project, state, Options(config=options.config), quiet=options.json)))
            except TransientError as error:
                if error.code != "release-held":
                    raise
                note(f"{one.name}: another process carries {standing.release} on")
        after = desk.look(one)
        left.append(_describe(after))
        if not options.json:
            say(f"{one.name}: {after.state}" + (f": {after.why}" if after.why else ""))
    if options.json:
        print_json({"trains": left})
    return worst


def _board(project: "Project", standing: "Standing") -> Any:
    """The release to be carried on; None where there is none."""
    from fairway.bootstrap.trains import board

    return board(project, standing, log=note) if standing.state in ("due", "under-way") else None


def _describe(standing: "Standing") -> dict[str, Any]:
    return {
        "train": standing.train.name,
        "state": standing.state,
        "departure": timestamp(standing.departure),
        "release": standing.release or None,
        "why": standing.why,
        "next": timestamp(standing.following),
    }


def _row(standing: "Standing", calendar: "Calendar") -> tuple[str, ...]:
    from fairway.usecases.cadence.gate import local

    following = "" if standing.following is None else local(standing.following, calendar)
    latest = "" if standing.departure is None else local(standing.departure, calendar)
    return standing.train.name, following, latest, standing.state, standing.why[:100]
