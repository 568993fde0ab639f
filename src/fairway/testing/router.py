"""A router with behaviour and without a proxy."""

import hashlib
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from fairway.domain.analysis.traffic import InstanceTraffic, RevisionTraffic, TrafficSnapshot
from fairway.domain.errors import FairwayError, InvariantError, PermanentError, TransientError
from fairway.domain.rollout.routes import Backend, Routes
from fairway.ports.router import RouterState

READS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a user got: a status, and the revision that gave it, None if nobody did."""

    status: int
    revision: str | None


@dataclass(slots=True)
class _Counts:
    numbers: Counter[str] = field(default_factory=Counter)
    instances: dict[str, Counter[str]] = field(default_factory=dict)


class FakeRouter:
    """Divides requests by exact shares in memory; fails, falls silent and restarts when told.

    Args:
        address: what it says users connect to.
        preview: what it says the preview's address is; None: it has none.
        clock: seconds since the epoch, UTC.

    Attributes:
        history: all confirmed routes, in order; to be read.
        unhealthy: revisions whose endpoints pass no health check.
        failing: revisions that answer every request with 500.
        silent: the counters cannot be read.
        ejected: instances that are reported as ejected.
        latency: cells of each revision's latency, reported as they are.
    """

    def __init__(
        self,
        *,
        address: str = "127.0.0.1:8000",
        preview: str | None = "127.0.0.1:8001",
        clock: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._address = address
        self._preview = preview
        self._clock = clock
        self._routes: Routes | None = None
        self._epoch = 0
        self._starts = 0
        self._credit: defaultdict[str, float] = defaultdict(float)
        self._copies = 0.0
        self._turn = 0
        self._counts: dict[str, _Counts] = {}
        self._scripted: deque[TrafficSnapshot] = deque()
        self._errors: deque[FairwayError] = deque()
        self.history: list[Routes] = []
        self.unhealthy: set[str] = set()
        self.failing: set[str] = set()
        self.silent = False
        self.ejected: set[str] = set()
        self.latency: dict[str, tuple[tuple[float, float, int], ...]] = {}

    def raise_next(self, error: FairwayError) -> None:
        """The next change is not made but raises this; several are raised one after the other."""
        self._errors.append(error)

    def play(self, snapshots: Iterable[TrafficSnapshot]) -> None:
        """From now on readings are these, in order; the last one stays."""
        self._scripted = deque(snapshots)

    def restart(self) -> None:
        """The proxy was killed and started again: same routes, counters at zero with another origin."""
        self._starts += 1
        self._counts = {}

    def count(self, revision: str, *, finished: int, failed: int = 0, retried: int = 0) -> None:
        """Adds attempts of the revision, on its first instance if it has one in rotation."""
        backend = next((b for b in self._backends() if b.revision == revision), None)
        instance = backend.endpoints[0].instance if backend is not None and backend.endpoints else None
        added = {"finished": finished, "failed": failed, "retried": retried}
        self._add(revision, instance, added)

    def request(self, method: str = "GET", *, named: str | None = None, user: str | None = None) -> Answer:
        """One request of a user.

        Args:
            method: of the request; only those that read are tried again after a failure.
            named: `candidate` or `stable`, as a user asks by header; such requests are not counted.
            user: what the cookie or header holds by which users are kept on one revision.
        """
        routes = self._routes
        if routes is None:
            raise ConnectionRefusedError(self._address)
        if named is not None:
            wanted = routes.candidate if named == "candidate" else routes.stable
            return Answer(404, None) if wanted is None else Answer(500 if wanted in self.failing else 200, wanted)
        revision = self._drawn(routes) if user is None or routes.sticky is None else _kept(routes, user)
        if revision is None:
            return Answer(503, None)
        if revision == routes.baseline and revision in self.unhealthy:
            revision = routes.stable or revision
        self._copy(routes, method)
        answer = self._serve(revision, again=False)
        if answer.status >= 500 and routes.stable not in {None, revision} and method in READS:
            return self._serve(routes.stable or "", again=True)
        return answer

    def ensure_routes(self, routes: Routes, *, epoch: int) -> RouterState:
        """See the port."""
        self._take(epoch)
        if self._errors:
            raise self._errors.popleft()
        _check(routes)
        if routes != self._routes:
            self._check_health(routes)
            self._routes = routes
            self.history.append(routes)
            self._starts = max(self._starts, 1)
        return self.observe()

    def observe(self) -> RouterState:
        """See the port."""
        routes = self._routes
        preview = None if routes is None or routes.candidate is None else self._preview
        return RouterState(routes is not None, self._address, preview, routes)

    def observe_traffic(self) -> TrafficSnapshot:
        """See the port."""
        if self.silent or self._routes is None:
            raise TransientError("router-silent", f'The router at "{self._address}" does not answer.')
        if self._scripted:
            return self._scripted.popleft() if len(self._scripted) > 1 else self._scripted[0]
        revisions = tuple(self._traffic(backend) for backend in self._backends())
        return TrafficSnapshot(self._clock(), f"fake.{self._starts}", revisions)

    def _take(self, epoch: int) -> None:
        if epoch < self._epoch:
            raise PermanentError("stale-epoch", f"Epoch {epoch} is stale: {self._epoch} has been seen.")
        self._epoch = epoch

    def _check_health(self, routes: Routes) -> None:
        shares = ((routes.stable, routes.weight < 100), (routes.candidate, routes.weight > 0))
        for revision in (name for name, receives in shares if receives and name is not None):
            backend = next(b for b in routes.backends if b.revision == revision)
            if revision in self.unhealthy or not backend.endpoints:
                raise TransientError("no-healthy-endpoint", f'Revision "{revision}" has no healthy endpoint.')

    def _drawn(self, routes: Routes) -> str | None:
        """Exactly the shares of the weights: each request adds to all credits, the one with the most serves it."""
        left = 100 - routes.weight - routes.baseline_weight
        named = ((routes.candidate, routes.weight), (routes.baseline, routes.baseline_weight), (routes.stable, left))
        shares = {revision: share for revision, share in named if revision is not None and share > 0}
        if not shares:
            return None
        for revision, share in shares.items():
            self._credit[revision] += share
        drawn = max(shares, key=lambda revision: self._credit[revision])
        self._credit[drawn] -= 100
        return drawn

    def _copy(self, routes: Routes, method: str) -> None:
        """A copy for the candidate, and for the baseline, where the routes say so: exactly the share."""
        mirror = routes.mirror
        if mirror is None or routes.candidate is None or routes.weight or not (mirror.unsafe or method in READS):
            return
        self._copies += mirror.share
        if self._copies >= 100:
            self._copies -= 100
            for revision in (routes.candidate, routes.baseline):
                if revision is not None:
                    self._add(revision, None, {"finished": 1, "failed": int(revision in self.failing)})

    def _serve(self, revision: str, *, again: bool) -> Answer:
        backend = next(b for b in self._backends() if b.revision == revision)
        self._turn += 1
        instance = backend.endpoints[self._turn % len(backend.endpoints)].instance if backend.endpoints else None
        failed = revision in self.failing or instance is None
        added = {"finished": 1, "failed": int(failed), "retried": int(again), "retried_failed": int(again and failed)}
        self._add(revision, instance, added)
        return Answer(500 if failed else 200, revision)

    def _add(self, revision: str, instance: str | None, added: dict[str, int]) -> None:
        counts = self._counts.setdefault(revision, _Counts())
        counts.numbers.update(added)
        if instance is not None:
            counts.instances.setdefault(instance, Counter()).update(added)

    def _backends(self) -> tuple[Backend, ...]:
        return () if self._routes is None else self._routes.backends

    def _traffic(self, backend: Backend) -> RevisionTraffic:
        counts = self._counts.get(backend.revision, _Counts())
        present = [endpoint.instance for endpoint in (*backend.endpoints, *backend.draining)]
        instances = tuple(
            InstanceTraffic(
                name,
                counts.instances.get(name, Counter())["finished"],
                counts.instances.get(name, Counter())["failed"],
                ejected=name in self.ejected,
                healthy=name in present and backend.revision not in self.unhealthy,
            )
            for name in dict.fromkeys((*present, *counts.instances))
        )
        latency = self.latency.get(backend.revision, ())
        numbers = {key: counts.numbers[key] for key in ("finished", "failed", "retried", "retried_failed")}
        return RevisionTraffic(backend.revision, latency=latency, instances=instances, **numbers)


def _kept(routes: Routes, user: str) -> str | None:
    """The same user falls below every weight that is higher."""
    share = int.from_bytes(hashlib.sha256(user.encode()).digest()[:4], "big") / 2**32 * 100
    if share < routes.weight:
        return routes.candidate
    return routes.baseline if share >= 100 - routes.baseline_weight else routes.stable


def _check(routes: Routes) -> None:
    revisions = {backend.revision for backend in routes.backends}
    for revision in (routes.stable, routes.candidate, routes.baseline):
        if revision is not None and revision not in revisions:
            raise InvariantError("routes-incomplete", f'Revision "{revision}" has no backend.')
    if not 0 <= routes.weight <= 100 or (routes.weight > 0 and routes.candidate is None):
        raise InvariantError("routes-weight", f"A weight of {routes.weight:g} percent has nowhere to go.")
