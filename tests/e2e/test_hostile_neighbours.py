"""What other accounts of the machine, and the applications themselves, can see: as little as possible."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from services import ask, configure, environment, release
from workshop import Workshop, free_port

#: Each secret is somewhere else: the variables of a receiver, the shell of whoever deploys.
SECRETS = {
    "HOOK_URL": "http://127.0.0.1:9/hook-4c1d7e",
    "HOOK_SECRET": "whsec_c2VjcmV0LXRoYXQtbm9ib2R5LXNob3VsZC1zZWU=",
    "AWS_SECRET_ACCESS_KEY": "aws-77aa01",
    "GITHUB_TOKEN": "ghp_5e5e5e",
}
TELL = "body = __import__('json').dumps(dict(__import__('os').environ)).encode()"


class Place(NamedTuple):
    shop: Workshop
    port: int
    preview: int

    @property
    def state(self) -> Path:
        return self.shop.folder / ".fairway"


@pytest.fixture(scope="module")
def place(shared_shop: Workshop) -> Iterator[Place]:
    """A canary under way, deployed from a shell full of secrets, that tells its environment to whoever asks."""
    shop, port, preview = shared_shop, free_port(), free_port()
    one = environment("production", port, "{kind: canary, steps: [50, 100], bake: 600s}", instances=1)
    one = one.replace(f'listen: "127.0.0.1:{port}"', f'listen: "127.0.0.1:{port}", preview: "127.0.0.1:{preview}"')
    head = "notify: [{kind: webhook, url_variable: HOOK_URL, secret_variable: HOOK_SECRET}]\n"
    text = configure(one, head=head).replace("  drain:", "  variables: {GREETING: hello}\n  drain:")
    release(shop, "1.0.0", TELL, **{"fairway.yaml": text})
    first = shop.fairway("deploy", "1.0.0", "--env", "production", "--timeout", "60s", **SECRETS)
    assert first.status == 0, first.err
    release(shop, "1.1.0", TELL)
    begun = shop.fairway("deploy", "1.1.0", "--env", "production", "--no-wait", "--json", **SECRETS)
    shop.await_status("production", lambda status: status["weight"] == 50)
    yield Place(shop, port, preview)
    shop.steer("abort", begun.json["run"])
    shop.steer("watch", begun.json["run"], "--timeout", "30s")


def test_an_instance_gets_what_was_configured_and_nothing_of_the_shell_that_deployed(place: Place) -> None:
    for port in (place.port, place.preview):
        given = json.loads(ask(port).text)
        assert given["GREETING"] == "hello"
        assert not set(given) & set(SECRETS)
        assert not set(given.values()) & set(SECRETS.values())
        assert set(given) <= {
            "GREETING",
            "HOME",
            "HOST",
            "LANG",
            "LC_CTYPE",
            "PATH",
            "PORT",
            "TZ",
            "PYTHONDONTWRITEBYTECODE",
        } | {name for name in given if name.startswith("FAIRWAY_")}, sorted(given)


def test_nobody_else_can_read_anything_in_the_state_folder(place: Place) -> None:
    assert stat.S_IMODE(place.state.stat().st_mode) == 0o700
    # Except the list of instances, which is there to be read by a Prometheus, where the folder lets it in.
    shared = place.state / "targets/prometheus"
    open_to_others = [
        str(path.relative_to(place.state))
        for path in place.state.rglob("*")
        if not (path.is_symlink() or "artifacts" in path.parts or path.is_relative_to(shared))
        and path.lstat().st_mode & 0o077
    ]
    assert not open_to_others


def test_every_socket_of_ours_is_the_owners_only(place: Place) -> None:
    sockets = [path for path in place.state.rglob("*") if stat.S_ISSOCK(path.lstat().st_mode)]
    assert sockets
    for path in sockets:
        assert not path.lstat().st_mode & 0o077, path


def test_secrets_stand_in_no_log_no_plan_no_journal_and_no_process_list(place: Place) -> None:
    """Only the definition of the controller's process holds those that it was told to use, readable for its owner."""
    allowed = place.state / "supervisor/units/controller.json"
    assert stat.S_IMODE(allowed.stat().st_mode) == 0o600
    said = [
        place.shop.fairway(*command, "--json", **SECRETS).out
        for command in (("status",), ("plan", "1.0.0", "--env", "production"), ("history", "--env", "production"))
    ]
    files = [
        path for path in place.state.rglob("*") if path.is_file() and path != allowed and "artifacts" not in path.parts
    ]
    assert any(path.name == "journal.db" for path in files)
    lines = [(entry / "cmdline") for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
    for name, secret in SECRETS.items():
        assert not [text for text in said if secret in text], name
        assert not [path for path in files if secret.encode() in path.read_bytes()], name
        assert not [path for path in lines if secret.encode() in _read(path)], name


def test_the_proxy_listens_for_users_only(place: Place) -> None:
    """Its administration is a socket in a folder of the owner's; nothing else can be connected to."""
    (proxy,) = [pid for unit, pid in place.shop.units().items() if unit.startswith("envoy")]
    assert _listening(proxy) == {("127.0.0.1", place.port), ("127.0.0.1", place.preview)}


def test_no_shell_runs_where_none_was_asked_for(place: Place) -> None:
    for unit, pid in place.shop.units().items():
        program = Path(f"/proc/{pid}/exe").readlink().name
        assert program.startswith(("python", "envoy")), (unit, program)
        parent = int(_read(Path(f"/proc/{pid}/stat")).rpartition(b")")[2].split()[1])
        assert b"fairway.adapters.supervisor" in _read(Path(f"/proc/{parent}/cmdline")), unit


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _listening(pid: int) -> set[tuple[str, int]]:
    """Addresses of TCP sockets in which the process listens."""
    own = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        link = os.readlink(entry)  # noqa: PTH115 -- not a path
        if link.startswith("socket:["):
            own.add(link[8:-1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and words[9] in own:
                host, _, port = words[1].partition(":")
                numbers = [str(byte) for byte in bytes.fromhex(host)[::-1]] if table == "tcp" else [host]
                found.add((".".join(numbers), int(port, 16)))
    return found
