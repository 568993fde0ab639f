"""What one measurement of a service is: the load, the rounds, and what was measured, under a name.

Times in rounds are milliseconds, latencies count from the moment when a request should have been sent. Nothing here
says whether a figure is good: `expectations` holds it against limits, `comparison` against another measurement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Load:
    """The requests of a measurement: two measurements can be compared if theirs are alike.

    Attributes:
        paths: each begins with a slash; requests go round them.
        mix: methods by weight, such as `GET:9,POST:1`.
        headers: `name: value`; may hold secrets, so that they are neither stored nor compared.
        body: of requests that have one.
        rate: requests a second; 0: as many as the connections carry.
        connections: most requests at the same time.
        duration: seconds of one round.
        warmup: seconds of load before the first round of an instance that do not count.
        timeout: seconds for one request.
        good: statuses that count as good, such as `200-399`.
    """

    paths: tuple[str, ...] = ("/",)
    mix: str = "GET:1"
    headers: tuple[str, ...] = ()
    body: str = ""
    rate: float = 100.0
    connections: int = 32
    duration: float = 1.0
    warmup: float = 1.0
    timeout: float = 10.0
    good: str = "200-399"

    def differences(self, other: "Load") -> tuple[str, ...]:
        """What keeps the two from being compared, in words; how long they lasted does not."""
        wanted = ("paths", "mix", "body", "rate", "connections")
        return tuple(
            f"{name} {_shown(getattr(self, name))} and {_shown(getattr(other, name))}"
            for name in wanted
            if getattr(self, name) != getattr(other, name)
        )


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)[:60]


@dataclass(frozen=True, slots=True)
class Subject:
    """What was measured.

    Attributes:
        name: what the user called it: a release, an environment or a URL.
        version: of the release; empty for an address of which nothing is known.
        digest: of its artifact; empty likewise.
        url: where the requests went; empty for instances that ran for the measurement only.
    """

    name: str
    version: str = ""
    digest: str = ""
    url: str = ""

    @property
    def title(self) -> str:
        """How people know it."""
        return self.version or self.name


@dataclass(frozen=True, slots=True)
class Round:
    """One run of the load.

    Attributes:
        at: seconds since the epoch, UTC, when it began.
        seconds: how long requests were sent, without the warm-up.
        sent: requests.
        ok: answered as they should be.
        failed: answered otherwise, or not at all.
        unanswered: of the failed, those without a whole answer.
        server_errors: of the failed, those answered with 500 to 599.
        behind: requests that were due and never sent.
        mean: milliseconds, like the percentiles; None without any answer.
        processor: microseconds of processor time that the service took for a request; None: not known.
        limit: what kept the load from its rate: `generator`, `connections`, or empty.
        remark: the generator's sentence about that.
        histogram: all latencies in microseconds, HdrHistogram V2 compressed in base64.
        problems: failures by kind or status, most frequent first.
        warmed: requests sent before those that count.
    """

    at: float
    seconds: float
    sent: int
    ok: int
    failed: int
    unanswered: int
    server_errors: int
    behind: int
    mean: float | None
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    p999: float | None
    longest: float | None
    processor: float | None = None
    limit: str = ""
    remark: str = ""
    histogram: str = ""
    problems: tuple[tuple[str, int], ...] = ()
    warmed: int = 0

    @property
    def throughput(self) -> float:
        """Good answers a second."""
        return self.ok / self.seconds if self.seconds > 0 else 0.0

    @property
    def errors(self) -> float | None:
        """Share of requests that failed; None without any."""
        ended = self.ok + self.failed
        return self.failed / ended if ended else None

    @property
    def availability(self) -> float | None:
        """Share of requests that were answered as they should be; None without any."""
        ended = self.ok + self.failed
        return self.ok / ended if ended else None

    def value(self, metric: str) -> float | None:
        """A figure by its name."""
        found: float | None = getattr(self, metric)
        return found


@dataclass(frozen=True, slots=True)
class Baseline:
    """A measurement under a name.

    Attributes:
        name: by which it is found; several may have the same one, the latest counts.
        made: seconds since the epoch, UTC, when it was complete.
        machine: where the load came from.
        measured_with: name of the other of two that were measured in turn; empty: measured alone.
    """

    name: str
    service: str
    made: float
    machine: str
    subject: Subject
    load: Load
    rounds: tuple[Round, ...]
    measured_with: str = ""

    def value(self, metric: str) -> float | None:
        """The median over the rounds; None where no round has the figure. Shares of requests are over all rounds."""
        if metric in ("errors", "availability"):
            return self._share(metric)
        return _median([value for one in self.rounds if (value := one.value(metric)) is not None])

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the generator said of itself in a tenth of the rounds or more, once each kind of limit."""
        found = {one.limit: one.remark for one in self.rounds if one.limit}
        count = {limit: sum(one.limit == limit for one in self.rounds) for limit in found}
        return tuple(
            f"in {count[limit]} of {len(self.rounds)} rounds {found[limit]}"
            for limit in sorted(found)
            if count[limit] * 10 >= len(self.rounds)
        )

    def _share(self, metric: str) -> float | None:
        ended = sum(one.ok + one.failed for one in self.rounds)
        if not ended:
            return None
        return sum(one.failed if metric == "errors" else one.ok for one in self.rounds) / ended


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None
