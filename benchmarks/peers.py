"""HAProxy and nginx as plain reverse proxies before the same instances, from the system or from Debian's archive.

Where they are not installed, their packages are unpacked into a folder of the project's own; nothing is installed, and
no service is started.
"""

import os
import platform
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import version_of
from benchmarks.service import free_port

_UNPACKED = Path(__file__).parents[1] / ".tools" / "peers"
_APT = ("apt-get", "install", "--yes", "--download-only", "--no-install-recommends")

_HAPROXY = """\
global
  nbthread {threads}
  maxconn 4000
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  http-reuse always
  option httpchk GET /health
listen users
  bind 127.0.0.1:{port}
{servers}
"""

_NGINX = """\
daemon off;
{user}
worker_processes {threads};
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 10000; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream service {{
{servers}
    keepalive 64;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://service;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
}}
"""


class MissingPeerError(Exception):
    """The program is not here and could not be had; the text says why."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A running proxy.

    Attributes:
        pid: its first process, whose children may do the work.
    """

    url: str
    pid: int
    version: str


@contextmanager
def haproxy(folder: Path, backends: list[str], threads: int) -> Iterator[Peer]:
    """HAProxy with keep-alive on both sides and health checks.

    Args:
        folder: for its files.
        backends: where the instances listen: `host:port`, or the path of a Unix socket.
        threads: how many do the work.

    Raises:
        MissingPeerError: there is none.
    """
    port = free_port()
    places = [f"unix@{place}" if place.startswith("/") else place for place in backends]
    servers = "\n".join(f"  server s{n} {place} check inter 250ms" for n, place in enumerate(places))
    file = folder / "haproxy.cfg"
    file.write_text(_HAPROXY.format(threads=threads, port=port, servers=servers))
    program, variables = find("haproxy")
    with _running([program, "-db", "-f", str(file)], variables, port) as pid:
        yield Peer(f"http://127.0.0.1:{port}/", pid, version_of([program, "-v"], variables))


@contextmanager
def nginx(folder: Path, backends: list[str], threads: int) -> Iterator[Peer]:
    """nginx with keep-alive on both sides.

    Args:
        folder: for its files.
        backends: as for HAProxy.
        threads: processes that do the work.

    Raises:
        MissingPeerError: there is none.
    """
    port = free_port()
    places = [f"unix:{place}" if place.startswith("/") else place for place in backends]
    servers = "\n".join(f"    server {place};" for place in places)
    file = folder / "nginx.conf"
    # Its workers would else become a user who may not enter the folder.
    user = "user root;" if os.geteuid() == 0 else ""
    file.write_text(_NGINX.format(threads=threads, port=port, servers=servers, folder=folder, user=user))
    program, variables = find("nginx")
    with _running([program, "-p", str(folder), "-c", str(file)], variables, port) as pid:
        yield Peer(f"http://127.0.0.1:{port}/", pid, version_of([program, "-v"], variables))


def find(name: str) -> tuple[str, dict[str, str]]:
    """The program and the environment in which it runs.

    Raises:
        MissingPeerError: it is neither installed nor to be had.
    """
    paths = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
    installed = shutil.which(name, path=paths)
    if installed is not None:
        return installed, {"PATH": paths}
    program = _UNPACKED / name / "usr/sbin" / name
    if not program.exists():
        _unpack(name)
    libraries = _UNPACKED / name / "usr/lib" / f"{platform.machine()}-linux-gnu"
    return str(program), {"PATH": paths, "LD_LIBRARY_PATH": str(libraries)}


def _unpack(name: str) -> None:
    """Fetches the packages that are missing for a program, and unpacks them."""
    if shutil.which("apt-get") is None:
        raise MissingPeerError(f"{name} is not installed, and there is no apt-get to fetch it with")
    archives = _UNPACKED / f"{name}.archives"
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    options = ["-o", f"Dir::Cache::archives={archives}", "-o", "Debug::NoLocking=1"]
    command = [*_APT, *options, name]
    try:
        done = _run(command)
        if done.returncode != 0 and os.geteuid() == 0:
            _run(["apt-get", "update"])
            done = _run(command)
        packages = sorted(archives.glob("*.deb"))
        if done.returncode != 0 or not packages:
            lines = (done.stderr or done.stdout).strip().splitlines()
            raise MissingPeerError(f"{name} is not installed and could not be fetched: {lines[-1] if lines else '?'}")
        draft = _UNPACKED / f"{name}.draft"
        shutil.rmtree(draft, ignore_errors=True)
        for package in packages:
            subprocess.run(["dpkg-deb", "--extract", str(package), str(draft)], check=True, capture_output=True)
        draft.rename(_UNPACKED / name)
    finally:
        shutil.rmtree(archives)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@contextmanager
def _running(command: list[str], variables: dict[str, str], port: int) -> Iterator[int]:
    """The process from the moment when it listens to the end of the block."""
    process = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await_listening(process, command[0], port)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_listening(process: "subprocess.Popen[bytes]", program: str, port: int) -> None:
    deadline = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise MissingPeerError(f"{program} does not listen (exit status {process.poll()})")
