"""Envoy's admin socket: versions that it uses, refusals, health of endpoints, and its identity.

The socket is reached through a handle on its folder, because a Unix socket's path may have no more than 107 bytes.
"""

import http.client
import json
import os
import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from fairway.adapters.routers.envoy.bootstrap import ADMIN_SOCKET
from fairway.domain.errors import TransientError
from fairway.domain.rollout.revision import Endpoint

DROPPED_MERGES = "server.dropped_stat_flushes"


@dataclass(frozen=True, slots=True)
class Host:
    """One endpoint as Envoy sees it.

    Attributes:
        checked: its first health check has been answered or given up.
        healthy: the active health check passes.
        ejected: outlier detection took it out.
        draining: it gets no new requests.
        active: requests under way.
    """

    checked: bool
    healthy: bool
    ejected: bool
    draining: bool
    active: int


Hosts = dict[str, dict[tuple[str, int], Host]]


class Admin:
    """One connection to the admin socket; all that it returns comes from the same process.

    Raises:
        TransientError: nobody answers there.
    """

    def __init__(self, folder: Path, *, timeout: float = 2.0) -> None:
        self._folder = folder
        self._connection = _FolderConnection(folder, timeout)

    def __enter__(self) -> Self:
        try:
            self._connection.connect()
        except OSError as error:
            raise self._silent(error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def origin(self) -> str:
        """Identity of the process that listens: its pid and when it started; a restart changes it."""
        pid = self._pid()
        stat = self._process_file(pid, "stat").decode(errors="replace")
        # The command in parentheses may itself hold spaces and parentheses; the start is field 22 of the line.
        return f"{pid}.{stat.rpartition(')')[2].split()[19]}"

    def command(self) -> list[str]:
        """The arguments that the process was started with."""
        return self._process_file(self._pid(), "cmdline").decode(errors="replace").split("\0")

    def ready(self) -> bool:
        """Whether Envoy has started and listens."""
        return self._get("/ready")[0] == http.client.OK

    def stats(self, pattern: str) -> dict[str, str]:
        """The statistics whose names match the regular expression; never used ones included."""
        text = self._read(f"/stats?filter={quote(pattern)}")
        pairs = (line.partition(": ") for line in text.decode().splitlines())
        return {name: value.strip('"') for name, _, value in pairs}

    def used_stats(self, pattern: str) -> list[dict[str, Any]]:
        """The used statistics whose names match, histograms in full detail."""
        query = f"format=json&usedonly&histogram_buckets=detailed&filter={quote(pattern)}"
        listed: list[dict[str, Any]] = json.loads(self._read(f"/stats?{query}"))["stats"]
        return listed

    def hosts(self) -> Hosts:
        """All endpoints by cluster and `place`."""
        listed = json.loads(self._read("/clusters?format=json")).get("cluster_statuses", [])
        return {
            cluster["name"]: {_place(status): _host(status) for status in cluster.get("host_statuses", [])}
            for cluster in listed
        }

    def await_workers(self, *, patience: float) -> None:
        """Returns when each worker thread has done all that it was told before this call.

        Merging histograms visits every worker, after what is queued there. A reading asks for a merge and is counted as
        dropped while an earlier merge is under way: two readings that are not dropped enclose a whole merge.

        Raises:
            TransientError: a worker was busy for `patience` seconds.
        """
        deadline = time.monotonic() + patience
        dropped, begun = self.dropped_merges(), 0
        while begun < 2:
            before, dropped = dropped, self.dropped_merges()
            begun += before == dropped
            if time.monotonic() > deadline:
                raise TransientError("envoy-busy", f"a worker of Envoy was busy for {patience:g} s", "try again")

    def dropped_merges(self) -> int:
        """How many requests to merge histograms came while a merge was under way; asks for a merge."""
        return int(self.stats(f"^{DROPPED_MERGES}$").get(DROPPED_MERGES, 0))

    def _pid(self) -> int:
        credentials = self._connection.sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", credentials)[0])

    def _process_file(self, pid: int, name: str) -> bytes:
        try:
            return Path(f"/proc/{pid}/{name}").read_bytes()
        except OSError as error:
            raise self._silent(error) from None

    def _read(self, path: str) -> bytes:
        status, body = self._get(path)
        if status != http.client.OK:
            raise TransientError("envoy-silent", f'Envoy answered "{path}" with {status}', "look into its log")
        return body

    def _get(self, path: str) -> tuple[int, bytes]:
        try:
            self._connection.request("GET", path)
            response = self._connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._silent(error) from None

    def _silent(self, error: Exception) -> TransientError:
        message = f'Envoy does not answer on its admin socket in "{self._folder}": {error or type(error).__name__}'
        return TransientError("envoy-silent", message, "the supervisor starts it again; its log says why it ended")


class _FolderConnection(http.client.HTTPConnection):
    def __init__(self, folder: Path, timeout: float) -> None:
        super().__init__("envoy", timeout=timeout)
        self._folder = folder

    def connect(self) -> None:
        handle = os.open(self._folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(self.timeout)
            self.sock.connect(f"/proc/self/fd/{handle}/{ADMIN_SOCKET}")
        except BaseException:
            self.close()
            raise
        finally:
            os.close(handle)


def place(endpoint: Endpoint) -> tuple[str, int]:
    """The key of an endpoint among Envoy's hosts: its address and port, or the path of its socket and 0."""
    return endpoint.socket or endpoint.host, endpoint.port


def _place(status: dict[str, Any]) -> tuple[str, int]:
    address = status["address"]
    if "pipe" in address:
        return address["pipe"]["path"], 0
    return address["socket_address"]["address"], address["socket_address"]["port_value"]


def _host(status: dict[str, Any]) -> Host:
    health = status.get("health_status", {})
    values = {stat["name"]: int(stat.get("value", 0)) for stat in status.get("stats", [])}
    pending = health.get("pending_active_hc", False)
    return Host(
        checked=not pending,
        healthy=not pending and not health.get("failed_active_health_check", False),
        ejected=health.get("failed_outlier_check", False),
        draining=health.get("eds_health_status") == "DRAINING",
        active=values.get("rq_active", 0),
    )
