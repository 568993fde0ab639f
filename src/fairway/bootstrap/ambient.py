"""What the process itself knows: the time, the person, chance."""

import datetime
import os
import time

from fairway.domain.errors import UserError

#: Letters of run ids: no vowels, nothing that looks like something else.
_LETTERS = "23456789bcdfghjkmnpqrstvwxz"


def now() -> float:
    """Seconds since the epoch, UTC."""
    return time.time()


def today(zone: str) -> datetime.date:
    """The day in a time zone."""
    if zone == "UTC":
        return datetime.datetime.now(datetime.UTC).date()
    from zoneinfo import ZoneInfo

    return datetime.datetime.now(ZoneInfo(zone)).date()


def pause(seconds: float) -> None:
    """Waits."""
    time.sleep(seconds)


def actor() -> str:
    """The account that runs this command."""
    import getpass

    return getpass.getuser()


def is_dumb_terminal() -> bool:
    """The terminal says that it cannot move its cursor."""
    return os.environ.get("TERM", "").lower() in {"dumb", "unknown", ""}


def new_run() -> str:
    """An id for a run, short enough to be typed."""
    import secrets

    return "r-" + "".join(secrets.choice(_LETTERS) for _ in range(6))


def duration(text: str) -> float:
    """Seconds of a duration such as `10m`.

    Raises:
        UserError: it is none.
    """
    from fairway.config.durations import parse_duration

    seconds = parse_duration(text)
    if seconds is None:
        raise UserError("duration", f"{text[:40]!r} is not a duration", "write it like 30s, 5m or 1h30m")
    return seconds
