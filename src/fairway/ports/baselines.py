"""Where measurements and comparisons are kept."""

from typing import Protocol

from fairway.domain.insight.baseline import Baseline
from fairway.domain.insight.comparison import Comparison


class Baselines(Protocol):
    """Measurements and comparisons of services. Nothing is ever changed or replaced."""

    def save_baselines(self, *baselines: Baseline) -> None:
        """Keeps measurements, all or none; of those of one name the latest counts from now on."""
        ...

    def find_baseline(self, service: str, name: str) -> Baseline | None:
        """The latest measurement of that name."""
        ...

    def list_baselines(self, service: str, *, limit: int = 100) -> tuple[Baseline, ...]:
        """The latest measurements, newest first."""
        ...

    def save_comparison(self, comparison: Comparison) -> None:
        """Keeps a comparison."""
        ...

    def list_comparisons(self, service: str, *, limit: int = 100) -> tuple[Comparison, ...]:
        """The latest comparisons, newest first."""
        ...
