"""What a load run found. Times in reports are milliseconds, moments are seconds since the beginning of the run."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests of one kind: of a revision, or of a method.

    Attributes:
        ok: answered with a status that counts as good.
        failed: answered with another status; for a method also those without a whole answer.
    """

    ok: int
    failed: int
    p99_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """One stretch of the timeline.

    Attributes:
        at: its beginning, in seconds since the beginning of the run.
        sent: requests sent in it.
        ok: good answers that came in it.
        failed: requests that failed in it.
        revisions: answers by revision.
    """

    at: float
    sent: int
    ok: int
    failed: int
    p50_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    revisions: Mapping[str, int]


Limit = Literal["", "generator", "connections"]


@dataclass(frozen=True, slots=True)
class Pace:
    """How well the generator itself kept up: whether the figures are those of the service.

    Attributes:
        limit: what kept the run from its rate, or made its latencies longer: `generator`, or `connections`, all of
            which waited for answers; empty: nothing did.
        processor: processor time of the generator, in processors: 1 is all that it can use.
        waited: share of the time for which it was ready to run and got no processor; None: the system does not tell.
        late: requests sent more than 2 ms after their time.
        late_alone: those of them for which a connection was free: nobody but the generator was late.
        max_lag_ms: the longest that a request was sent after its time.
    """

    limit: Limit
    processor: float
    waited: float | None
    late: int
    late_alone: int
    max_lag_ms: float

    def sentence(self) -> str:
        """What to make of it; empty where there is nothing to say."""
        if self.limit == "generator":
            taken = f", and waited {self.waited:.0%} of its time for one" if self.waited and self.waited >= 0.01 else ""
            return (
                f"the limit was the generator, not the service: it used {self.processor:.0%} of a processor{taken}; "
                f"{self.late} requests left more than 2 ms late"
            )
        if self.limit == "connections":
            return f"all connections waited for answers: {self.late} requests left more than 2 ms late for want of one"
        return ""


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of one run.

    Attributes:
        seconds: from the first intended request that counts to the end of sending.
        rate: requests a second that were asked for; 0: as many as the connections carry.
        sent: requests that were begun; `ok + failed + unfinished`.
        ok: whole answers with a status that counts as good.
        failed: everything else that ended: other statuses, resets, refused connections, cut answers, timeouts.
        unfinished: under way when the run was stopped from outside and not answered within the time to drain.
        behind: requests whose time had come but that were never sent, for all connections were busy.
        max_lag_ms: the longest that a request was sent after its time, for want of a free connection or because the
            generator could not keep up; it is part of that request's latency.
        by_status: answers by status.
        errors: failures without a whole answer, by kind: `refused`, `reset`, `closed` (before the first byte of the
            answer), `truncated`, `malformed`, `timeout`, `unreachable`.
        by_method: requests by method.
        by_revision: answers by the value of the revision header; empty name: the header was missing.
        reopened: connections that the server closed while they were idle; no failure.
        p50_ms: percentiles are over answers of any status and timeouts, from the intended moment of sending;
            None if there was none.
        timeline: intervals without anything are left out.
        pace: whether the generator kept up.
        histogram: all latencies in microseconds as an HdrHistogram, V2 compressed, in base64.
        warmed: requests sent before any counted.
    """

    seconds: float
    rate: float
    sent: int
    ok: int
    failed: int
    unfinished: int
    behind: int
    max_lag_ms: float
    by_status: Mapping[str, int]
    errors: Mapping[str, int]
    by_method: Mapping[str, Counts]
    by_revision: Mapping[str, Counts]
    reopened: int
    mean_ms: float | None
    p50_ms: float | None
    p90_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    p999_ms: float | None
    max_ms: float | None
    timeline: tuple[Interval, ...]
    pace: Pace
    histogram: str
    warmed: int = 0

    def to_json(self) -> str:
        """One line of JSON, which `from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The report that `to_json` wrote; fields of later versions are ignored.

        Raises:
            ValueError: the text is no report.
        """
        content: dict[str, Any] = json.loads(text)
        for group in ("by_method", "by_revision"):
            content[group] = {name: Counts(**counts) for name, counts in content[group].items()}
        content["timeline"] = tuple(Interval(**interval) for interval in content["timeline"])
        content["pace"] = Pace(**content["pace"])
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in content.items() if name in known})

    def __str__(self) -> str:
        lines = [
            f"{self.sent} requests in {self.seconds:.1f} s ({self.sent / max(self.seconds, 1e-9):.1f}/s), "
            f"{self.ok} ok, {self.failed} failed, {self.unfinished} unfinished, {self.behind} behind",
            f"latency ms: mean {_shown(self.mean_ms)}, P50 {_shown(self.p50_ms)}, P95 {_shown(self.p95_ms)}, "
            f"P99 {_shown(self.p99_ms)}, "
            f"max {_shown(self.max_ms)}; sent at most {self.max_lag_ms:.2f} late",
            f"by status: {_listed(self.by_status)}",
        ]
        if self.errors:
            lines.append(f"errors: {_listed(self.errors)}")
        for name, counts in self.by_revision.items():
            lines.append(f"revision {name or '-'}: {counts.ok} ok, {counts.failed} failed, P99 {_shown(counts.p99_ms)}")
        if self.pace.limit:
            lines.append(self.pace.sentence())
        return "\n".join(lines)


def _shown(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds:.2f}"


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} × {count}" for name, count in sorted(counts.items())) or "none"
