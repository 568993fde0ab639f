"""What one run shall send, from the command line; and the bytes of its requests."""

import argparse
import itertools
import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
#: The variable that holds further headers as a list in JSON: unlike arguments, nobody else on the machine sees it.
HEADERS = "FAIRWAY_LOAD_HEADERS"
_WITH_BODY = {"POST", "PUT", "PATCH"}
_LONGEST_CYCLE = 100_000


@dataclass(frozen=True, slots=True)
class Request:
    """One request, ready to be sent."""

    method: str
    data: bytes


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """One run.

    Attributes:
        host: name or address that connections go to.
        port: port that they go to.
        socket: path of a Unix socket that they go to instead; empty: none.
        tls: they are within TLS.
        authority: file of certificates that are trusted; empty: the system's.
        insecure: certificates are not checked.
        requests: sent in this order, then from the beginning again.
        rate: requests a second, 0 for as many as the connections carry.
        warmup: seconds before, in which requests are sent and do not count.
        duration: seconds, infinity for "until stopped".
        count: most requests that count; infinity for no limit.
        connections: most requests at the same time.
        timeout: seconds from the sending of a request to its whole answer.
        drain: seconds that requests under way get when the run is stopped from outside.
        good: statuses that count as good.
        revision_header: name of the header that tells the revision, lower case.
        interval: seconds of one piece of the timeline.
        live: a line a second on stderr.
        stop_on_eof: stop when stdin is closed.
    """

    host: str
    port: int
    socket: str
    tls: bool
    authority: str
    insecure: bool
    requests: tuple[Request, ...]
    rate: float
    warmup: float
    duration: float
    count: float
    connections: int
    timeout: float
    drain: float
    good: frozenset[int]
    revision_header: str
    interval: float
    live: bool
    stop_on_eof: bool


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser("python -m fairway.adapters.load", description=__doc__)
    parser.add_argument("url", help="http://host:port/path, or https")
    parser.add_argument("--socket", default="", help="path of a Unix socket to connect to")
    parser.add_argument("--against", default="", help="a second URL: both get requests in turns; the report is a list")
    parser.add_argument("--against-socket", default="", help="path of a Unix socket for the second URL")
    parser.add_argument("--authority", default="", help="file of certificates to trust; default: the system's")
    parser.add_argument("--insecure", action="store_true", help="check no certificate")
    parser.add_argument("--rate", type=float, default=0.0, help="requests a second; 0: as many as possible")
    parser.add_argument("--warmup", type=float, default=0.0, help="seconds before, that do not count")
    parser.add_argument("--duration", type=float, default=math.inf, help="seconds; without it until SIGTERM or SIGINT")
    parser.add_argument("--count", type=float, default=math.inf, help="most requests that count")
    parser.add_argument("--connections", type=int, default=32, help="most requests at the same time")
    parser.add_argument("--method", choices=METHODS, default="GET")
    parser.add_argument("--mix", help="several methods by weight, such as GET:9,POST:1")
    parser.add_argument("--path", action="append", default=[], help="in place of the URL's path; may be repeated")
    parser.add_argument("--header", action="append", default=[], help="'name: value'; may be repeated")
    parser.add_argument("--body", default="", help="body of POST, PUT and PATCH")
    parser.add_argument("--body-file", type=Path, help="the same from a file")
    parser.add_argument("--timeout", type=float, default=10.0, help="seconds for one request")
    parser.add_argument("--drain", type=float, default=1.0, help="seconds for requests under way when stopped")
    parser.add_argument("--good", default="200-399", help="statuses that count as good, such as 200-399,404")
    parser.add_argument("--revision-header", default="x-fairway-revision")
    parser.add_argument("--interval", type=float, default=1.0, help="seconds of one piece of the timeline")
    parser.add_argument("--live", action="store_true", help="a line of JSON a second on stderr")
    parser.add_argument("--stop-on-eof", action="store_true", help="stop when stdin is closed")
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    return parser


def plan_from(options: argparse.Namespace) -> LoadPlan:
    """The plan of a command line.

    Raises:
        ValueError: an option is wrong; the text quotes it.
    """
    url = urlsplit(options.url)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ValueError(f"the URL {options.url!r} is not of the form http://host:port/path")
    if options.connections < 1 or options.rate < 0 or options.interval <= 0 or options.warmup < 0:
        raise ValueError(
            "there must be one connection or more, a rate and warm-up of 0 or more, and an interval above 0"
        )
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    body = options.body_file.read_bytes() if options.body_file else options.body.encode()
    headers = [*options.header, *json.loads(os.environ.get(HEADERS, "[]"))]
    methods = _mixed(options.mix or f"{options.method}:1")
    return LoadPlan(
        host=url.hostname,
        port=url.port or (443 if url.scheme == "https" else 80),
        socket=options.socket,
        tls=url.scheme == "https",
        authority=options.authority,
        insecure=options.insecure,
        requests=_cycle(methods, options.path or [path], _fields(url.netloc.rpartition("@")[2], headers), body),
        rate=options.rate,
        warmup=options.warmup,
        duration=options.duration,
        count=options.count,
        connections=options.connections,
        timeout=options.timeout,
        drain=options.drain,
        good=_statuses(options.good),
        revision_header=options.revision_header.lower(),
        interval=options.interval,
        live=options.live,
        stop_on_eof=options.stop_on_eof,
    )


def _mixed(mix: str) -> list[str]:
    """The methods in an order in which each is spread as evenly as its weight allows."""
    weights: dict[str, int] = {}
    for part in mix.split(","):
        method, _, weight = part.partition(":")
        if method not in METHODS or not weight.isdigit() or not 0 < int(weight) <= 1000:
            raise ValueError(f"{part!r} in the mix {mix!r} is not METHOD:WEIGHT with a weight of 1 to 1000")
        weights[method] = int(weight)
    total = sum(weights.values())
    due = [((turn + 0.5) / weight, method) for method, weight in weights.items() for turn in range(weight)]
    return [method for _, method in sorted(due)][:total]


def _cycle(methods: Sequence[str], paths: Sequence[str], fields: str, body: bytes) -> tuple[Request, ...]:
    """Every method meets every path."""
    if len(methods) * len(paths) > _LONGEST_CYCLE:
        raise ValueError(f"{len(methods)} methods by {len(paths)} paths are too many")
    return tuple(_request(method, path, fields, body) for path, method in itertools.product(paths, methods))


def _request(method: str, path: str, fields: str, body: bytes) -> Request:
    if not path.startswith("/") or any(character <= " " for character in path):
        raise ValueError(f"the path {path!r} does not begin with a slash, or holds a space")
    content = body if method in _WITH_BODY else b""
    length = f"Content-Length: {len(content)}\r\n" if method in _WITH_BODY else ""
    return Request(method, f"{method} {path} HTTP/1.1\r\n{fields}{length}\r\n".encode() + content)


def _fields(host: str, headers: Sequence[str]) -> str:
    for header in headers:
        name, colon, _ = header.partition(":")
        if not colon or not name.strip() or "\r" in header or "\n" in header:
            raise ValueError(f"the header {header!r} is not of the form 'name: value'")
    own = [] if any(header.lower().startswith("host:") for header in headers) else [f"Host: {host}"]
    return "".join(f"{header}\r\n" for header in [*own, *headers])


def _statuses(text: str) -> frozenset[int]:
    statuses: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if not first.isdigit() or not (last or first).isdigit():
            raise ValueError(f"{part!r} in {text!r} is neither a status nor a range such as 200-399")
        statuses.update(range(int(first), int(last or first) + 1))
    return frozenset(statuses)
