"""Evidence that the candidate is not slower than the promotion margin allows.

The test of `tail` with odds below 1: at an edge near one of stable's quantiles it refutes that the candidate is above
the edge times the margin as often as stable is above the edge. It is made at P50 and at P95, and the worse of the two
counts: P99 would need many times the requests. Failed requests count as slower than every edge.

Blocks are made like those of the latency lane: edges are chosen at the beginning of a step from what was counted of
stable until then, time closes a block, warm-up and shared incidents are left out.
"""

from dataclasses import dataclass, field
from math import exp, inf, log

from fairway.domain.analysis.evidence import GREATEST_E_VALUE
from fairway.domain.analysis.lanes.lane import Histograms, Reading
from fairway.domain.analysis.lanes.latency import KNOWN, margin_of_instances
from fairway.domain.analysis.lanes.tail_window import TailWindow
from fairway.domain.analysis.latency import allowed
from fairway.domain.analysis.policy import AnalysisPolicy
from fairway.domain.analysis.tail import log_tail_e_values
from fairway.domain.analysis.within import HIGHEST

SHARES = (0.5, 0.05)
"""Wanted tail shares of the edges: P50 and P95."""

NAMES = "P50 and P95"
MARGIN = 0.2
"""How much slower a candidate may be that is promoted early, as a fraction; more where the margin of harm is more."""

ODDS = (0.85, 0.7, 0.55, 0.4, 0.2)
"""Odds ratios that are bet on, with equal parts of the capital at each edge."""

MANY = 10**6
"""Requests of stable for which growth is computed, so that whole numbers are exact enough."""


