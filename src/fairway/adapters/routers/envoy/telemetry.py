"""Counters of all revisions, out of one reading of Envoy's statistics.

An attempt failed when no answer came (code 0), when the answer was 5xx, or when Envoy flags that the answer broke off.
An attempt without code and without flag is one that the client gave up; second tries that it gave up say nothing about
who served them, because the client had waited for another before.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from fairway.adapters.routers.envoy.admin import DROPPED_MERGES, Admin, Hosts, place
from fairway.adapters.routers.envoy.bootstrap import COUNTERS
from fairway.adapters.routers.envoy.names import from_tag, to_tag
from fairway.domain.analysis.traffic import InstanceTraffic, RevisionTraffic, TrafficSnapshot
from fairway.domain.rollout.routes import Backend

Cells = tuple[tuple[float, float, int], ...]

_NO_ANSWER = "0"
_SWITCHED_PROTOCOLS = "101"
# `-` is none; the others say that the client went away or broke the protocol.
_CLIENTS_OWN = frozenset({"-", "DC", "DPE"})
_TRIES_AT_MERGE = 3


@dataclass(slots=True)
class _Tally:
    finished: int = 0
    failed: int = 0
    retried: int = 0
    retried_failed: int = 0
    abandoned: int = 0

    def add(self, code: str, flags: str, number: str, count: int) -> None:
        broken = not _CLIENTS_OWN.issuperset(flags.split(","))
        again = number not in {"1", "-"}
        if code == _NO_ANSWER and not broken:
            self.abandoned += count * (not again)
            return
        # A WebSocket ends by a closed connection, whoever closes it.
        failed = code == _NO_ANSWER or int(code) >= 500 or (broken and code != _SWITCHED_PROTOCOLS)
        self.finished += count
        self.failed += count * failed
        self.retried += count * again
        self.retried_failed += count * (again and failed)


@dataclass(slots=True)
class _Counted:
    whole: _Tally = field(default_factory=_Tally)
    instances: defaultdict[str, _Tally] = field(default_factory=lambda: defaultdict(_Tally))
    latency: dict[str, Cells] = field(default_factory=dict)


def read_traffic(
    admin: Admin, backends: Iterable[Backend], *, at: float, left: Iterable[tuple[str, str]] = ()
) -> TrafficSnapshot:
    """One snapshot of the backends' revisions.

    Counters come from a single reading. Histograms are merged by the workers on request: what is read was merged a
    moment ago and never lags by a whole reading.

    Args:
        admin: of the Envoy.
        backends: revisions with their instances.
        at: now, seconds since the epoch, UTC.
        left: revision and instance of what is gone and still counts; counters of any other instance are not read.
    """
    wanted = tuple(backends)
    merged = admin.dropped_merges()
    hosts = admin.hosts()
    listed = _read_merged(admin, _pattern(wanted, left), merged)
    counted = _count(listed)
    revisions = tuple(_revision(backend, counted[backend.revision], hosts) for backend in wanted)
    return TrafficSnapshot(at, admin.origin(), revisions)


def _pattern(backends: tuple[Backend, ...], left: Iterable[tuple[str, str]]) -> str:
    """What matches the names of the counters of these instances, and of nothing else."""
    serving = ((b.revision, endpoint.instance) for b in backends for endpoint in (*b.endpoints, *b.draining))
    instances: dict[str, list[str]] = {}
    for revision, instance in dict.fromkeys((*serving, *left)):
        instances.setdefault(to_tag(revision), []).append(to_tag(instance))
    served = "|".join(rf"{tag}\.instance\.({'|'.join(names)})" for tag, names in instances.items()) or "-"
    return rf"^({COUNTERS}\.(ended|time)\.revision\.({served})(\.|$)|{DROPPED_MERGES}$)"


def _read_merged(admin: Admin, pattern: str, dropped: int) -> list[dict[str, Any]]:
    """The statistics, read again while the merge that the reading before asked for is still under way."""
    listed: list[dict[str, Any]] = []
    for _ in range(_TRIES_AT_MERGE):
        listed = admin.used_stats(pattern)
        now = next((stat["value"] for stat in listed if stat.get("name") == DROPPED_MERGES), 0)
        if now == dropped:
            break
        dropped = now
    return listed


def _count(listed: list[dict[str, Any]]) -> defaultdict[str, _Counted]:
    counted: defaultdict[str, _Counted] = defaultdict(_Counted)
    for stat in listed:
        if "histograms" in stat:
            for histogram in stat["histograms"].get("details", ()):
                # attempts.time.revision.R.instance.I
                revision, instance = histogram["name"].split(".")[3::2]
                counted[from_tag(revision)].latency[from_tag(instance)] = _cells(histogram["totals"])
        elif stat["name"] != DROPPED_MERGES:
            # attempts.ended.revision.R.instance.I.code.C.flags.F.try.N
            revision, instance, code, flags, number = stat["name"].split(".")[3::2]
            found = counted[from_tag(revision)]
            found.whole.add(code, flags, number, stat["value"])
            found.instances[from_tag(instance)].add(code, flags, number, stat["value"])
    return counted


def _cells(totals: list[dict[str, Any]]) -> Cells:
    return tuple((float(cell["lower_bound"]), float(cell["width"]), int(cell["count"])) for cell in totals)


def _together(histograms: Iterable[Cells]) -> Cells:
    """The cells of all instances; all of Envoy's histograms have the same edges."""
    widths: dict[float, float] = {}
    counts: Counter[float] = Counter()
    for cells in histograms:
        for lower, width, count in cells:
            widths[lower] = width
            counts[lower] += count
    return tuple((lower, widths[lower], counts[lower]) for lower in sorted(widths))


def _revision(backend: Backend, counted: _Counted, hosts: Hosts) -> RevisionTraffic:
    seen = hosts.get(backend.revision, {})
    known = {endpoint.instance: seen.get(place(endpoint)) for endpoint in (*backend.endpoints, *backend.draining)}
    instances = []
    for instance in sorted(known.keys() | counted.instances.keys() | counted.latency.keys()):
        tally = counted.instances[instance]
        host = known.get(instance)
        instances.append(
            InstanceTraffic(
                instance,
                tally.finished,
                tally.failed,
                ejected=host is not None and host.ejected,
                healthy=host is not None and host.healthy,
                active=0 if host is None else host.active,
                latency=counted.latency.get(instance, ()),
            )
        )
    whole = counted.whole
    return RevisionTraffic(
        backend.revision,
        whole.finished,
        whole.failed,
        _together(counted.latency.values()),
        tuple(instances),
        retried=whole.retried,
        retried_failed=whole.retried_failed,
        abandoned=whole.abandoned,
    )
