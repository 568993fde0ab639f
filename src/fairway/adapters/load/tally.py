"""Counts what happens during a run, by interval; intervals are folded into totals as they end."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from fairway.adapters.load.latency import Cells, add, longest, mean, percentile, record
from fairway.adapters.load.report import Counts, Interval, Pace, Report
from fairway.domain.insight.histogram import encode

# Status, revision and method of an answer, as they stand on the wire.
AnswerKind = tuple[bytes, bytes, str]


@dataclass(slots=True)
class Piece:
    """What happened in one interval, or in all of them."""

    at: float
    sent: int = 0
    answers: dict[AnswerKind, Cells] = field(default_factory=dict)
    errors: Counter[tuple[str, str]] = field(default_factory=Counter)  # by kind and method
    timeouts: Cells = field(default_factory=dict)

    def latencies(self) -> Cells:
        """Answers of any kind, and timeouts with the time that was waited."""
        cells: Cells = dict(self.timeouts)
        for part in self.answers.values():
            add(cells, part)
        return cells


class Tally:
    """All counts of one run.

    Attributes:
        piece: the present interval.
        reopened: connections that the server closed while idle.
        begin: monotonic seconds; a request that was to be sent before does not count, it only warms up.

    Args:
        good: statuses that count as good.
        interval: seconds of one piece of the timeline.
    """

    def __init__(self, good: frozenset[int], interval: float) -> None:
        self._good = {str(status).encode() for status in good}
        self._interval = interval
        self._total = Piece(0.0)
        self._timeline: list[Interval] = []
        self._ignored: Cells = {}
        self._next_turn = 0.0
        self.piece = Piece(0.0)
        self.reopened = 0
        self.begin = 0.0
        # Kept as running sums, because a look at the run must not take so long that it delays requests.
        self._folded_ok = 0
        self._folded_failed = 0

    def start(self, begin: float) -> None:
        """Says from when on requests count; before anything is counted."""
        self.begin = begin
        self._next_turn = begin + self._interval

    def cells(self, status: bytes, revision: bytes, method: str, intended: float) -> Cells:
        """Where the latency of an answer is to be counted."""
        if intended < self.begin:
            return self._ignored
        kind = (status, revision, method)
        cells = self.piece.answers.get(kind)
        if cells is None:
            cells = self.piece.answers[kind] = {}
        return cells

    def fail(self, kind: str, method: str, intended: float) -> None:
        """Counts a request that got no whole answer."""
        if intended >= self.begin:
            self.piece.errors[kind, method] += 1

    def time_out(self, microseconds: int, intended: float) -> None:
        """Counts how long was waited for an answer in vain."""
        if intended >= self.begin:
            record(self.piece.timeouts, microseconds)

    def turn(self, now: float) -> None:
        """Ends the present interval if its time is over."""
        if now < self._next_turn:
            return
        self._fold()
        whole = (now - self.begin) // self._interval
        self.piece = Piece(whole * self._interval)
        self._next_turn = self.begin + (whole + 1) * self._interval
        self._ignored.clear()

    def _fold(self) -> None:
        piece, total = self.piece, self._total
        if piece.sent or piece.answers or piece.errors:
            self._timeline.append(self._interval_of(piece))
        self._folded_ok += self._ok(piece)
        self._folded_failed += self._failed(piece)
        total.sent += piece.sent
        total.errors.update(piece.errors)
        add(total.timeouts, piece.timeouts)
        for kind, cells in piece.answers.items():
            add(total.answers.setdefault(kind, {}), cells)

    def _ok(self, piece: Piece) -> int:
        return sum(sum(cells.values()) for kind, cells in piece.answers.items() if kind[0] in self._good)

    def _failed(self, piece: Piece) -> int:
        answered = sum(sum(cells.values()) for kind, cells in piece.answers.items() if kind[0] not in self._good)
        return answered + piece.errors.total()

    def _interval_of(self, piece: Piece) -> Interval:
        cells = piece.latencies()
        revisions: Counter[str] = Counter()
        for (_, revision, _), part in piece.answers.items():
            revisions[revision.decode(errors="replace")] += sum(part.values())
        return Interval(
            at=round(piece.at, 3),
            sent=piece.sent,
            ok=self._ok(piece),
            failed=self._failed(piece),
            p50_ms=percentile(cells, 50),
            p99_ms=percentile(cells, 99),
            max_ms=longest(cells),
            revisions=dict(revisions),
        )

    def live(self) -> dict[str, object]:
        """The run so far, the last complete interval, and what has come in the present one."""
        last = self._timeline[-1] if self._timeline else None
        return {
            "sent": self._total.sent + self.piece.sent,
            "ok": self._folded_ok + self._ok(self.piece),
            "failed": self._folded_failed + self._failed(self.piece),
            "p99_ms": last.p99_ms if last else None,
            "revisions": last.revisions if last else {},
        }

    def report(self, *, seconds: float, rate: float, behind: int, unfinished: int, pace: Pace, warmed: int) -> Report:
        """Ends the counting."""
        self._fold()
        self.piece = Piece(seconds)
        total = self._total
        cells = total.latencies()
        statuses: Counter[str] = Counter()
        for (status, _, _), part in total.answers.items():
            statuses[status.decode()] += sum(part.values())
        errors: Counter[str] = Counter()
        for (kind, _), count in total.errors.items():
            errors[kind] += count
        return Report(
            seconds=round(seconds, 3),
            rate=rate,
            sent=total.sent,
            ok=self._folded_ok,
            failed=self._folded_failed,
            unfinished=unfinished,
            behind=behind,
            max_lag_ms=pace.max_lag_ms,
            by_status=dict(statuses),
            errors=dict(errors),
            by_method=self._by_method(),
            by_revision=self._grouped(1),
            reopened=self.reopened,
            mean_ms=mean(cells),
            p50_ms=percentile(cells, 50),
            p90_ms=percentile(cells, 90),
            p95_ms=percentile(cells, 95),
            p99_ms=percentile(cells, 99),
            p999_ms=percentile(cells, 99.9),
            max_ms=longest(cells),
            timeline=tuple(self._timeline),
            pace=pace,
            histogram=encode(cells),
            warmed=warmed,
        )

    def _by_method(self) -> Mapping[str, Counts]:
        counts = self._grouped(2)
        for (_, method), number in self._total.errors.items():
            before = counts.get(method, Counts(0, 0))
            counts[method] = Counts(before.ok, before.failed + number, before.p99_ms)
        return counts

    def _grouped(self, part: int) -> dict[str, Counts]:
        """Answers by one part of their kind."""
        good: Counter[str] = Counter()
        bad: Counter[str] = Counter()
        cells: dict[str, Cells] = {}
        for kind, latencies in self._total.answers.items():
            value = kind[part]
            name = value.decode(errors="replace") if isinstance(value, bytes) else value
            (good if kind[0] in self._good else bad)[name] += sum(latencies.values())
            add(cells.setdefault(name, {}), latencies)
        return {name: Counts(good[name], bad[name], percentile(part_, 99)) for name, part_ in sorted(cells.items())}
