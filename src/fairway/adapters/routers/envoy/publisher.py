"""Writes one file that Envoy subscribes to, and waits until Envoy says that it uses it or refuses it."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fairway.adapters.routers.envoy.admin import Admin
from fairway.adapters.routers.envoy.bootstrap import CLUSTERS_FILE, routes_file
from fairway.adapters.routers.envoy.folder import Json, discovery, read_file, replace_file
from fairway.adapters.routers.envoy.names import endpoints_file
from fairway.adapters.routers.envoy.process import Process
from fairway.domain.errors import PermanentError, TransientError

_REASON_WITHIN = 0.5
_REFUSED = re.compile(r"rejected: ?(?P<reason>.*)")


@dataclass(frozen=True, slots=True)
class Subscription:
    """A file, and the prefix of Envoy's statistics about it."""

    file: str
    stats: str


CLUSTERS = Subscription(CLUSTERS_FILE, "cluster_manager.cds.")


def routes_of(listener: str) -> Subscription:
    """The routes of a listener."""
    return Subscription(routes_file(listener), f"http.{listener}.rds.{listener}.")


def endpoints_of(revision: str) -> Subscription:
    """The endpoints of a revision."""
    return Subscription(endpoints_file(revision), f"cluster.{revision}.")


@dataclass(slots=True)
class Publisher:
    """Publishes files for one change, and can take all of them back.

    Attributes:
        changed: whether anything was written.
    """

    process: Process
    admin: Admin
    patience: float
    changed: bool = False
    _undo: list[tuple[Path, str | None]] = field(default_factory=list)

    def publish(self, subscription: Subscription, resources: list[Json]) -> None:
        """Makes Envoy use the resources; does nothing if it does already.

        Raises:
            PermanentError: Envoy refuses them; the sentence holds its reason.
            TransientError: Envoy did not confirm in time.
        """
        content, version = discovery(resources)
        path = self.process.folder / subscription.file
        seen = self._seen(subscription)
        if seen.version == version and read_file(path) == content:
            return
        log = self.process.log_size()
        self._write(path, content)
        self._await(subscription, version, seen.refusals, log)

    def prepare(self, subscription: Subscription, resources: list[Json]) -> Callable[[], None]:
        """Writes a file that Envoy does not subscribe to yet; the answer waits until it does and uses it."""
        content, version = discovery(resources)
        log = self.process.log_size()
        refusals = self._seen(subscription).refusals
        self._write(self.process.folder / subscription.file, content)
        return lambda: self._await(subscription, version, refusals, log)

    def take_back(self) -> None:
        """Puts back what was there before, latest first, so that a start of Envoy finds what it can use."""
        for path, content in reversed(self._undo):
            if content is None:
                path.unlink(missing_ok=True)
            else:
                replace_file(path, content)
        self._undo.clear()

    def _write(self, path: Path, content: str) -> None:
        self._undo.append((path, read_file(path)))
        self.changed = True
        replace_file(path, content)

    def _await(self, subscription: Subscription, version: str, refusals: int, log: int) -> None:
        deadline = time.monotonic() + self.patience
        while True:
            seen = self._seen(subscription)
            if seen.version == version:
                return
            if seen.refusals > refusals:
                raise PermanentError(
                    "routing-refused",
                    f'Envoy refuses "{subscription.file}": {self._reason(log)}',
                    "the routes are as before",
                )
            if time.monotonic() > deadline:
                message = f'Envoy did not confirm "{subscription.file}" within {self.patience:g} s'
                raise TransientError("envoy-slow", message, "try again")
            time.sleep(0.0005)

    def _seen(self, subscription: Subscription) -> "_Seen":
        pattern = f"^{re.escape(subscription.stats)}(version_text|update_rejected|update_failure)$"
        stats = self.admin.stats(pattern)
        refused, failed = (int(stats.get(f"{subscription.stats}update_{end}", 0)) for end in ("rejected", "failure"))
        return _Seen(stats.get(f"{subscription.stats}version_text", ""), refused + failed)

    def _reason(self, log: int) -> str:
        deadline = time.monotonic() + _REASON_WITHIN
        while True:
            reasons = [
                found["reason"] for line in self.process.log_lines(since=log) if (found := _REFUSED.search(line))
            ]
            if reasons:
                return reasons[-1]
            if time.monotonic() > deadline:
                return "its log names no reason"
            time.sleep(0.01)


@dataclass(frozen=True, slots=True)
class _Seen:
    version: str
    refusals: int
