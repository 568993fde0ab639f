"""The present requests of an environment, from the router's counters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fairway.domain.analysis.counters import Counters
from fairway.domain.analysis.traffic import TrafficSnapshot
from fairway.domain.codec import from_json
from fairway.domain.errors import PermanentError, TransientError
from fairway.ports.router import Router

SHORTEST, LONGEST = 2.0, 5.0
"""Seconds for which requests are counted."""

LOOK_EVERY = 0.5
ENOUGH = 100
"""Requests from which on counting ends early."""

FEW = 20
"""Requests below which an average over a longer time says more, where there is one."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How far a revision's counters had come at some earlier time.

    Attributes:
        at: seconds since the epoch, UTC.
        origin: identity of the counters' beginning.
        finished: first tries that had ended.
    """

    at: float
    origin: str
    finished: int


@dataclass(frozen=True, slots=True)
class Measured:
    """The requests of the live revision.

    Attributes:
        requests: counted in `seconds`.
        seconds: for how long.
        finished: all that were ever counted.
        failed: of these.
        latency: of all these, as the router's histogram.
    """

    requests: int
    seconds: float
    finished: int
    failed: int
    latency: tuple[tuple[float, float, int], ...]


def measure(
    router: Router,
    revision: str,
    pause: Callable[[float], None],
    *,
    before: Counted | None = None,
    at_once: bool = False,
) -> Measured | str:
    """Counts the requests of the live revision for two to five seconds; in words why that was not possible.

    Args:
        router: of the environment.
        revision: id of the live one.
        pause: waits so many seconds.
        before: an earlier reading, which helps where requests are rare.
        at_once: what was counted until now is enough; `requests` and `seconds` are then 0.
    """
    try:
        first = last = router.observe_traffic()
        seen, seconds = 0, 0.0
        while not at_once:
            pause(LOOK_EVERY)
            last = router.observe_traffic()
            seen, seconds = _finished(last, revision) - _finished(first, revision), last.at - first.at
            if last.origin != first.origin or seen < 0 or seconds <= 0.0:
                return "the counters of the router began again meanwhile"
            if seconds >= LONGEST or (seconds >= SHORTEST and (seen >= ENOUGH or _finished(last, revision) == 0)):
                break
    except (TransientError, PermanentError) as error:
        return f"the counters of the router could not be read: {error.message}"
    if before is not None and seen < FEW and before.origin == last.origin and before.at < first.at:
        longer = _finished(last, revision) - before.finished
        if longer >= seen:
            seen, seconds = longer, last.at - before.at
    traffic = last.of(revision)
    failed = max(0, traffic.failed - traffic.retried_failed)
    return Measured(seen, seconds, _finished(last, revision), failed, traffic.latency)


def counted_before(stored: Mapping[str, Any] | None, revision: str) -> Counted | None:
    """How far the counters had come when the last run's analysis read them; None if it did not count that revision.

    Args:
        stored: the evidence kept with the run that made the revision live.
        revision: id of the live one.
    """
    if stored is None:
        return None
    analysis = stored["analysis"]
    counters = from_json(Counters, analysis["counters"])
    if counters.at is None or counters.counts is None or revision not in (analysis["candidate"], analysis["stable"]):
        return None
    half = len(counters.counts) // 2
    finished, _, retried, *_ = counters.counts[:half] if revision == analysis["candidate"] else counters.counts[half:]
    return Counted(counters.at, counters.origin, max(0, finished - retried))


def _finished(snapshot: TrafficSnapshot, revision: str) -> int:
    traffic = snapshot.of(revision)
    return max(0, traffic.finished - traffic.retried)
