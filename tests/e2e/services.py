"""Small services for end-to-end tests: ASGI on the Python that runs the tests, nothing to build."""

import sys

from workshop import Workshop, free_port

CONFIGURATION = """\
service: corner
build: {{steps: []}}
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
    analysis: {{warmup: 1s, block: 1s}}
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


def configure(*environments: str) -> str:
    """The text of fairway.yaml."""
    return CONFIGURATION.format(python=sys.executable, environments="".join(environments))


def environment(name: str, port: int, strategy: str, *, instances: int = 2, observe: str = "1s", more: str = "") -> str:
    """One environment of the configuration."""
    return ENVIRONMENT.format(name=name, port=port, strategy=strategy, instances=instances, observe=observe, more=more)


def release(shop: Workshop, version: str, body: str = HEALTHY, **files: str) -> None:
    """Commits a version of the service."""
    shop.release(version, {"corner.py": APPLICATION.format(version=version, body=body), **files})


def corner(shop: Workshop, strategy: str, **options: object) -> int:
    """A repository with one environment, `production`, and a healthy 1.0.0; returns the users' port."""
    port = free_port()
    text = configure(environment("production", port, strategy, **options))  # type: ignore[arg-type]
    release(shop, "1.0.0", **{"fairway.yaml": text})
    return port
