"""Private halves that live in a vault alone: a server that keeps them in memory, and a client of it that is a program.

While the vault hands a key over or takes one, it looks through the arguments and variables of all processes for it.
"""

import contextlib
import http.server
import os
import sys
import tracemalloc
from pathlib import Path

import pyrage
import pytest

from fairway.adapters.commands.confidential import LocalSecretCommands
from fairway.adapters.signing import LocalKeys
from fairway.adapters.signing import vault as vault_of_keys
from fairway.domain.errors import TransientError, UserError
from fairway.domain.provenance.envelope import PAYLOAD_TYPE, Envelope, Signature, to_be_signed
from servers import serving

CLIENT = """
import os, sys, urllib.request
request = urllib.request.Request(os.environ["VAULT_ADDR"] + "/" + sys.argv[2], headers={"X-Token": os.environ["TOKEN"]})
if sys.argv[1] == "put":
    request.data, request.method = sys.stdin.buffer.read(), "PUT"
body = urllib.request.urlopen(request, timeout=30).read()
if sys.argv[1] == "get":
    sys.stdout.buffer.write(body)
"""


class Vault(http.server.BaseHTTPRequestHandler):
    kept: dict[str, bytes]
    seen: list[str]

    def do_PUT(self):
        self.kept[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b"")

    def do_GET(self):
        self._answer(self.kept.get(self.path, b""))

    def _answer(self, body):
        taken = self.headers["X-Token"] == "t-123" and "refused" not in self.path
        self.seen += [found for secret in self.kept.values() for found in self._in_processes(secret)]
        self.send_response(200 if taken else 403)
        self.end_headers()
        self.wfile.write(body if taken else b"denied: " + b"".join(self.kept.values()))

    def _in_processes(self, secret):
        core = max(secret.splitlines(), key=len)
        for folder in Path("/proc").glob("[0-9]*"):
            for name in ("cmdline", "environ"):
                try:
                    if core in (folder / name).read_bytes():
                        yield f"{folder}/{name}"
                except OSError:
                    continue

    def log_message(self, *_):
        pass


