"""How far standbys of a PostgreSQL are behind: by a standby's own word, or by the primary's for all of them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fairway.domain.validation.findings import Finding, errored, failed, passed, skipped
from fairway.domain.validation.needs import DatabaseCheck

_SUBJECT = "replication lag"
#: Seconds for which a standby of which the primary knows no time is asked about again, and seconds between.
_PATIENCE, _AGAIN = 2.0, 0.1

# What was received and is not replayed counts from the last transaction that is. Without a receiver nothing is known of
# what was not received: then that is how far it may be behind.
_OWN = """
SELECT pg_last_wal_replay_lsn() >= pg_last_wal_receive_lsn(),
       EXTRACT(EPOCH FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8,
       pg_is_wal_replay_paused(),
       EXISTS (SELECT FROM pg_stat_wal_receiver WHERE COALESCE(status, 'streaming') = 'streaming')
"""
_STANDBYS = """
SELECT COALESCE(NULLIF(application_name, ''), 'a standby'), state, EXTRACT(EPOCH FROM replay_lag)::float8,
       pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::float8
FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup' ORDER BY 1
"""
_UNUSED = "SELECT slot_name FROM pg_replication_slots WHERE slot_type = 'physical' AND NOT active ORDER BY 1"


@dataclass(frozen=True, slots=True)
class _Standby:
    """One row of the primary's view.

    Attributes:
        state: None: this account may not see it.
        seconds: behind; None: the primary has measured none, or no more since it caught up.
        missing: bytes that it has not replayed.
    """

    name: str
    state: str | None
    seconds: float | None
    missing: float | None

    @property
    def is_unclear(self) -> bool:
        """It is behind, for an unknown time."""
        return self.seconds is None and (self.missing is None or self.missing > 0)

    @property
    def words(self) -> str:
        """How far it is behind."""
        if self.is_unclear:
            return f"{self.name} {self.state}, {self.missing or 0:.0f} bytes behind for an unknown time"
        return f"{self.name} {self.state}, {self.seconds or 0.0:.1f} s behind"


def judge_replication(check: DatabaseCheck, connection: Any) -> Finding:
    """What the server at hand says."""
    expected = f"at most {check.lag:g} s"
    if connection.execute("SELECT pg_is_in_recovery()").fetchone()[0]:
        return _judge_own(check, expected, *connection.execute(_OWN).fetchone())
    unused = [name for (name,) in connection.execute(_UNUSED).fetchall()]
    return _judge_standbys(check, expected, _read_standbys(connection), unused)


def _judge_own(
    check: DatabaseCheck, expected: str, is_replayed: bool | None, age: float | None, is_paused: bool, is_fed: bool
) -> Finding:
    paused = ", whose replay is paused" if is_paused else ""
    if is_fed and is_replayed:
        return passed(_SUBJECT, expected, f"this standby{paused}: all that it received is replayed")
    if age is None:
        return errored("database-lag", _SUBJECT, expected, f"a standby{paused} that has replayed no transaction yet")
    cut = "" if is_fed else ", which receives nothing from its primary"
    came = f"this standby{paused}{cut}: the last transaction that it replayed is {age:.1f} s old"
    if age <= check.lag:
        return passed(_SUBJECT, expected, came)
    return failed("database-lag" if is_fed else "database-standby", _SUBJECT, expected, came)


def _read_standbys(connection: Any) -> list[_Standby]:
    """The primary's view; again for a moment where it has no time yet, as right after a standby has connected."""
    until = time.monotonic() + _PATIENCE
    while True:
        found = [_Standby(*row) for row in connection.execute(_STANDBYS).fetchall()]
        if time.monotonic() >= until or not any(one.state and one.is_unclear for one in found):
            return found
        time.sleep(_AGAIN)


def _judge_standbys(
    check: DatabaseCheck, expected: str, standbys: Sequence[_Standby], unused: Sequence[str]
) -> Finding:
    came = ", ".join(one.words for one in standbys)
    if unused:
        lost = f"no standby is connected to the slot {', '.join(unused)}"
        return failed("database-standby", _SUBJECT, expected, f"{lost}; {came}" if came else lost)
    if len(standbys) < check.standbys:
        wanted = f"{check.standbys} standbys, {expected} behind"
        return failed(
            "database-standby", _SUBJECT, wanted, f"{len(standbys)} connected" + (f": {came}" if came else "")
        )
    if not standbys:
        return skipped("absent", _SUBJECT, "a primary without standbys")
    return _judge_lag(check, expected, standbys, came)


def _judge_lag(check: DatabaseCheck, expected: str, standbys: Sequence[_Standby], came: str) -> Finding:
    if any(one.state is None for one in standbys):
        hidden = "this account may not see how far standbys are: GRANT pg_monitor"
        return errored("dependency-rights", _SUBJECT, expected, hidden)
    if any(one.state != "streaming" or (one.seconds or 0.0) > check.lag for one in standbys):
        return failed("database-lag", _SUBJECT, expected, came)
    if any(one.is_unclear for one in standbys):
        return errored("database-lag", _SUBJECT, expected, came)
    return passed(_SUBJECT, expected, came)
