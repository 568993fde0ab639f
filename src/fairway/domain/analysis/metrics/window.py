"""What the router counted in the last minute, as named metrics of both revisions.

Snapshots of its counters are kept for the length of the window, at a few places only: the far end moves in steps of a
twelfth of it. Kept in memory alone: after a restart the window fills anew, and says so by having no data at first.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from fairway.domain.analysis.latency import quantile
from fairway.domain.analysis.metrics.policy import ROUTER_METRICS
from fairway.domain.analysis.metrics.samples import NoData, Outcome, Sample
from fairway.domain.analysis.traffic import RevisionTraffic, TrafficSnapshot

PARTS = 12
QUANTILES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))


@dataclass(slots=True)
class TrafficWindow:
    """The last readings of the router's counters.

    Attributes:
        length: seconds.
    """

    length: float
    kept: list[TrafficSnapshot] = field(default_factory=list)
    newest: TrafficSnapshot | None = None

    def add(self, snapshot: TrafficSnapshot) -> None:
        """Adds a reading, newer than the last; counters that began again begin a new window."""
        newest = self.newest
        if newest is not None and (snapshot.origin != newest.origin or snapshot.at < newest.at):
            self.kept = []
        self.newest = snapshot
        if not self.kept or snapshot.at - self.kept[-1].at >= self.length / PARTS:
            self.kept.append(snapshot)
        while len(self.kept) > 1 and snapshot.at - self.kept[1].at >= self.length:
            self.kept.pop(0)

    def samples(self, revision: str, wanted: Collection[str] = ROUTER_METRICS) -> dict[str, Outcome]:
        """The metrics of one revision, by name; after `add`.

        Args:
            revision: whose.
            wanted: which of them: histograms are long, and differenced only where somebody asks for a quantile.
        """
        newest, oldest = self.newest, self.kept[0] if self.kept else None
        if newest is None or oldest is None or newest.at <= oldest.at:
            nothing = NoData("the router was read only once so far", idle=True)
            return dict.fromkeys(wanted, nothing)
        seconds = newest.at - oldest.at
        now, then = newest.of(revision), oldest.of(revision)
        after, before = _first_tries(now), _first_tries(then)
        total, bad = after[0] - before[0], after[1] - before[1]
        silent = NoData(f"no request ended in the last {seconds:.0f} s", idle=True)
        found: dict[str, Outcome] = {"request_rate": _one(max(0, total) / seconds)}
        found["error_ratio"] = _one(min(1.0, max(0, bad) / total)) if total > 0 else silent
        shares = {name: share for name, share in QUANTILES if name in wanted}
        cells = _gone(now, then) if shares else ()
        for name, share in shares.items():
            value = quantile(cells, share)
            found[name] = silent if value is None else _one(value / 1000.0)
        return found


def _one(value: float) -> Sample:
    return Sample((("", value),))


def _first_tries(traffic: RevisionTraffic) -> tuple[int, int]:
    """Finished and failed first tries; second tries are no random sample of the requests."""
    return traffic.finished - traffic.retried, traffic.failed - traffic.retried_failed


def _gone(now: RevisionTraffic, then: RevisionTraffic) -> tuple[tuple[float, float, int], ...]:
    before = {(lower, width): count for lower, width, count in then.latency}
    cells = ((lower, width, count - before.get((lower, width), 0)) for lower, width, count in now.latency)
    return tuple(cell for cell in cells if cell[2] > 0)
