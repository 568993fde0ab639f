"""Counters of the user's: do more of the candidate's events fail than the margin allows?

The affine-margin test of `margin.py` on blocks of events. A block closes by time: at least four readings, because the
readings of two revisions are not of the same instant, and what falls into the one and not into the other must be small
against the block. Events in flight between two revisions are nobody's: only what was counted is compared.

A block without an event of the candidate, or without one of stable, goes on. A change of weight discards the open
block. Nothing is judged where stable has no events at all: the user's counters have no limit of their own, a rule has.
"""

from dataclasses import dataclass, field

from fairway.domain.analysis.capital import Capital, Schedule
from fairway.domain.analysis.margin import Margin, guess_ratio, log_e_values
from fairway.domain.analysis.metrics.differences import Differences
from fairway.domain.analysis.metrics.policy import Metric
from fairway.domain.analysis.metrics.samples import Series
from fairway.domain.analysis.tally import Tally
from fairway.domain.analysis.within import POINTS, RATIO, ErrorEvidence

SCHEDULE = Schedule(first=0.5, entry=0.1, late=0.4, pace=60.0)
"""As in the error lane; fewer blocks, so that what is kept is put at stake faster."""

MULTIPLES = (1.4, 2.0, 3.5, 7.0, 16.0, 50.0)
"""Alternatives, as multiples of the margin's limit."""

CAP = 4.64
"""Greatest e-value of one block: several have to testify."""

NUMBERS = ("candidate.failed", "candidate.total", "stable.failed", "stable.total")
"""What one reading consists of, in the order of a block."""

READINGS = 4
"""Of a block, at least."""


def _begin() -> Capital:
    return Capital.begin(SCHEDULE, len(MULTIPLES))


@dataclass(slots=True)
class RatioTest:
    """The evidence of one counter.

    Attributes:
        read: differences by the names of `NUMBERS`.
        open: of the open block, in the order of `NUMBERS`.
        judged: likewise of all closed blocks.
        readings: in the open block.
        fresh: the next reading only says where counting begins.
        promotion: evidence of the present step that the candidate is within the promotion margin.
        shown: the candidate's and stable's ratio in the last closed block; None where there were no events.
    """

    capital: Capital = field(default_factory=_begin)
    read: dict[str, Differences] = field(default_factory=dict)
    open: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    judged: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    readings: int = 0
    fresh: bool = True
    promotion: ErrorEvidence = field(default_factory=ErrorEvidence)
    shown: dict[str, float] = field(default_factory=dict)

    def enter_step(self) -> None:
        """The weight changed: what is open belongs to two weights."""
        self.promotion.begin()
        self.open, self.readings, self.fresh = [0, 0, 0, 0], 0, True
        if self.capital.blocks:
            self.capital.enter_step()

    def observe(self, metric: Metric, series: dict[str, tuple[Series, ...]], *, counting: bool) -> None:
        """Adds one reading of all four numbers, made at one time.

        Args:
            metric: whose.
            series: by the four names of `NUMBERS`.
            counting: False in warm-up, in incidents that hit both, and where stable gets no requests: what ended
                since the reading before is left out.
        """
        gone = [self.read.setdefault(name, Differences()).read(series[name]) for name in NUMBERS]
        fresh, self.fresh = self.fresh, False
        whole = [number for number in gone if number is not None]
        if len(whole) < len(gone) or whole[0] > whole[1] or whole[2] > whole[3]:
            self.open, self.readings = [0, 0, 0, 0], 0
            return
        if fresh or (not counting and self.readings == 0):
            return
        self.open = [a + b for a, b in zip(self.open, whole, strict=True)]
        self.readings += 1
        if self.readings >= READINGS:
            self._close(metric)

    def e_value(self) -> float:
        """The odds against the candidate; 1 at the beginning."""
        return self.capital.total(SCHEDULE)

    def _close(self, metric: Metric) -> None:
        c_failed, c_total, s_failed, s_total = self.open
        pairs = (("candidate", c_failed, c_total), ("stable", s_failed, s_total))
        self.shown = {role: failed / total for role, failed, total in pairs if total}
        if c_total == 0 or s_total == 0:
            return
        margin = Margin(metric.ratio or 0.0, metric.points)
        guess = guess_ratio(self.judged[2], self.judged[3])
        limit = margin.limit(guess)
        alternatives = [min(1.0, multiple * limit) for multiple in MULTIPLES]
        counts = {"candidate": (c_total, c_failed), "stable": (s_total, s_failed)}
        gains = log_e_values(alternatives, guess=guess, margin=margin, **counts)
        self.capital.grow(gains, schedule=SCHEDULE, cap=CAP)
        self.promotion.grow(Tally(c_total, c_failed, s_total, s_failed), promotion_margin(metric))
        self.judged = [a + b for a, b in zip(self.judged, self.open, strict=True)]
        self.open, self.readings = [0, 0, 0, 0], 0


def promotion_margin(metric: Metric) -> Margin:
    """As of errors: nowhere below the metric's own margin."""
    return Margin(max(RATIO, metric.ratio or 0.0), max(POINTS, metric.points))