@pytest.fixture
def vault(tmp_path):
    handler = type("OneVault", (Vault,), {"kept": {}, "seen": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    client = tmp_path / "client.py"
    client.write_text(CLIENT)
    handler.command = f"{sys.executable} {client}"
    with serving(server) as url:
        handler.variables = {**os.environ, "VAULT_ADDR": url, "TOKEN": "t-123"}
        yield handler


def ring(folder, vault, **more):
    variables = {**vault.variables, "FAIRWAY_SIGNING_KEY_COMMAND": f"{vault.command} get {{key}}", **more}
    commands = LocalSecretCommands()
    return LocalKeys(folder / "release-keys", folder / "private", commands=commands, environment=variables)


def files_with(folder, text):
    return [path for path in folder.rglob("*") if path.is_file() and text in path.read_bytes()]


def signs(keys, name="release"):
    identity, signature = keys.sign(name, to_be_signed(PAYLOAD_TYPE, b"{}"))
    return keys.signer_of(Envelope(b"{}", (Signature(identity, signature),)), (name,)) == name


def test_a_key_is_made_used_and_never_seen_outside_the_vault(tmp_path, vault):
    made = ring(tmp_path, vault).create("release", vault=f"{vault.command} put release")
    secret = vault.kept["/release"]
    assert b"PRIVATE KEY" in secret.splitlines()[0]
    assert signs(ring(tmp_path, vault))
    assert made.private is None
    assert vault.seen == []
    assert files_with(tmp_path, max(secret.splitlines(), key=len)) == []
    assert not (tmp_path / "private").exists()


def test_a_vault_may_hold_an_encrypted_half_too(tmp_path, vault):
    identity = pyrage.x25519.Identity.generate()
    keys = ring(tmp_path, vault, FAIRWAY_AGE_IDENTITY=str(identity))
    keys.create("release", recipient=str(identity.to_public()), vault=f"{vault.command} put release")
    assert b"PRIVATE" not in vault.kept["/release"]
    assert signs(keys)
    with pytest.raises(UserError, match="cannot be opened") as refusal:
        signs(ring(tmp_path, vault, FAIRWAY_AGE_IDENTITY=str(pyrage.x25519.Identity.generate())))
    assert refusal.value.code == "key-closed"


def test_a_vault_that_does_not_take_the_key_leaves_none_behind(tmp_path, vault):
    with pytest.raises(TransientError) as refusal:
        ring(tmp_path, vault).create("release", vault=f"{vault.command} put refused")
    assert "ended with status 1" in refusal.value.message
    assert ring(tmp_path, vault).list_keys() == ()
    assert ring(tmp_path, vault).create("release", vault=f"{vault.command} put release").name == "release"


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        ("{client} get nothing", "vault-command", "printed nothing"),
        ("{client} get refused", "vault-command", "ended with status 1"),
        ("no-such-vault get", "vault-command", "cannot be run"),
        ("'", "vault-command", "cannot be run"),
        ("echo some words", "vault-command", "printed no key"),
    ],
)
def test_a_vault_that_gives_no_key_is_told_without_what_it_said(tmp_path, vault, command, code, words):
    ring(tmp_path, vault).create("release", vault=f"{vault.command} put release")
    given = command.replace("{client}", vault.command)
    with pytest.raises((UserError, TransientError)) as refusal:
        signs(ring(tmp_path, vault, FAIRWAY_SIGNING_KEY_COMMAND=given))
    told = f"{refusal.value.message} {refusal.value.hint}"
    assert (refusal.value.code, words in told) == (code, True), told
    assert "some words" not in told
    assert "denied" not in told
    core = max(vault.kept["/release"].splitlines(), key=len).decode()
    assert core not in repr(refusal.value)


@contextlib.contextmanager
def little_memory():
    tracemalloc.start()
    try:
        yield
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 16 << 20


def test_a_vault_that_prints_far_too_much_is_stopped_before_it_fills_the_memory(tmp_path, vault):
    ring(tmp_path, vault).create("release", vault=f"{vault.command} put release")
    printing = ring(tmp_path, vault, FAIRWAY_SIGNING_KEY_COMMAND=f"head -c {64 << 20} /dev/zero")
    with little_memory(), pytest.raises(UserError, match="printed more than 64 KiB"):
        signs(printing)


def test_what_a_vault_says_while_it_takes_a_key_is_not_listened_to(tmp_path, vault):
    with little_memory():
        ring(tmp_path, vault).create("release", vault=f"sh -c 'cat > {tmp_path}/kept; head -c {64 << 20} /dev/zero'")
    assert (tmp_path / "kept").read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")


def test_the_patience_with_a_vault_ends_while_it_prints_and_when_it_has_printed(tmp_path, vault, monkeypatch):
    ring(tmp_path, vault).create("release", vault=f"{vault.command} put release")
    monkeypatch.setattr(vault_of_keys, "_PATIENCE", 0.5)
    for line in ("sh -c 'echo a; sleep 600'", "sh -c 'exec >&-; sleep 600'"):
        with pytest.raises(TransientError, match="did not end within"):
            signs(ring(tmp_path, vault, FAIRWAY_SIGNING_KEY_COMMAND=line))


def test_the_key_of_another_is_not_used_in_place_of_ours(tmp_path, vault):
    keys = ring(tmp_path, vault)
    keys.create("release", vault=f"{vault.command} put release")
    keys.create("other", vault=f"{vault.command} put other")
    with pytest.raises(UserError) as refusal:
        signs(ring(tmp_path, vault, FAIRWAY_SIGNING_KEY_COMMAND=f"{vault.command} get other"))
    assert refusal.value.code == "key-mismatch"
