"""Whether one can listen on an address, and who does; from a trial and from /proc."""

import contextlib
import errno
import os
import socket
from pathlib import Path

from fairway.ports.machine import Address

_LISTENING = "0A"


def observe_address(host: str, port: int) -> Address:
    """Tries to listen on the address for an instant.

    Args:
        host: an IP address.
        port: 1 to 65535.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        # Connections of an earlier listener that still close are no obstacle.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
            trial.listen(1)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return Address(free=False, problem=os.strerror(error.errno or 0))
        else:
            return Address(free=True)
    process = _find_listener(port)
    if process is None:
        return Address(free=False, problem="another process listens there")
    with contextlib.suppress(OSError):
        command = process.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        folder = str(process.joinpath("cwd").readlink())
        return Address(False, int(process.name), command[:120], folder, f"process {process.name} listens there")
    return Address(False, int(process.name), problem=f"process {process.name} listens there")


def _find_listener(port: int) -> Path | None:
    """The folder under /proc of the process that listens on the port; None if it is not visible to us."""
    wanted = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for process in Path("/proc").glob("[0-9]*") if wanted else ():
        # Processes end while we look, and those of other users are closed to us.
        with contextlib.suppress(OSError):
            if any(str(link.readlink()) in wanted for link in (process / "fd").iterdir()):
                return process
    return None


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        with contextlib.suppress(OSError):
            for line in table.read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(fields[9])
    return inodes
