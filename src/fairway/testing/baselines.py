"""Measurements in memory, and what to fill a store with."""

from dataclasses import replace

from fairway.domain.codec import from_json, to_json
from fairway.domain.insight.baseline import Baseline, Load, Round, Subject
from fairway.domain.insight.comparison import Comparison


class FakeBaselines:
    """The port `Baselines`, without a database. What is kept has been through JSON, as it would be elsewhere."""

    def __init__(self) -> None:
        self._baselines: list[Baseline] = []
        self._comparisons: list[Comparison] = []

    def save_baselines(self, *baselines: Baseline) -> None:
        """See the port."""
        self._baselines += [from_json(Baseline, to_json(one)) for one in baselines]

    def find_baseline(self, service: str, name: str) -> Baseline | None:
        """See the port."""
        found = [one for one in self._baselines if (one.service, one.name) == (service, name)]
        return found[-1] if found else None

    def list_baselines(self, service: str, *, limit: int = 100) -> tuple[Baseline, ...]:
        """See the port."""
        return tuple(one for one in reversed(self._baselines) if one.service == service)[:limit]

    def save_comparison(self, comparison: Comparison) -> None:
        """See the port."""
        self._comparisons.append(from_json(Comparison, to_json(comparison)))

    def list_comparisons(self, service: str, *, limit: int = 100) -> tuple[Comparison, ...]:
        """See the port."""
        return tuple(one for one in reversed(self._comparisons) if one.service == service)[:limit]


def sample_round(
    latency: float = 10.0, *, failed: int = 0, processor: float | None = None, histogram: str = ""
) -> Round:
    """A round of 100 requests in a second whose median is the given milliseconds."""
    return Round(
        at=1e9,
        seconds=1.0,
        sent=100,
        ok=100 - failed,
        failed=failed,
        unanswered=failed,
        server_errors=0,
        behind=0,
        mean=latency * 1.1,
        p50=latency,
        p90=latency * 2,
        p95=latency * 3,
        p99=latency * 4,
        p999=latency * 5,
        longest=latency * 6,
        processor=processor,
        histogram=histogram,
    )


def sample_baseline(name: str = "v1", *latencies: float, service: str = "shop", made: float = 1e9) -> Baseline:
    """A measurement with a round for each median latency; ten of 10 ms where none are given."""
    rounds = tuple(sample_round(latency) for latency in latencies or (10.0,) * 10)
    return Baseline(name, service, made, "a machine", Subject(name, name, f"sha256:{name}"), Load(), rounds)


def in_turn(before: Baseline, after: Baseline) -> tuple[Baseline, Baseline]:
    """Two measurements as if their rounds had been run in turn."""
    return (
        replace(before, measured_with=after.name),
        replace(after, measured_with=before.name, made=before.made),
    )
