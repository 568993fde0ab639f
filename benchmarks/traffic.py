"""Requests at a constant rate through the proxies: at rest, through a rollout, and onto a release that dies.

The users are a process of their own. They send at moments that are fixed beforehand, whatever became of the requests
before, and latency counts from that moment; they never retry.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks import peers
from benchmarks.figures import Limit, Row
from benchmarks.processor import Account, Usage, used_by
from benchmarks.service import DEAD, GOOD, SICK, Done, Project, Service
from fairway.adapters.load.process import Load
from fairway.adapters.load.report import Report
from fairway.domain.rollout.events import RollbackStarted

#: Connections of the users, all kept alive.
CONNECTIONS = 64
#: Worker threads of HAProxy and worker processes of nginx: as many as Envoy has threads on two cores.
THREADS = 2
#: Part of the requests asked for that must have been sent: the load must have been what the row says. Not quite all,
#: because what is due and not sent yet at the end of the row is missing.
SENT = 0.99
#: Seconds of traffic before and after what is measured under it.
_MARGIN = 1.0

PeerOpener = Callable[[Path, list[str], int], AbstractContextManager[peers.Peer]]


class Measured:
    """What was seen during a block: processor time, and what the users saw."""

    report: Report
    usage: Usage
    proxy_seconds: float

    def figures(self) -> dict[str, float | None]:
        """The figures that all rows have."""
        report = self.report
        return {
            "requests": report.sent,
            "rate_per_s": round(report.sent / report.seconds, 1) if report.seconds else 0.0,
            "failed": report.failed + report.unfinished,
            "behind": report.behind,
            "p50_ms": report.p50_ms,
            "p99_ms": report.p99_ms,
            "p999_ms": report.p999_ms,
            "max_ms": report.max_ms,
            "proxy_us_per_request": round(self.proxy_seconds / max(report.sent, 1) * 1e6, 1),
        }

    def detail(self) -> dict[str, object]:
        """What is worth knowing beside the figures."""
        report = self.report
        answers = {name or "-": counts.ok + counts.failed for name, counts in report.by_revision.items()}
        return {
            "by_status": dict(report.by_status),
            "errors": dict(report.errors),
            "answers_by_revision": answers,
            "p99_ms_by_second": [interval.p99_ms for interval in report.timeline],
        }


@contextmanager
def users(url: str, rate: float, folder: Path, proxy: int) -> Iterator[Measured]:
    """Users of a URL for the length of the block; afterwards the measurement is complete.

    Args:
        url: where they connect.
        rate: requests a second.
        folder: of the benchmark, for the account of the processor time.
        proxy: pid of the proxy that serves them.
    """
    measured = Measured()
    proxy_began = used_by(proxy)
    with Account(folder) as account, Load(url, rate=rate, connections=CONNECTIONS) as load:
        yield measured
        measured.report = load.stop()
    measured.usage = account.usage()
    measured.proxy_seconds = used_by(proxy) - proxy_began


def at_rest(service: Service, rate: float, seconds: float) -> Row:
    """The same Envoy without a rollout."""
    return _steady("Envoy at rest", service.url, rate, seconds, service.folder, service.processes()["envoy"])


def through_peer(name: str, opener: PeerOpener, service: Service, rate: float, seconds: float) -> Row:
    """Another proxy before the same instances."""
    try:
        with opener(service.folder, service.backends(), THREADS) as peer:
            return _steady(f"{name} {peer.version}", peer.url, rate, seconds, service.folder, peer.pid)
    except peers.MissingPeerError as error:
        return Row(name, problem=str(error))


def _steady(name: str, url: str, rate: float, seconds: float, folder: Path, proxy: int) -> Row:
    with users(url, rate, folder, proxy) as measured:
        time.sleep(seconds)
    return Row(name, measured.figures(), (), measured.usage, detail=measured.detail())


def through(strategy: str, service: Service, rate: float) -> tuple[Row, dict[str, Done]]:
    """A good release goes to production by that strategy, then a rollback by hand takes it back.

    Returns:
        The row, and the two commands that have run.
    """
    service.use(strategy)
    with users(service.url, rate, service.folder, service.processes()["envoy"]) as measured:
        time.sleep(_MARGIN)
        there = service.deploy(GOOD)
        back = service.go_back()
        time.sleep(_MARGIN)
    limits = (Limit("failed", exactly=0), Limit("p99_ms", below=50), Limit("rate_per_s", least=rate * SENT))
    unwanted = [done.report.get("reason", "?") for done in (there, back) if done.status != 0]
    problem = f"a run did not go as it should: {unwanted[0]}" if unwanted else None
    name = f"Fairway, through {strategy} and back"
    row = Row(name, measured.figures(), limits, measured.usage, problem, measured.detail())
    return row, {f"{strategy} deploy": there, f"{strategy} rollback": back}


def compare(rows: list[Row], rest: Row) -> list[Row]:
    """The rows with what their rate and P99 are to those of the same proxy at rest, as ratios."""
    return [replace(row, figures=dict(row.figures) | _ratios(row, rest)) for row in rows]


def _ratios(row: Row, rest: Row) -> dict[str, float | None]:
    ratios: dict[str, float | None] = {}
    for name in ("rate_per_s", "p99_ms"):
        one, other = row.figures.get(name), rest.figures.get(name)
        ratios[f"{name.removesuffix('_ms').removesuffix('_per_s')}_to_rest"] = one / other if one and other else None
    return ratios


def onto_a_dead_candidate(service: Service, rate: float) -> Row:
    """A release that fails every request from a certain moment on, while it has a tenth of the requests."""
    limits = (Limit("last_request_s", below=0.3),)
    return _onto(DEAD, "Fairway, onto a candidate that dies at 10 %", service, rate, limits)


def onto_a_sick_candidate(service: Service, rate: float) -> Row:
    """A release that fails a fifth of them: no instance is left out by the proxy, and the verdict alone ends it."""
    limits = (Limit("verdict_s", below=2.0), Limit("after_verdict_s", below=1.0))
    return _onto(SICK, "Fairway, onto one that fails a fifth at 10 %", service, rate, limits)


def _onto(version: str, name: str, service: Service, rate: float, limits: tuple[Limit, ...]) -> Row:
    service.use("canary")
    for place in (service.failures, service.requests):
        place.unlink(missing_ok=True)
    with users(service.url, rate, service.folder, service.processes()["envoy"]) as measured:
        time.sleep(_MARGIN)
        done = service.deploy(version)
        time.sleep(_MARGIN)
    limits += (
        Limit("failed", exactly=0),
        Limit("candidate_failures", least=1),
        Limit("rate_per_s", least=rate * SENT),
    )
    figures = measured.figures() | _end_of(service, done)
    moments = failure_moments(service)
    verdict = done.report.get("phase")
    problem = None if verdict == "rolled-back" else f"it was not rolled back but ended as {verdict}"
    detail = measured.detail() | {
        "reason": done.report.get("reason"),
        "failures_at_s": [round(moment - moments[0], 3) for moment in moments],
    }
    return Row(name, figures, limits, measured.usage, problem, detail)


def _end_of(service: Service, done: Done) -> dict[str, float | None]:
    """How long a bad candidate went on, by its own clock and by the journal."""
    moments, arrived = failure_moments(service), _moments(service.requests)
    if not moments:
        return {"candidate_failures": 0, "last_request_s": None, "verdict_s": None, "after_verdict_s": None}
    started = [event.at for event in service.events(done.report["run"]) if isinstance(event, RollbackStarted)]
    verdict = started[0] if started else None
    return {
        "candidate_failures": len(moments),
        "last_request_s": round(arrived[-1] - moments[0], 3),
        "verdict_s": None if verdict is None else round(verdict - moments[0], 3),
        # Nothing, if the proxy had stopped before the verdict.
        "after_verdict_s": None if verdict is None else round(max(0.0, arrived[-1] - verdict), 3),
    }


def failure_moments(service: Project) -> list[float]:
    """When each request arrived that the application failed, in order; seconds since the epoch."""
    return _moments(service.failures)


def _moments(place: Path) -> list[float]:
    return sorted(int(line) / 1e9 for line in place.read_text().split()) if place.exists() else []
