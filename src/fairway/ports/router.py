"""What divides requests between revisions, and counts them."""

from dataclasses import dataclass
from typing import Protocol

from fairway.domain.analysis.traffic import TrafficSnapshot
from fairway.domain.rollout.routes import Routes


@dataclass(frozen=True, slots=True)
class RouterState:
    """The router as observed.

    Attributes:
        running: it answers.
        address: where users connect, `host:port`.
        preview: where only the candidate answers, `host:port`; None when there is no candidate.
        routes: what it was last told and has confirmed; None before the first time.
    """

    running: bool
    address: str
    preview: str | None
    routes: Routes | None


class Router(Protocol):
    """Divides the requests of one service in one environment."""

    def ensure_routes(self, routes: Routes, *, epoch: int) -> RouterState:
        """Makes the routing be as given and returns when every worker of the proxy uses it.

        Starts the proxy if it does not run. Backends are added and healthy before a weight moves to them, weights move
        before backends are removed. A second call with the same routes changes nothing.

        Raises:
            TransientError: the proxy did not confirm in time; a backend that would get traffic has no healthy endpoint.
            PermanentError: the proxy refused the configuration, its address is taken, or the epoch is stale.
        """
        ...

    def observe(self) -> RouterState:
        """The router as it is now."""
        ...

    def observe_traffic(self) -> TrafficSnapshot:
        """One atomic reading of the counters of all revisions.

        Raises:
            TransientError: the counters could not be read. That is "no data", never "no failures".
        """
        ...
