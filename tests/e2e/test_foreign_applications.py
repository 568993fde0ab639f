"""Applications that are not ours, real releases from the registries, under load, with a client that never retries."""

import json
import subprocess

from workshop import Workshop, free_port

from fairway.adapters.load.process import Load

DATASETTE = """\
service: library
build:
  steps:
    - python3 -m venv .venv
    - .venv/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
run:
  command: .venv/bin/datasette serve --host {{host}} --port {{port}} --setting sql_time_limit_ms 5000
  health: {{ready: /-/versions.json, timeout: 60s}}
  drain: 5s
environments:
  production:
    target: local
    router: {{kind: envoy, listen: "127.0.0.1:{port}"}}
    instances: 2
    strategy: {{kind: {strategy}}}
    analysis: {{warmup: 1s, block: 1s}}
    observe: 2s
"""

NODE = """\
service: pages
build:
  steps: [npm ci --no-audit --no-fund --loglevel=error]
run:
  command: node server.js
  health: {{ready: /health, timeout: 30s}}
environments:
  production:
    target: local
    router: {{kind: envoy, listen: "127.0.0.1:{port}"}}
    instances: 2
    strategy: {{kind: canary, steps: [10, 50, 100], bake: 3s}}
    analysis: {{warmup: 1s, block: 1s}}
    observe: 2s
"""


def test_datasette_goes_from_one_release_to_the_next_and_back_without_a_failed_request(shop: Workshop) -> None:
    port = free_port()
    strategy = "canary, steps: [10, 50, 100], bake: 4s"
    files = {"fairway.yaml": DATASETTE.format(port=port, strategy=strategy)}
    shop.release("0.64.8", files | {"requirements.txt": "datasette==0.64.8\n"})
    shop.release("0.65.1", {"requirements.txt": "datasette==0.65.1\n"})

    first = shop.deploy("0.64.8", "production")
    assert first.status == 0, first.err
    url = f"http://127.0.0.1:{port}/-/versions.json"
    with Load(url, rate=100, connections=16) as users:
        second = shop.deploy("0.65.1", "production")
        assert (second.status, second.json["verdict"]) == (0, "passed"), second.err
        back = shop.fairway(
            "rollback", "--env", "production", "--to", "0.64.8", "--reason", "test", "--confirm", "CONFIRM", "--json"
        )
        assert back.status == 0, back.err
        seen = users.stop()
    assert seen.failed == 0, seen
    assert seen.ok > 500
    versions = {name.rsplit("-", 1)[0] for name in seen.by_revision}
    assert versions == {"0.64.8", "0.65.1"}


def test_a_node_application_is_released_by_canary_without_a_failed_request(shop: Workshop) -> None:
    port = free_port()
    server = (
        "const express = require('express');\n"
        "const {version} = require('express/package.json');\n"
        "const app = express();\n"
        "app.get('/health', (_, answer) => answer.json({status: 'ok', version}));\n"
        "app.get('/', (_, answer) => answer.send(`express ${version}`));\n"
        "const server = app.listen(process.env.PORT, process.env.HOST);\n"
        "server.keepAliveTimeout = 75000;\n"
        "process.on('SIGTERM', () => server.close());\n"
    )
    shop.release("1.0.0", {"fairway.yaml": NODE.format(port=port), "server.js": server, **_locked(shop, "4.21.2")})
    shop.release("2.0.0", _locked(shop, "5.1.0"))

    assert shop.deploy("1.0.0", "production").status == 0
    with Load(f"http://127.0.0.1:{port}/", rate=200, connections=16) as users:
        second = shop.deploy("2.0.0", "production")
        seen = users.stop()
    assert (second.status, second.json["verdict"]) == (0, "passed"), second.err
    assert seen.failed == 0, seen
    assert {name.rpartition("-")[0] for name in seen.by_revision} == {"1.0.0", "2.0.0"}


def _locked(shop: Workshop, version: str) -> dict[str, str]:
    """package.json and its lock file for one version of express."""
    folder = shop.folder.parent / f"lock-{version}"
    folder.mkdir()
    package = {"name": "pages", "version": "1.0.0", "private": True, "dependencies": {"express": version}}
    (folder / "package.json").write_text(json.dumps(package))
    command = ["npm", "install", "--package-lock-only", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return {name: (folder / name).read_text() for name in ("package.json", "package-lock.json")}
