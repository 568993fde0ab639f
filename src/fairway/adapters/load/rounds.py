"""The port `LoadGenerator` by a generator of our own, in a process of its own."""

import time
from collections.abc import Callable

from fairway.adapters.load.process import Load as Process
from fairway.adapters.load.report import Report
from fairway.domain.errors import PermanentError
from fairway.domain.insight.baseline import Load, Round
from fairway.ports.load import Place

#: Seconds beyond all times that were asked for until a generator counts as hung.
_PATIENCE = 30.0


class OwnGenerator:
    """Runs `python -m fairway.adapters.load` for each round.

    Args:
        clock: seconds since the epoch, UTC.
        options: further options of the generator, such as `("--insecure",)`.
    """

    def __init__(self, clock: Callable[[], float] = time.time, options: tuple[str, ...] = ()) -> None:
        self._clock = clock
        self._options = options

    def run(self, place: Place, load: Load) -> Round:
        """See the port."""
        at = self._clock()
        with self._process(place, load) as run:
            report = run.wait(load.warmup + load.duration + 2 * load.timeout + _PATIENCE)
        return _checked(at, place, load, report)

    def run_in_turn(self, places: tuple[Place, Place], load: Load) -> tuple[Round, Round]:
        """See the port."""
        at = self._clock()
        first, second = places
        against = ("--against", second.url, *(("--against-socket", second.socket) if second.socket else ()))
        with self._process(first, load, *against) as run:
            # No further turn begins where answers are that late.
            reports = run.wait_both(2 * (load.warmup + load.duration + 2 * load.timeout) + _PATIENCE)
        one, other = (_checked(at, *pair) for pair in zip(places, (load, load), reports, strict=True))
        return one, other

    def _process(self, place: Place, load: Load, *more: str) -> Process:
        return Process(
            place.url,
            rate=load.rate,
            duration=load.duration,
            connections=load.connections,
            options=(*_options(place, load), *more, *self._options),
            headers=load.headers,
        )


def _checked(at: float, place: Place, load: Load, report: Report) -> Round:
    if report.sent == 0 and load.rate:
        raise PermanentError("no-load", f"the generator sent nothing to {place.url} in {load.duration:g} s")
    return _round(at, report)


def _options(place: Place, load: Load) -> list[str]:
    options = ["--warmup", str(load.warmup), "--timeout", str(load.timeout), "--mix", load.mix, "--good", load.good]
    for path in load.paths:
        options += ["--path", path]
    if load.body:
        options += ["--body", load.body]
    return [*options, "--socket", place.socket] if place.socket else options


def _round(at: float, report: Report) -> Round:
    bad = {status: count for status, count in report.by_status.items() if status.startswith("5")}
    answered_badly = report.failed - sum(report.errors.values())
    problems = {**report.errors}
    if answered_badly:
        # Which statuses count as good, the generator knows; here those are named that are bad in every case.
        problems |= {f"status {status}": count for status, count in report.by_status.items() if status >= "400"}
    return Round(
        at=at,
        seconds=report.seconds,
        sent=report.sent,
        ok=report.ok,
        failed=report.failed,
        unanswered=sum(report.errors.values()),
        server_errors=min(sum(bad.values()), answered_badly),
        behind=report.behind,
        mean=report.mean_ms,
        p50=report.p50_ms,
        p90=report.p90_ms,
        p95=report.p95_ms,
        p99=report.p99_ms,
        p999=report.p999_ms,
        longest=report.max_ms,
        limit=report.pace.limit,
        remark=report.pace.sentence(),
        histogram=report.histogram,
        problems=tuple(sorted(problems.items(), key=lambda entry: -entry[1])),
        warmed=report.warmed,
    )
