"""Whose process listens on a port or on a Unix socket."""

import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from fairway.domain.rollout.revision import Endpoint

_LISTEN = "0A"  # state in /proc/net/tcp
_ACCEPTS = 0x10000  # flag in /proc/net/unix: a socket that listens, not one that was accepted there
_WILDCARDS = {"00000000", "0" * 32}


class Listener(NamedTuple):
    """Who listens at an endpoint.

    Attributes:
        anyone: somebody listens where connections to the endpoint would arrive.
        ours: all of those that do belong to the session asked for.
    """

    anyone: bool
    ours: bool


def observe_listener(endpoint: Endpoint, session: int | None) -> Listener:
    """Who listens there now.

    Args:
        endpoint: a socket, or a port of an IPv4 address.
        session: number of the session whose processes are ours; None: there is none.
    """
    sockets = _sockets_at(endpoint.socket) if endpoint.socket else _sockets_on(endpoint.host, endpoint.port)
    if not sockets or session is None:
        return Listener(anyone=bool(sockets), ours=False)
    left = set(sockets)
    for pid in _session_pids(session):
        left -= _sockets_of(pid)
        if not left:
            return Listener(anyone=True, ours=True)
    return Listener(anyone=True, ours=False)


def comes_from(endpoint: Endpoint, mark: str) -> bool:
    """Whether all who listen there were started with this variable: also what a dead leader of a session left behind.

    Args:
        endpoint: as above.
        mark: `NAME=VALUE`.
    """
    left = _sockets_at(endpoint.socket) if endpoint.socket else _sockets_on(endpoint.host, endpoint.port)
    for entry in Path("/proc").iterdir():
        if left and entry.name.isdigit():
            with suppress(OSError):
                if mark.encode() in (entry / "environ").read_bytes().split(b"\0"):
                    left -= _sockets_of(int(entry.name))
    return not left


def _sockets_at(path: str) -> set[str]:
    """Inodes of the Unix sockets that were bound to the path and accept connections."""
    found = set()
    with Path("/proc/net/unix").open(encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            if path not in line:
                continue
            fields = line.rstrip("\n").split(maxsplit=7)
            if fields[7] == path and int(fields[3], 16) & _ACCEPTS:
                found.add(fields[6])
    return found


def _sockets_on(host: str, port: int) -> set[str]:
    """Inodes of the sockets that accept connections to the address."""
    packed = socket.inet_aton(host)[::-1].hex().upper()
    mapped = f"{'0' * 16}FFFF0000{packed}"  # the same address in an IPv6 socket, as the kernel prints it
    found = set()
    ending = f":{port:04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except FileNotFoundError:  # IPv6 is switched off
            continue
        for line in lines:
            if ending not in line:  # nearly all of them, and there may be thousands
                continue
            fields = line.split()
            address = fields[1].removesuffix(ending)
            if fields[3] == _LISTEN and address in {packed, mapped, *_WILDCARDS}:
                found.add(fields[9])
    return found


def _session_pids(session: int) -> list[int]:
    """The session's processes, its leader first: it is nearly always the one that listens."""
    others = []
    for name in os.listdir("/proc"):  # noqa: PTH208 names are enough
        if name.isdigit() and int(name) != session:
            try:
                text = Path(f"/proc/{name}/stat").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(text[text.rindex(b")") + 2 :].split()[3]) == session:
                others.append(int(name))
    return [session, *others]


def _sockets_of(pid: int) -> set[str]:
    found = set()
    try:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            try:
                target = str(link.readlink())
            except FileNotFoundError:
                continue
            if target.startswith("socket:["):
                found.add(target[8:-1])
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return found
    return found
