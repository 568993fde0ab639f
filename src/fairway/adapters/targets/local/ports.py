"""Which ports are free."""

import errno
import hashlib
import socket

from fairway.domain.errors import TransientError

# Below the range that the kernel takes for outgoing connections (from 32768 on), which could take a port for a moment.
FIRST, LAST = 20000, 31999


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
