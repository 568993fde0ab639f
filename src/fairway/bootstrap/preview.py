"""The address on which only the candidate answers, where the configuration names none."""

import fcntl
import hashlib
import json
import os
import socket
from pathlib import Path

from fairway.bootstrap.private import open_private
from fairway.domain.errors import TransientError

#: Below the ports of instances, and below those that the kernel takes for outgoing connections.
FIRST, LAST = 17000, 19999


def choose_preview(state: Path, router: str) -> str:
    """A free address of this machine, chosen at the first call and the same ever after.

    Args:
        state: the project's state folder.
        router: whose address it is, unique in the folder.

    Raises:
        TransientError: every port of the range is in use.
    """
    chosen = state / "previews.json"
    with open_private(state / "previews.lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ports = _read(chosen)
        if router not in ports:
            # Different checkouts begin at different places, so that they seldom meet.
            begin = hashlib.sha256(f"{state.absolute()}/{router}".encode()).digest()
            ports[router] = _free_port(int.from_bytes(begin[:4], "big"), set(ports.values()))
            draft = chosen.with_name(".previews.json")
            with open_private(draft, "wb") as file:
                file.write(json.dumps(ports).encode())
                file.flush()
                os.fsync(file.fileno())
            draft.rename(chosen)
    return f"127.0.0.1:{ports[router]}"


def _read(chosen: Path) -> dict[str, int]:
    """The ports by router; none if the file is absent or no record: then they are chosen anew."""
    try:
        ports: dict[str, int] = json.loads(chosen.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return ports


def _free_port(begin: int, taken: set[int]) -> int:
    count = LAST - FIRST + 1
    for offset in range(count):
        port = FIRST + (begin + offset) % count
        with socket.socket() as probe:
            if port not in taken and _binds(probe, port):
                return port
    raise TransientError("no-free-port", f"no port from {FIRST} to {LAST} is free", "name one as the router's preview")


def _binds(probe: socket.socket, port: int) -> bool:
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
