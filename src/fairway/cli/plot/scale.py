"""From values to places between 0 and 1, and the values worth a label on an axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400, 172800, 604800)

_STEPS = (
    (1.0, 1.1, 1.2, 1.3, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0),
    (1.0, 1.2, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0),
    (1.0, 2.0, 5.0),
    (1.0,),
)
"""Between one power of ten and the next, from fine to coarse."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A logarithmic or linear axis.

    Attributes:
        low: the value at 0; above 0 where logarithmic.
        high: the value at 1; above `low`.
    """

    low: float
    high: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """Where a value lies: 0 at `low`, 1 at `high`; values beyond lie on the edge."""
        value = min(max(value, self.low), self.high)
        if self.logarithmic:
            return log10(value / self.low) / log10(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self, most: int) -> list[float]:
        """Round values on a logarithmic axis, at most so many: powers of ten, and what lies between if it fits."""
        first, last = floor(log10(self.low)), ceil(log10(self.high))
        for steps, stride in (*((steps, 1) for steps in _STEPS), *(((1.0,), stride) for stride in (2, 3, 4, 6, 12))):
            powers = [power for power in range(first, last + 1) if power % stride == 0]
            found = [step * 10.0**power for power in powers for step in steps]
            inside = [value for value in found if self.low <= value <= self.high * (1.0 + 1e-9)]
            if len(inside) <= most:
                return inside
        return []


def round_seconds(span: float, most: int) -> list[float]:
    """Round times from 0 to `span` seconds, at most so many besides 0."""
    step = next((one for one in _SECONDS if span / one <= most), _SECONDS[-1] * ceil(span / _SECONDS[-1] / most))
    return [float(step * i) for i in range(floor(span / step) + 1)]


def around(values: Sequence[float], *, least: tuple[float, float], most: tuple[float, float], room: float) -> Scale:
    """A logarithmic axis that shows all the values with room on both sides.

    Args:
        values: above 0.
        least: what the axis shows in any case.
        most: beyond this values are cut off.
        room: factor by which it goes beyond the outermost value.
    """
    low = min([least[0], *(value / room for value in values)])
    high = max([least[1], *(value * room for value in values)])
    return Scale(max(low, most[0]), min(high, most[1]), logarithmic=True)
