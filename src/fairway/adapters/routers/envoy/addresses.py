"""Listen addresses: what the user wrote, whether it is free, and who has it if not."""

import contextlib
import errno
import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path

from fairway.domain.errors import PermanentError, UserError

_LISTENING = "0A"


@dataclass(frozen=True, slots=True)
class Address:
    """An address to listen on; `host` is an IP address, because Envoy resolves no names."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """The address that `host:port` or `[host]:port` names.

    Raises:
        UserError: it is not an IP address with a port from 1 to 65535.
    """
    host, _, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(bare)
        number = int(port)
    except ValueError:
        number = 0
    if not 0 < number < 65536:
        hint = "write an IP address and a port, as in 127.0.0.1:8000 or [::1]:8000"
        raise UserError("bad-listen-address", f'"{text}" is not an address to listen on', hint)
    return Address(bare, number)


def check_free(address: Address, *, ours: str | None = None) -> None:
    """Returns if the address can be bound now, or is bound by a process with `ours` in its arguments.

    Raises:
        PermanentError: somebody else listens on it, or we may not; the sentence says who, where /proc tells.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As Envoy does: connections of an earlier proxy that still close are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
            probe.listen(1)
        except OSError as error:
            refusal = error
        else:
            return
    listener = find_listener(address.port)
    if refusal.errno != errno.EADDRINUSE:
        hint = "ports below 1024 need the right to bind them; the host must be an address of this machine"
        raise PermanentError("address-refused", f'cannot listen on "{address}": {refusal.strerror}', hint)
    command = "" if listener is None else _command(listener)
    if ours is None or ours not in command:
        who = "another process" if listener is None else f"process {listener} ({command[:120].strip()})"
        hint = "stop that process or give the router another `listen` address"
        raise PermanentError("address-taken", f'the address "{address}" is already taken by {who}', hint)


def find_listener(port: int) -> int | None:
    """The pid of a process that listens on the TCP port, on any address; None if /proc does not tell."""
    inodes = _listening_inodes(port)
    if not inodes:
        return None
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for process in Path("/proc").glob("[0-9]*"):
        # Processes end while we look, and those of other users are closed to us.
        with contextlib.suppress(OSError):
            if any(str(link.readlink()) in wanted for link in (process / "fd").iterdir()):
                return int(process.name)
    return None


def _listening_inodes(port: int) -> set[str]:
    inodes = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        with contextlib.suppress(OSError):
            for line in table.read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(fields[9])
    return inodes


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return b" ".join(Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")).decode(errors="replace")
    return ""
