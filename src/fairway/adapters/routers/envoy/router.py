"""The port `Router` by Envoy."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from fairway.adapters.routers.envoy.addresses import parse_address
from fairway.adapters.routers.envoy.admin import Admin
from fairway.adapters.routers.envoy.folder import create_folder, usable
from fairway.adapters.routers.envoy.ledger import hold, load_memory
from fairway.adapters.routers.envoy.process import Process
from fairway.adapters.routers.envoy.telemetry import read_traffic
from fairway.adapters.routers.envoy.transition import Transition
from fairway.domain.analysis.traffic import TrafficSnapshot
from fairway.domain.errors import InvariantError
from fairway.domain.rollout.routes import Routes
from fairway.ports.router import RouterState
from fairway.ports.supervisor import Supervisor


class EnvoyRouter:
    """Divides the requests of one service in one environment by one Envoy.

    All configuration lies in `folder`; Envoy serves from it without any controller.

    Args:
        service: whose requests.
        environment: where.
        folder: a folder of the router's own; created with mode 0700.
        listen: where users connect, `ip:port`.
        supervisor: keeps the proxy running.
        preview: where only the candidate answers, `ip:port`; None: nowhere.
        try_timeout: seconds after which a try of GET, HEAD or OPTIONS is given up and made elsewhere; cuts every longer
            answer of these methods. None: no limit.
        trusted_hops: proxies before this one whose X-Forwarded-For and X-Forwarded-Proto are taken for true.
        concurrency: worker threads; None: one for each processor, at most two.
        patience: seconds that Envoy gets to confirm a change, and new endpoints to become healthy.
        clock: seconds since the epoch, UTC.

    Raises:
        UserError: an address is not one.
    """

    def __init__(  # noqa: PLR0913 - the composition root names each one
        self,
        *,
        service: str,
        environment: str,
        folder: Path,
        listen: str,
        supervisor: Supervisor,
        preview: str | None = None,
        try_timeout: float | None = None,
        trusted_hops: int = 0,
        concurrency: int | None = None,
        patience: float = 5.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._process = Process(
            unit=f"envoy.{service}.{environment}",
            folder=folder.absolute(),
            supervisor=supervisor,
            main=parse_address(listen),
            preview=None if preview is None else parse_address(preview),
            trusted_hops=trusted_hops,
            concurrency=concurrency or min(2, os.cpu_count() or 1),
        )
        self._transition = Transition(self._process, try_timeout, patience)
        self._patience = patience
        self._clock = clock

    def ensure_routes(self, routes: Routes, *, epoch: int) -> RouterState:
        """As the port says. A change of weight alone is one renamed file."""
        _check(routes)
        with self._alone(epoch):
            is_running = self._process.runs()
            if not is_running:
                self._process.start()
            self._transition.perform(routes)
            if is_running:
                # Last, because traffic that returns to stable waits for nothing.
                self._process.ensure_supervised()
        return self._state(routes, running=True)

    def observe(self) -> RouterState:
        """As the port says; the routes are those confirmed last, also by another controller."""
        with usable(self._process.folder):
            return self._state(load_memory(self._process.folder).confirmed, running=self._process.answers())

    def observe_traffic(self) -> TrafficSnapshot:
        """As the port says. Requests to the preview, and those that name a revision by header, are not counted."""
        with usable(self._process.folder), Admin(self._process.folder) as admin:
            memory = load_memory(self._process.folder)
            return read_traffic(admin, memory.reach, at=self._clock(), left=memory.left)

    @contextlib.contextmanager
    def _alone(self, epoch: int) -> Iterator[None]:
        folder = self._process.folder
        with usable(folder):
            create_folder(folder)
            with hold(folder, epoch, patience=self._patience):
                yield

    def _state(self, routes: Routes | None, *, running: bool) -> RouterState:
        preview = self._process.preview
        shown = preview is not None and routes is not None and routes.candidate is not None
        return RouterState(running, str(self._process.main), str(preview) if shown else None, routes)


def _check(routes: Routes) -> None:
    """Refuses routes that contradict themselves: whoever made them is at fault, not the platform."""
    revisions = [backend.revision for backend in routes.backends]
    named = {"stable": routes.stable, "candidate": routes.candidate, "baseline": routes.baseline}
    for role, revision in named.items():
        if revision is not None and revision not in revisions:
            raise InvariantError("routes-incomplete", f'the {role} revision "{revision}" has no backend')
    taken = [revision for revision in named.values() if revision is not None]
    if len(set(revisions)) < len(revisions) or len(set(taken)) < len(taken):
        raise InvariantError("routes-ambiguous", f"a revision stands twice in {revisions} or in {taken}")
    if not 0 <= routes.weight <= 100 or (routes.weight > 0 and routes.candidate is None):
        message = f"a weight of {routes.weight:g} percent cannot go to candidate {routes.candidate!r}"
        raise InvariantError("routes-weight", message)
