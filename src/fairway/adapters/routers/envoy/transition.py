"""The order of a change, so that no request meets a cluster that is not there or not ready.

1. What lies in reach is written down.
2. Endpoints and clusters are added; nothing is taken away.
3. New endpoints pass their first health check.
4. The weights move.
5. Endpoints drain, clusters that no route uses go.

Traffic that returns to stable does not wait for any of this: then step 4 comes first.
"""

import time
from dataclasses import dataclass

from fairway.adapters.routers.envoy.admin import Admin, Host, Hosts, place
from fairway.adapters.routers.envoy.clusters import assignment, joint, joint_for_reads, revision_cluster
from fairway.adapters.routers.envoy.folder import discovery, read_file, says, sync_folder
from fairway.adapters.routers.envoy.ledger import Memory, load_memory, settle, store_memory, widen
from fairway.adapters.routers.envoy.names import MAIN, PREVIEW, endpoints_file
from fairway.adapters.routers.envoy.process import Process
from fairway.adapters.routers.envoy.publisher import CLUSTERS, Publisher, endpoints_of, routes_of
from fairway.adapters.routers.envoy.routing import (
    NOBODY,
    joint_pairs,
    main_routes,
    preview_routes,
    reading_policy,
    receivers,
)
from fairway.domain.errors import PermanentError, TransientError
from fairway.domain.rollout.routes import Backend, Routes


