"""Ports on loopback that servers under test are told to listen on, a while after they were chosen."""

import itertools
import random
import socket

#: Below the ports that the target `local` gives to instances, and those that the kernel takes for connections.
FIRST, LAST = 10_000, 19_500

_NEXT = itertools.count(random.randrange(LAST - FIRST))
_CLAIMS: list[socket.socket] = []


def free_port() -> int:
    """A port that nobody has, and that no other test on this machine gets as long as this process lives."""
    for number in itertools.islice(_NEXT, LAST - FIRST):
        port = FIRST + number % (LAST - FIRST)
        claim = socket.socket(socket.AF_UNIX)
        try:
            # A name that ends with its process, whatever becomes of that.
            claim.bind(f"\0fairway-test-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        _CLAIMS.append(claim)
        return port
    raise AssertionError(f"no port from {FIRST} to {LAST} is free")
