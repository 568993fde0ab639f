"""What a measurement gives: figures, some with a limit."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.processor import Usage

#: Cores that others may use before it is worth saying beside a limit that did not hold.
NOTICEABLE = 0.2


@dataclass(frozen=True, slots=True)
class Limit:
    """What a figure must be: below a value, at least, or exactly.

    Attributes:
        figure: name of the figure.
    """

    figure: str
    below: float | None = None
    least: float | None = None
    exactly: float | None = None

    def holds(self, value: float | None) -> bool:
        """False also without a value: what could not be measured has not passed."""
        if value is None:
            return False
        if self.exactly is not None:
            return value == self.exactly
        return (self.below is None or value < self.below) and (self.least is None or value >= self.least)

    def __str__(self) -> str:
        if self.exactly is not None:
            return f"{self.exactly:g}"
        return f"< {self.below:g}" if self.below is not None else f"≥ {self.least:g}"


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement.

    Attributes:
        figures: by name; the unit is the end of the name.
        usage: who used the processors meanwhile.
        problem: why there are no figures, in a sentence; that counts as missed.
        detail: what else is worth knowing, for the JSON only.
    """

    name: str
    figures: Mapping[str, float | None] = field(default_factory=dict)
    limits: tuple[Limit, ...] = ()
    usage: Usage | None = None
    problem: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    def missed(self) -> list[str]:
        """A sentence for each limit that did not hold."""
        if self.problem is not None:
            return [f"{self.name}: {self.problem}"]
        aside = ""
        if self.usage is not None and self.usage.others_peak > NOTICEABLE:
            aside = f" (others used {self.usage.others:.2f} cores meanwhile, at most {self.usage.others_peak:.2f})"
        return [
            f"{self.name}: {limit.figure} is {shown(self.figures.get(limit.figure))}, limit {limit}{aside}"
            for limit in self.limits
            if not limit.holds(self.figures.get(limit.figure))
        ]

    def to_json(self) -> dict[str, Any]:
        """The row as a JSON object."""
        return {
            "name": self.name,
            "figures": dict(self.figures),
            "limits": {limit.figure: str(limit) for limit in self.limits},
            "held": not self.missed(),
            "problem": self.problem,
            "processors": None if self.usage is None else asdict(self.usage),
            "detail": dict(self.detail),
        }


def shown(value: float | None) -> str:
    """A figure as people read it: about three digits that count, none behind the point from 100 on."""
    if value is None:
        return "-"
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 3
    return f"{value:.{digits}f}"