@dataclass(slots=True)
class LatencyEvidence:
    """Evidence that the candidate's latency is within the margin.

    Attributes:
        measured: latency of stable was ever seen; without it there is nothing to show.
        seconds: age of the open block.
        margin: that applies in this step, as a fraction …
        slack: … or in seconds, if that is more.
        edges: of stable, in microseconds, chosen for this step; empty before.
        slow: requests of stable above each edge, of those in `known`.
        beyond: likewise above the edge times the margin, as far as known when the edges were chosen.
        known: requests of stable that the shares rest on.
        logs: logarithm of what each bet has become, edge by edge; 0 at the beginning of a step.
        window: the open block.
        dispersion: by which the open block will be tempered, as known when it began.
    """

    measured: bool = False
    seconds: float = 0.0
    margin: float = MARGIN
    slack: float = 0.0
    edges: list[float] = field(default_factory=list)
    slow: list[float] = field(default_factory=list)
    beyond: list[float] = field(default_factory=list)
    known: float = 0.0
    logs: list[float] = field(default_factory=lambda: [0.0] * (len(SHARES) * len(ODDS)))
    window: TailWindow = field(default_factory=TailWindow)
    dispersion: float = 1.0

    def discard(self) -> None:
        """Discards the open block: another stretch begins."""
        self.seconds = 0.0
        self.window.close()

    def begin(self) -> None:
        """Another step begins."""
        self.discard()
        self.edges, self.logs = [], [0.0] * len(self.logs)

    def observe(self, reading: Reading, policy: AnalysisPolicy, *, length: float) -> bool:
        """Adds a reading; closes the block when its time has come.

        Args:
            reading: what ended; both revisions have requests in this step.
            policy: for the margin of harm, below which the margin of promotion never is.
            length: seconds of a block.

        Returns:
            Whether there is something new to show.
        """
        histograms = reading.histograms
        if self.window.series != histograms.series:
            before = (self.measured, bool(self.edges))
            self.measured = self.measured or histograms.stable.total > 0
            self._open(reading, policy)
            return before != (self.measured, bool(self.edges))
        if self.seconds == 0.0:
            self.dispersion = reading.dispersion
        self.seconds += reading.seconds
        self.window.add(reading.tally)
        if self.seconds + reading.half < length:
            return False  # the next reading is as near to the block's end as this one, or nearer
        closed = self._close(reading)
        if closed:
            self._open(reading, policy)
        return closed

    def rest(self, length: float, *, left_out: bool) -> float:
        """Seconds until the open block, of that length, may close; 0 where one may begin with the next reading."""
        if not self.window.is_open:
            return inf if left_out and self.measured else 0.0
        return length - self.seconds

    def e_value(self) -> float:
        """The odds against "the candidate is beyond the margin", at the edge where they are worst."""
        highest = log(GREATEST_E_VALUE) + 1.0
        each = (sum(exp(min(highest, one)) for one in logs) / len(ODDS) for logs in self._by_edge())
        return min(GREATEST_E_VALUE, *each)

    def missing(self, *, balance: float, threshold: float) -> int | None:
        """How many more requests of the candidate show it if the candidate is as fast as stable.

        Args:
            balance: requests of the candidate per request of stable to be expected, above 0.
            threshold: e-value from which on it is shown.

        Returns:
            About how many, 0 if it is shown; None if no number of them would, or too little is known of stable.
        """
        if self.e_value() >= threshold:
            return 0
        if not self.edges:
            return None
        wanted = []
        for logs, share, tail in zip(self._by_edge(), self._shares(), self.beyond, strict=True):
            finished = round(balance * MANY)
            counts = ((finished, round(tail * finished)), (MANY, round(share * MANY)))
            needs = []
            gains = log_tail_e_values(ODDS, share=share, candidate=counts[0], stable=counts[1])
            for gain, total in zip(gains, logs, strict=True):
                growth = gain / finished
                if growth > 0.0:
                    needs.append(max(0.0, (log(threshold * len(ODDS)) - total) / growth))
            if not needs:
                return None
            wanted.append(min(needs))
        return round(max(wanted))

    def words(self) -> str:
        """The margin, for people."""
        slack = f" or {self.slack * 1000:g} ms" if self.slack else ""
        return f"at most {self.margin * 100:.3g} %{slack} slower than stable at {NAMES}"

    def _by_edge(self) -> list[list[float]]:
        return [self.logs[start : start + len(ODDS)] for start in range(0, len(self.logs), len(ODDS))]

    def _open(self, reading: Reading, policy: AnalysisPolicy) -> None:
        """Begins a block at the end of a reading, where one may begin."""
        self.discard()
        if reading.warming or reading.incident or not (self.edges or self._choose(reading.histograms, policy)):
            return
        self.window.open(reading.histograms, [self._allowed(edge) for edge in self.edges], self.edges)

    def _allowed(self, edge: float) -> float:
        """Where the candidate may be when stable is at the edge, in microseconds."""
        return allowed(edge, margin=self.margin, slack=self.slack)

    def _choose(self, histograms: Histograms, policy: AnalysisPolicy) -> bool:
        """Chooses the edges of this step; False while too little is known of stable."""
        stable = histograms.stable
        if stable.total < KNOWN:
            return False
        chosen = stable.edges(SHARES)
        self.margin = max(MARGIN, policy.latency_margin, margin_of_instances(histograms))
        self.slack = policy.latency_slack
        self.edges = [edge for edge, _ in chosen]
        self.known = float(min(stable.total, 10 * KNOWN))
        self.slow = [share * self.known for _, share in chosen]
        self.beyond = [stable.slower(self._allowed(edge)) / stable.total for edge in self.edges]
        return True

    def _close(self, reading: Reading) -> bool:
        """Settles the open block; False if it cannot be settled yet."""
        (n_c, slow_c), (n_s, slow_s) = self.window.counts(reading.histograms)
        if n_c == 0 or n_s == 0:
            return False
        gains = list[float]()
        for u, w, share in zip(slow_c, slow_s, self._shares(), strict=True):
            gains += log_tail_e_values(ODDS, share=share, candidate=(n_c, u), stable=(n_s, w))
        tempered = [gain / self.dispersion for gain in gains]
        self.logs = [total + min(HIGHEST, gain) for total, gain in zip(self.logs, tempered, strict=True)]
        self.known += n_s
        self.slow = [before + w for before, w in zip(self.slow, slow_s, strict=True)]
        return True

    def _shares(self) -> list[float]:
        """What stable's tail shares are taken for; they rest on closed blocks only."""
        return [min(0.95, (slow + 0.1) / (self.known + 0.2)) for slow in self.slow]
