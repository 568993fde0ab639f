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
from fairway.adapters.routers.envoy.clusters import assignment, joint, revision_cluster
from fairway.adapters.routers.envoy.folder import sync_folder
from fairway.adapters.routers.envoy.ledger import Memory, load_memory, settle, store_memory, widen
from fairway.adapters.routers.envoy.names import MAIN, PREVIEW, endpoints_file, joint_cluster
from fairway.adapters.routers.envoy.process import Process
from fairway.adapters.routers.envoy.publisher import CLUSTERS, Publisher, endpoints_of, routes_of
from fairway.adapters.routers.envoy.routing import joint_pairs, main_routes, preview_routes, receivers
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
        with Admin(self.process.folder) as admin:
            publisher = Publisher(self.process, admin, self.patience)
            try:
                self._perform(publisher, memory, routes)
            except PermanentError:
                publisher.take_back()
                raise
            if publisher.changed:
                admin.await_workers(patience=self.patience)
        settled = settle(memory, routes)
        if settled != memory:
            store_memory(self.process.folder, settled)
        if publisher.changed:
            self._forget_endpoints(settled)
            sync_folder(self.process.folder)

    def _perform(self, publisher: Publisher, memory: Memory, routes: Routes) -> None:
        if self._returns(memory.confirmed, routes) and self._can_serve(publisher.admin.hosts(), routes):
            self._move_weights(publisher, routes)
        wide = widen(memory, routes)
        if wide != memory:
            store_memory(self.process.folder, wide)
        self._write_backends(publisher, wide)
        if memory.confirmed != routes:
            self._await_healthy(publisher.admin, memory, routes)
        self._move_weights(publisher, routes)
        if self.process.preview is not None:
            publisher.publish(routes_of(PREVIEW), [preview_routes(routes)])
        self._write_backends(publisher, settle(wide, routes))

    def _move_weights(self, publisher: Publisher, routes: Routes) -> None:
        publisher.publish(routes_of(MAIN), [main_routes(routes, self.try_timeout)])

    def _write_backends(self, publisher: Publisher, memory: Memory) -> None:
        """Makes Envoy have exactly the memory's revisions and aggregates."""
        present = publisher.admin.hosts()
        confirmations = []
        for backend in memory.reach:
            content = [assignment(backend)]
            if backend.revision in present:
                publisher.publish(endpoints_of(backend.revision), content)
            else:
                confirmations.append(publisher.prepare(endpoints_of(backend.revision), content))
        revisions = [revision_cluster(self.process.folder, backend) for backend in memory.reach]
        publisher.publish(CLUSTERS, revisions + [joint(*pair) for pair in memory.pairs])
        for confirm in confirmations:
            confirm()
        names = {backend.revision for backend in memory.reach} | {joint_cluster(*pair) for pair in memory.pairs}
        self._await_clusters(publisher.admin, names)

    def _await_clusters(self, admin: Admin, names: set[str]) -> None:
        """A new cluster is in use only once its first health checks are answered or given up."""
        deadline = time.monotonic() + self.patience
        while missing := names - admin.hosts().keys():
            if time.monotonic() > deadline:
                message = f'Envoy did not take up "{min(missing)}" within {self.patience:g} s'
                raise TransientError("envoy-slow", message, "try again")
            time.sleep(0.002)

    def _await_healthy(self, admin: Admin, memory: Memory, routes: Routes) -> None:
        """Gives new endpoints time to become healthy; then each receiver needs one that is."""
        known = {e for b in memory.reach for e in b.endpoints}
        awaited = receivers(routes)
        new = [(b, e) for b in routes.backends if b.revision in awaited for e in b.endpoints if e not in known]
        deadline = time.monotonic() + self.patience
        while True:
            hosts = admin.hosts()
            serving = self._can_serve(hosts, routes)
            if serving and all(_healthy(hosts, b, place(e)) for b, e in new):
                return
            if time.monotonic() > deadline:
                break
            time.sleep(0.005)
        if not serving:
            silent = next(r for r in awaited if not _serves(hosts, routes, r))
            message = f'no endpoint of revision "{silent}" passed its health check within {self.patience:g} s'
            raise TransientError("no-healthy-endpoint", message, "the weights stay as they were")

    @staticmethod
    def _returns(confirmed: Routes | None, routes: Routes) -> bool:
        """Whether the change only gives requests back to stable."""
        return (
            confirmed is not None
            and routes.stable == confirmed.stable
            and routes.candidate in {confirmed.candidate, None}
            and routes.weight < confirmed.weight
            and set(joint_pairs(routes)) <= set(joint_pairs(confirmed))
        )

    @staticmethod
    def _can_serve(hosts: Hosts, routes: Routes) -> bool:
        return all(_serves(hosts, routes, revision) for revision in receivers(routes))

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
