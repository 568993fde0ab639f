"""Secrets of an environment in a real rollout: where they may not be they are not, whatever the service answers."""

import base64
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from workshop import Answer, Workshop, free_port

pytestmark = pytest.mark.timeout(240)

FILED, PRINTED = "filed-secret-7Qx", "printed secret/9Zk"

#: It tells everybody what it was sent, with an error.
APP = """\
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        sent = " ".join(f"{name}: {value}" for name, value in self.headers.items())
        self.send_response(500)
        self.end_headers()
        self.wfile.write(b"x" * int(self.headers.get("x-before", 0)) + f"{self.path} {sent}".encode())

    def log_message(self, *words):
        pass

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
CONFIG = """\
service: shop
build: {{steps: []}}
run: {{command: "{python} app.py {{port}}", drain: 1s}}
environments:
  production:
    router: {{kind: envoy, listen: "127.0.0.1:{port}"}}
    strategy: {{kind: blue-green, keep: 1s}}
    analysis: {{warmup: 1s, block: 1s}}
    secrets:
      FILED: {{file: "{folder}/filed"}}
      PRINTED: {{command: cat printed, variables: [VAULT_TOKEN]}}
validation:
  checks:
    whole: {{kind: http, path: /a, headers: {{X-Key: "{{{{FILED}}}}"}}}}
    cut: {{kind: http, path: /a, headers: {{X-Before: "150", X-Key: "{{{{FILED}}}}"}}}}
    key: {{kind: auth, path: /b, header: X-Key, key: "{{{{FILED}}}}", status: 200}}
    user: {{kind: auth, path: /c, user: ann, password: "{{{{PRINTED}}}}"}}
    data: {{kind: postgres, url: "postgresql://shop:{{{{PRINTED}}}}@127.0.0.1:1/shop", moments: [candidate]}}
    address: {{kind: http, path: "/d?key={{{{PRINTED}}}}"}}
"""


def shapes() -> list[bytes]:
    values = [FILED, PRINTED, "printed%20secret", "printed+secret", f"ann:{PRINTED}"]
    # Cut off as well: a beginning is enough.
    plain = [value.encode()[:9] for value in values[:4]]
    return [*plain, *(base64.b64encode(value.encode())[:12] for value in values)]


@contextmanager
def watched_processes(found: set[bytes]):
    """Argument lines of all processes, again and again."""
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(0.1):
            for entry in Path("/proc").iterdir():
                if entry.name.isdecimal():
                    try:
                        found.add((entry / "cmdline").read_bytes())
                    except OSError:
                        continue

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def write(shop: Workshop, version: str, port: int) -> None:
    text = CONFIG.format(python=sys.executable, port=port, folder=shop.folder)
    shop.release(version, {"fairway.yaml": text, "app.py": APP})


def test_a_secret_is_in_no_output_log_plan_journal_or_list_of_processes(shop: Workshop):
    port = free_port()
    for name, value in (("filed", FILED), ("printed", PRINTED)):
        (shop.folder / name).write_text(f"{value}\n")
        (shop.folder / name).chmod(0o600)
    (shop.folder / ".gitignore").write_text(".fairway/\nfiled\nprinted\n")
    os.environ["VAULT_TOKEN"] = "token-of-the-vault"
    said, lines = [], set()
    try:
        write(shop, "1.0.0", port)
        with watched_processes(lines):
            refused = shop.deploy("1.0.0", "production")
            said.append(refused)
            plan = shop.fairway("plan", "1.0.0", "--env", "production", "--json")
            said.append(plan)
            said += [shop.fairway("history", "--env", "production", "--json")]
            by_hand = validate_by_hand(shop)
            said.append(by_hand)
    finally:
        del os.environ["VAULT_TOKEN"]
    assert refused.status == 1, refused.out + refused.err
    assert "<FILED>" in refused.out, "the answer that held it was quoted"
    assert by_hand.status == 1
    assert "<FILED>" in by_hand.out, "cut off, it is shown by its name as well"
    report = (shop.folder / ".fairway/report.xml").read_text()
    assert "<PRINTED>" in report.replace("&lt;", "<").replace("&gt;", ">")
    seen = b"\0".join(f"{one.out}{one.err}".encode() for one in said)
    for shape in shapes():
        assert shape not in seen
        assert not [line for line in lines if shape in line]
    assert {shape: path for shape in shapes() for path in files(shop.folder / ".fairway", shape)} == {}
    assert any(b"serve" in line for line in lines), "processes were watched"


def validate_by_hand(shop: Workshop) -> Answer:
    """All findings in all words, of the same service run by hand."""
    port = free_port()
    running = subprocess.Popen([sys.executable, "app.py", str(port)], cwd=shop.folder)
    try:
        words = ("--env", "production", "--verbose", "--junit", ".fairway/report.xml")
        return shop.fairway("validate", f"http://127.0.0.1:{port}", *words, TIMEOUT_SECS="30")
    finally:
        running.kill()
        running.wait()


def files(folder: Path, shape: bytes) -> list[Path]:
    return [
        path for path in folder.rglob("*") if path.is_file() and not path.is_symlink() and shape in path.read_bytes()
    ]
