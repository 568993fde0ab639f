"""What a data plane counted: cumulative, completion-based, both revisions in one snapshot.

An attempt is counted where it was served: a request that failed on the candidate and was answered by stable is a
failed attempt of the candidate and a finished attempt of stable.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InstanceTraffic:
    """Attempts that one instance finished, since counting began.

    Attributes:
        ejected: the proxy stopped sending requests to it because too many failed in a row.
        healthy: the proxy's active health check passes.
        active: requests under way now.
        latency: as for the revision; empty where the data plane does not tell its instances apart.
    """

    instance: str
    finished: int
    failed: int
    ejected: bool = False
    healthy: bool = True
    active: int = 0
    latency: tuple[tuple[float, float, int], ...] = ()


@dataclass(frozen=True, slots=True)
class RevisionTraffic:
    """Attempts that one revision finished, since counting began.

    Attributes:
        finished: attempts that ended, failed ones included.
        failed: attempts that ended with 5xx, a reset, a refused connection or a timeout.
        latency: cells `(lower edge in microseconds, width in microseconds, count)` by lower edge. Only first tries
            that were answered without failing: the analysis adds those that failed as slower than every edge.
        retried: those of `finished` that were not the first try of their request; 0 also where nothing is tried again.
        retried_failed: those of `failed` that were not the first try of their request.
        abandoned: first tries that the client gave up before an answer came; in none of the other numbers.
    """

    revision: str
    finished: int
    failed: int
    latency: tuple[tuple[float, float, int], ...] = ()
    instances: tuple[InstanceTraffic, ...] = ()
    retried: int = 0
    retried_failed: int = 0
    abandoned: int = 0


@dataclass(frozen=True, slots=True)
class TrafficSnapshot:
    """One atomic reading of all revisions of an environment.

    Attributes:
        at: seconds since the epoch, UTC, when it was read.
        origin: identity of the counters' beginning; another origin means that they began again at zero.
        revisions: a revision that never served a request may be absent.
    """

    at: float
    origin: str
    revisions: tuple[RevisionTraffic, ...]

    def of(self, revision: str) -> RevisionTraffic:
        """The traffic of one revision; zeros if it never served a request."""
        for traffic in self.revisions:
            if traffic.revision == revision:
                return traffic
        return RevisionTraffic(revision, 0, 0)
