"""From raw counters to what was counted in between, series by series.

Counters are taken as they are and differenced here: what a metrics server estimates of an increase is extrapolated,
need not be a whole number and may exceed the truth, which would be evidence from nothing.

Rules:
- The first reading of a revision only says where counting begins. A series that appears later began at zero: failures
  have no series before the first one.
- A series that is missing from a reading keeps its number until it comes back.
- A number that went down began again. What was counted since the reading before is lost, of all series of the metric.
"""

from dataclasses import dataclass, field

from fairway.domain.analysis.metrics.samples import Series


@dataclass(slots=True)
class Differences:
    """The last number of each series, once there was a reading."""

    begun: bool = False
    last: dict[str, float] = field(default_factory=dict)

    def read(self, series: tuple[Series, ...]) -> int | None:
        """What was counted since the reading before; None if that cannot be said."""
        gone, reset = 0.0, False
        for key, value in series:
            before = self.last.get(key, 0.0)
            reset = reset or value < before
            gone += value - before
            self.last[key] = value
        begun, self.begun = self.begun, True
        return None if reset or not begun else round(gone)
