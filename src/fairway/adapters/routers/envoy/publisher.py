"""Writes one file that Envoy subscribes to, and waits until Envoy says that it uses it or refuses it."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fairway.adapters.routers.envoy.admin import Admin
from fairway.adapters.routers.envoy.bootstrap import CLUSTERS_FILE, routes_file
from fairway.adapters.routers.envoy.folder import Json, discovery, read_file, replace_file, says, to_text
from fairway.adapters.routers.envoy.names import endpoints_file
from fairway.adapters.routers.envoy.process import Process
from fairway.domain.errors import PermanentError, TransientError

_REASON_WITHIN = 0.5
_ENDS = ("version_text", "update_rejected", "update_failure")
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


@dataclass(frozen=True, slots=True)
class _Seen:
    version: str
    refusals: int


class Publisher:
    """Publishes files for one change, and can take all of them back.

    Attributes:
        admin: a connection for the whole change.
        hosts: the endpoints that Envoy had when the change began.
        changed: whether anything was written.

    Args:
        process: whose folder and log.
        patience: seconds that Envoy gets to confirm one file.
    """

    def __init__(self, process: Process, admin: Admin, *, patience: float) -> None:
        self.admin = admin
        self.hosts = admin.hosts()
        self.changed = False
        self._process = process
        self._patience = patience
        self._stats = admin.stats(f"({'|'.join(_ENDS)})$")
        self._undo: list[tuple[Path, str | None]] = []

    def publish(self, subscription: Subscription, resources: list[Json]) -> None:
        """Makes Envoy use the resources; does nothing if it does already.

        Raises:
            PermanentError: Envoy refuses them; the sentence holds its reason.
            TransientError: Envoy did not confirm in time.
        """
        self._write(subscription, discovery(resources))()

    def prepare(self, subscription: Subscription, resources: list[Json]) -> Callable[[], None]:
        """Writes a file that Envoy does not subscribe to yet; the answer waits until it does and uses it."""
        return self._write(subscription, discovery(resources))

    def take_back(self) -> None:
        """Puts back what was there before, latest first, so that a start of Envoy finds what it can use."""
        for path, content in reversed(self._undo):
            if content is None:
                path.unlink(missing_ok=True)
            else:
                replace_file(path, content)
        self._undo.clear()

    def _write(self, subscription: Subscription, content: Json) -> Callable[[], None]:
        path = self._process.folder / subscription.file
        before = read_file(path)
        seen = _seen(self._stats, subscription)
        version = content["version_info"]
        if seen.version == version and says(before, content):
            return lambda: None
        log = self._process.log_size()
        self._undo.append((path, before))
        self.changed = True
        replace_file(path, to_text(content))
        return lambda: self._await(subscription, version, seen.refusals, log)

    def _await(self, subscription: Subscription, version: str, refusals: int, log: int) -> None:
        deadline = time.monotonic() + self._patience
        pattern = f"^{re.escape(subscription.stats)}({'|'.join(_ENDS)})$"
        while True:
            stats = self.admin.stats(pattern)
            seen = _seen(stats, subscription)
            if seen.version == version:
                self._stats |= stats
                return
            if seen.refusals > refusals:
                message = f'Envoy refuses "{subscription.file}": {self._reason(log)}'
                raise PermanentError("routing-refused", message, "the routes are as before")
            if time.monotonic() > deadline:
                message = f'Envoy did not confirm "{subscription.file}" within {self._patience:g} s'
                raise TransientError("envoy-slow", message, "try again")
            time.sleep(0.0005)

    def _reason(self, log: int) -> str:
        """What Envoy wrote to its log since that byte; the supervisor may pass it on a little later."""
        deadline = time.monotonic() + _REASON_WITHIN
        while time.monotonic() < deadline:
            lines = self._process.log_lines(since=log)
            reasons = [found["reason"] for line in lines if (found := _REFUSED.search(line))]
            if reasons:
                return reasons[-1]
            time.sleep(0.01)
        return "its log names no reason"


def _seen(stats: dict[str, str], subscription: Subscription) -> _Seen:
    version, *refusals = (stats.get(subscription.stats + end, "") for end in _ENDS)
    return _Seen(version, sum(int(count or 0) for count in refusals))
