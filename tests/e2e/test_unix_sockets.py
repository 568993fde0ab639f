"""Instances on Unix sockets by every strategy, and what else moves them: rollback and down."""

import contextlib
import json
from pathlib import Path

from services import ask, configure, environment, release
from workshop import Answer, Workshop, free_port

from fairway.adapters.load.process import Load

STRATEGIES = {
    "first": "{kind: rolling, max_surge: 1, max_unavailable: 0}",
    "second": "{kind: blue-green, keep: 500ms}",
    "third": "{kind: canary, steps: [50, 100], bake: 2s}",
}


def _sockets(shop: Workshop) -> list[str]:
    """The sockets of all instances that should run."""
    units = [json.loads(path.read_text()) for path in (shop.folder / ".fairway/supervisor/units").glob("i.*.json")]
    return [unit["socket"] for unit in units]


def _deploy_everywhere(shop: Workshop, version: str) -> list[Answer]:
    commands = [shop.start("deploy", version, "--env", name, "--json") for name in STRATEGIES]
    return [shop.finish(command) for command in commands]


def test_releases_go_live_and_back_on_unix_sockets(shop: Workshop) -> None:
    ports = {name: free_port() for name in STRATEGIES}
    text = configure(
        *(environment(name, ports[name], kind, instances=1, observe="0s") for name, kind in STRATEGIES.items())
    )
    text = text.replace("--host {host} --port {port}", "--uds {socket}")
    release(shop, "1.0.0", **{"fairway.yaml": text})
    assert [answer.status for answer in _deploy_everywhere(shop, "1.0.0")] == [0, 0, 0]

    release(shop, "1.1.0", "print('asked', flush=True)")
    with contextlib.ExitStack() as stack:
        users = [
            stack.enter_context(Load(f"http://127.0.0.1:{port}/", rate=200, connections=8)) for port in ports.values()
        ]
        answers = _deploy_everywhere(shop, "1.1.0")
        seen = [load.stop() for load in users]
    assert [answer.status for answer in answers] == [0, 0, 0], [answer.err for answer in answers]
    assert [(one.failed, one.unfinished) for one in seen] == [(0, 0)] * 3
    assert all({name.rpartition("-")[0] for name in one.by_revision} == {"1.0.0", "1.1.0"} for one in seen)
    assert "asked" in shop.fairway("logs", "--env", "second").out

    with Load(f"http://127.0.0.1:{ports['third']}/", rate=200, connections=8) as load:
        back = shop.fairway("rollback", "--env", "third", "--reason", "x", "--confirm", "CONFIRM", "--json")
        mixed = load.stop()
    assert back.status == 0, back.err
    assert (mixed.failed, mixed.unfinished) == (0, 0)
    assert [ask(port).text for port in ports.values()] == ["1.1.0", "1.1.0", "1.0.0"]

    sockets = _sockets(shop)
    assert len(sockets) == 3
    assert shop.fairway("down").status == 0
    assert not any(Path(socket).parent.exists() for socket in sockets)
