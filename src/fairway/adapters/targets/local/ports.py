"""Which ports are free, and whose process listens on one."""

import errno
import hashlib
import os
import socket
from pathlib import Path
from typing import NamedTuple

from fairway.domain.errors import TransientError

# Below the range that the kernel takes for outgoing connections (from 32768 on), which could take a port for a moment.
FIRST, LAST = 20000, 31999
_LISTEN = "0A"  # state in /proc/net/tcp
_WILDCARDS = {"00000000", "0" * 32}


def choose_port(name: str, last: int, taken: frozenset[int]) -> int:
    """A port that nobody listens on and no instance has.

    Args:
        name: where the first search begins depends on it, so that different services seldom meet.
        last: the port chosen before under this name, after which to search; 0 the first time.
        taken: ports that instances have, whether they listen at present or not.

    Raises:
        TransientError: every port of the range is in use.
    """
    count = LAST - FIRST + 1
    begin = last + 1 - FIRST if last else int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    for offset in range(count):
        port = FIRST + (begin + offset) % count
        if port not in taken and _is_free(port):
            return port
    raise TransientError(
        "no-free-port", f"No port from {FIRST} to {LAST} is free.", "Stop what is not needed, then try again."
    )


def _is_free(port: int) -> bool:
    # On all addresses: the program may not care for the one that it is given.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind(("", port))
        except OSError as problem:
            if problem.errno in {errno.EADDRINUSE, errno.EACCES}:
                return False
            raise TransientError("port-probe", f"Port {port} could not be tried: {problem.strerror}.") from problem
    return True


class Listener(NamedTuple):
    """Who listens on a port.

    Attributes:
        anyone: somebody listens where connections to the host would arrive.
        ours: all of those that do belong to the session asked for.
    """

    anyone: bool
    ours: bool


def observe_listener(host: str, port: int, session: int | None) -> Listener:
    """Who listens on the port now.

    Args:
        host: IPv4 address that connections go to.
        port: 1 to 65535.
        session: number of the session whose processes are ours; None: there is none.
    """
    sockets = _listening_sockets(host, port)
    if not sockets or session is None:
        return Listener(anyone=bool(sockets), ours=False)
    left = set(sockets)
    for pid in _session_pids(session):
        left -= _sockets_of(pid)
        if not left:
            return Listener(anyone=True, ours=True)
    return Listener(anyone=True, ours=False)


def _listening_sockets(host: str, port: int) -> set[str]:
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
