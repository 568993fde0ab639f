"""What the user asked of metrics of his own: their names, where they come from, and the rules over them."""

from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["rollback", "hold"]
Role = Literal["candidate", "stable"]

SHARE = 0.2
"""Part of alpha that belongs to the tests on the user's counters and gauges, where there are any. The lanes keep the
rest; the two parts together are the probability of a wrong roll-back (union bound), whatever the dependence."""

ROUTER_METRICS = ("error_ratio", "request_rate", "p50", "p95", "p99")
"""Metrics of both revisions that need no source, from the router's counters: a fraction of 1, requests a second, and
milliseconds."""


@dataclass(frozen=True, slots=True)
class Source:
    """The adapter that answers queries, by kind, with its settings as written."""

    kind: str
    settings: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Metric:
    """One named metric.

    Attributes:
        kind: `gauge`: the query's only number; `counter`: failed and all events, cumulative; `http`: 1 if the
            candidate answers a request as it should, else 0.
        query: of a gauge. With a placeholder of the revision it is asked for candidate and stable, else once.
        failed, total: queries of a counter; several series are differenced one by one and added up.
        path, status, contains: of an http metric.
        interval: seconds between two readings.
        ratio: the candidate may be this many times stable; None: a gauge that only rules look at.
        points: … plus this much, as a fraction; counters only.
        worse: which way is worse, of a gauge.
    """

    name: str
    kind: Literal["gauge", "counter", "http"]
    query: str = ""
    failed: str = ""
    total: str = ""
    path: str = ""
    status: int = 200
    contains: str | None = None
    interval: float = 15.0
    ratio: float | None = None
    points: float = 0.0
    worse: Literal["higher", "lower"] = "higher"

    @property
    def roles(self) -> tuple[Role, ...]:
        """Whom it is read of; empty: it is one number for both."""
        if self.kind == "http":
            return ("candidate",)
        if self.kind == "counter" or has_role(self.query):
            return ("candidate", "stable")
        return ()

    @property
    def judged(self) -> bool:
        """Candidate and stable are compared by a test that may take the candidate back."""
        return self.ratio is not None and self.kind != "http"


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition that must hold for a while, and what follows then.

    Attributes:
        when: the condition, in CEL.
        uses: the metrics in it: `candidate.p99`, `stable.p99`, `connections`.
        lasting: seconds for which it must be true at every look.
        severity: `rollback` takes the candidate back; `hold` stops the clock while the condition is true.
    """

    name: str
    when: str
    uses: tuple[str, ...] = ()
    lasting: float = 0.0
    severity: Severity = "rollback"


@dataclass(frozen=True, slots=True)
class MetricsPolicy:
    """Everything the user said about metrics of his own.

    Attributes:
        source: what answers queries; None where there are none.
        window: seconds over which the router's metrics are taken.
        alpha: the part of the whole alpha that is spent here; 0 where no counter and no gauge is judged.
        no_data: seconds without an answer after which the answer is inconclusive.
    """

    source: Source | None = None
    metrics: tuple[Metric, ...] = ()
    rules: tuple[Rule, ...] = ()
    window: float = 60.0
    alpha: float = 0.0
    no_data: float = 300.0

    @property
    def asks(self) -> bool:
        """There is anything to do at all."""
        return bool(self.metrics or self.rules)


OF_ROLE = ("{{revision}}", "{{version}}")
"""Placeholders that stand for the revision being read; the others are the same in both readings."""

PLACEHOLDERS = (*OF_ROLE, "{{candidate}}", "{{stable}}", "{{service}}", "{{environment}}")


def has_role(query: str) -> bool:
    """The query asks for one revision."""
    return any(mark in query for mark in OF_ROLE)


def questions(metric: Metric, names: dict[str, dict[str, str]]) -> dict[str, str]:
    """The queries of one reading, by what they are for: `candidate`, `stable.failed`, empty for both.

    Args:
        metric: a gauge or a counter.
        names: what the placeholders stand for, by role; those of `candidate` where a query is asked once.
    """
    if metric.kind == "counter":
        halves = {"failed": metric.failed, "total": metric.total}
        return {f"{role}.{half}": fill(query, names[role]) for role in metric.roles for half, query in halves.items()}
    if not metric.roles:
        return {"": fill(metric.query, names["candidate"])}
    return {role: fill(metric.query, names[role]) for role in metric.roles}


def keys_of(metric: Metric) -> tuple[str, ...]:
    """What the queries of one reading are for; see `questions`."""
    if metric.kind == "counter":
        return tuple(f"{role}.{half}" for role in metric.roles for half in ("failed", "total"))
    return metric.roles or ("",)


def fill(query: str, values: dict[str, str]) -> str:
    """The query with its placeholders replaced, each value as it stands within quotes of PromQL.

    Args:
        query: as written.
        values: by name, such as `revision`.
    """
    for name, value in values.items():
        query = query.replace("{{" + name + "}}", value.replace("\\", "\\\\").replace('"', '\\"'))
    return query