@dataclass(frozen=True, slots=True)
class Transition:
    """Brings a running Envoy to the given routes.

    Attributes:
        try_timeout: seconds for one try of a method that only reads; None: no limit.
        patience: seconds that Envoy gets to confirm, and new endpoints to become healthy.
    """

    process: Process
    try_timeout: float | None
    patience: float

    def perform(self, routes: Routes) -> None:
        """Returns when every worker uses the routes and they are stored.

        Raises:
            PermanentError: Envoy refuses them; all files are as before.
            TransientError: not confirmed, or nobody healthy to send requests to; weights that have not moved stay.
        """
        memory = load_memory(self.process.folder)
        try:
            self._attempt(memory, routes)
        except PermanentError:
            untainted = load_memory(self.process.folder)
            if untainted.reach == memory.reach:
                raise
            self._attempt(untainted, routes)

    def _attempt(self, memory: Memory, routes: Routes) -> None:
        folder = self.process.folder
        with Admin(folder) as admin:
            publisher = Publisher(self.process, admin, patience=self.patience)
            try:
                wide = self._perform(publisher, memory, routes)
            except PermanentError:
                publisher.take_back()
                store_memory(folder, self._untainted(memory))
                raise
            if publisher.changed:
                admin.await_workers(patience=self.patience)
        settled = settle(wide, routes)
        if settled != memory:
            store_memory(folder, settled)
            self._forget_endpoints(settled)
            sync_folder(folder)

    def _perform(self, publisher: Publisher, memory: Memory, routes: Routes) -> Memory:
        """Everything but the final bookkeeping; returns what is in reach meanwhile."""
        if _returns(memory.confirmed, routes) and _can_serve(publisher.hosts, routes):
            self._move_weights(publisher, routes)
        wide = widen(memory, routes)
        if wide != memory:
            store_memory(self.process.folder, wide)
        self._write_backends(publisher, wide)
        if memory.confirmed != routes:
            self._await_healthy(publisher, memory, routes)
        self._move_weights(publisher, routes)
        if self.process.preview is not None:
            publisher.publish(routes_of(PREVIEW), [preview_routes(routes)])
        self._write_backends(publisher, settle(wide, routes))
        return wide

    def _untainted(self, memory: Memory) -> Memory:
        """What is in reach after a refusal: no more than what was confirmed, if the weights never left that.

        Else a backend that Envoy refuses, written down by a controller that died, would spoil every later change.
        """
        content = discovery([main_routes(memory.confirmed or NOBODY, self.try_timeout)])
        if not says(read_file(self.process.folder / routes_of(MAIN).file), content):
            return memory
        return Memory() if memory.confirmed is None else settle(Memory(), memory.confirmed)

    def _move_weights(self, publisher: Publisher, routes: Routes) -> None:
        publisher.publish(routes_of(MAIN), [main_routes(routes, self.try_timeout)])

    def _write_backends(self, publisher: Publisher, memory: Memory) -> None:
        """Makes Envoy have exactly the memory's revisions and aggregates."""
        confirmations = []
        for backend in memory.reach:
            subscription, content = endpoints_of(backend.revision), [assignment(backend)]
            if backend.revision in publisher.hosts:
                publisher.publish(subscription, content)
            else:
                confirmations.append(publisher.prepare(subscription, content))
        revisions = [revision_cluster(self.process.folder, backend) for backend in memory.reach]
        joints = [joint(*pair) for pair in memory.pairs]
        if memory.sticky:
            joints += [joint_for_reads(*pair, reading_policy(pair[0], self.try_timeout)) for pair in memory.pairs]
        publisher.publish(CLUSTERS, revisions + joints)
        for confirm in confirmations:
            confirm()
        names = {cluster["name"] for cluster in revisions + joints}
        if names - publisher.hosts.keys():
            self._await_clusters(publisher, names)

    def _await_clusters(self, publisher: Publisher, names: set[str]) -> None:
        """A new cluster is in use only once its first health checks are answered or given up."""
        deadline = time.monotonic() + self.patience
        while missing := names - publisher.hosts.keys():
            if time.monotonic() > deadline:
                message = f'Envoy did not take up "{min(missing)}" within {self.patience:g} s'
                raise TransientError("envoy-slow", message, "try again")
            time.sleep(0.002)
            publisher.hosts = publisher.admin.hosts()

    def _await_healthy(self, publisher: Publisher, memory: Memory, routes: Routes) -> None:
        """Gives endpoints that had no requests so far time to become healthy; then each receiver needs one that is.

        While one is not, others stand in for it: users who should stay on one revision would be moved between two.
        """
        before = memory.confirmed
        served = receivers(before) if before is not None else ()
        backends = before.backends if before is not None else ()
        known = {(b.revision, e) for b in backends if b.revision in served for e in b.endpoints}
        awaited = receivers(routes)
        new = [(b, e) for b in routes.backends if b.revision in awaited for e in b.endpoints]
        new = [(b, e) for b, e in new if (b.revision, e) not in known]
        deadline = time.monotonic() + self.patience
        hosts = publisher.hosts
        while not (_can_serve(hosts, routes) and all(_healthy(hosts, b, place(e)) for b, e in new)):
            if time.monotonic() > deadline:
                break
            time.sleep(0.005)
            hosts = publisher.admin.hosts()
        for revision in awaited:
            if not _serves(hosts, routes, revision):
                message = f'no endpoint of revision "{revision}" passed its health check within {self.patience:g} s'
                raise TransientError("no-healthy-endpoint", message, "the weights stay as they were")

    def _forget_endpoints(self, memory: Memory) -> None:
        kept = {endpoints_file(backend.revision) for backend in memory.reach}
        for file in self.process.folder.glob(endpoints_file("*")):
            if file.name not in kept:
                file.unlink()


def _serves(hosts: Hosts, routes: Routes, revision: str) -> bool:
    backend = next(b for b in routes.backends if b.revision == revision)
    return any(_healthy(hosts, backend, place(endpoint)) for endpoint in backend.endpoints)


def _healthy(hosts: Hosts, backend: Backend, where: tuple[str, int]) -> bool:
    host: Host | None = hosts.get(backend.revision, {}).get(where)
    return host is not None and host.healthy


def _returns(confirmed: Routes | None, routes: Routes) -> bool:
    """Whether the change gives requests back to stable, also the baseline's, and does nothing else to the weights."""
    return (
        confirmed is not None
        and routes.stable == confirmed.stable
        and routes.candidate in {confirmed.candidate, None}
        and routes.baseline in {confirmed.baseline, None}
        and routes.weight < confirmed.weight
        and routes.baseline_weight <= confirmed.baseline_weight
        and set(joint_pairs(routes)) <= set(joint_pairs(confirmed))
    )


def _can_serve(hosts: Hosts, routes: Routes) -> bool:
    return all(_serves(hosts, routes, revision) for revision in receivers(routes))
