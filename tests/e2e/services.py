"""Small services for end-to-end tests: ASGI on the Python that runs the tests, nothing to build."""

import contextlib
import itertools
import sys
import urllib.error
import urllib.request
from typing import NamedTuple

from workshop import Workshop, free_port

CONFIGURATION = """\
service: {service}
{head}build: {{steps: []}}
run:
  command: {python} -m granian --interface asgi --no-ws --log-level warning --host {{host}} --port {{port}} corner:app
  health: {{ready: /health/ready, live: /health/live}}
  drain: 3s
  grace: 3s
environments:
{environments}"""

ENVIRONMENT = """\
  {name}:
    target: local
    router: {{kind: envoy, listen: "127.0.0.1:{port}"}}
    instances: {instances}
    strategy: {strategy}
    analysis: {analysis}
    observe: {observe}
{more}"""

APPLICATION = """\
import asyncio
SEEN = 0

async def app(scope, receive, send):
    global SEEN
    if scope["type"] != "http":
        return
    status, body = 200, b"{version}"
    if not scope["path"].startswith("/health"):
        SEEN += 1
        {body}
    await send({{"type": "http.response.start", "status": status, "headers": [(b"content-length", b"%d" % len(body))]}})
    await send({{"type": "http.response.body", "body": body}})
"""

HEALTHY = "pass"
DEAD = "status = 500"


def one_in(number: int) -> str:
    """A fault in one request of so many."""
    return f"status = 500 if SEEN % {number} == 0 else 200"


def configure(*environments: str, service: str = "corner", head: str = "") -> str:
    """The text of fairway.yaml."""
    return CONFIGURATION.format(service=service, head=head, python=sys.executable, environments="".join(environments))


def environment(
    name: str,
    port: int,
    strategy: str,
    *,
    instances: int = 2,
    observe: str = "1s",
    analysis: str = "{warmup: 1s, block: 1s}",
    more: str = "",
) -> str:
    """One environment of the configuration."""
    return ENVIRONMENT.format(
        name=name,
        port=port,
        strategy=strategy,
        instances=instances,
        observe=observe,
        analysis=analysis,
        more=more,
    )


def release(shop: Workshop, version: str, body: str = HEALTHY, **files: str) -> None:
    """Commits a version of the service."""
    shop.release(version, {"corner.py": APPLICATION.format(version=version, body=body), **files})


def corner(shop: Workshop, strategy: str, **options: object) -> int:
    """A repository with one environment, `production`, and a healthy 1.0.0; returns the users' port."""
    port = free_port()
    text = configure(environment("production", port, strategy, **options))  # type: ignore[arg-type]
    release(shop, "1.0.0", **{"fairway.yaml": text})
    return port


def turns_bad(flag: object) -> str:
    """Healthy until a file exists."""
    return f"status = 500 if __import__('os').path.exists({str(flag)!r}) else 200"


#: Answers with what its variable GREETING says.
GREETING = "body = __import__('os').environ['GREETING'].encode()"

_NUMBERS = itertools.count(1)


def next_version() -> str:
    """A version that no test has used before."""
    return f"2.{next(_NUMBERS)}.0"


class Page(NamedTuple):
    """What a server answered; status 0: nothing."""

    status: int
    text: str
    revision: str | None


def ask(port: int, path: str = "/", **headers: str) -> Page:
    """One request, by nobody who tries again; underscores of header names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=named)
    try:
        answer = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        answer = error
    except OSError:
        return Page(0, "", None)
    with contextlib.closing(answer):
        return Page(answer.status or 0, answer.read().decode(), answer.headers["x-fairway-revision"])
