"""`python -m benchmarks.bench_trials`: are identical releases told apart, and is a slower one found?

Makes a repository with three releases in a temporary folder: two that do the same and differ in a comment, and one that
does a fifth more work. `fairway bench compare` is asked again and again, as a user would. Exit status 0 if no identical
pair was called a regression, half of them or more were cleared, and every slow-down was found.
"""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

FAIRWAY = str(Path(sys.executable).with_name("fairway"))
_GIT = ("git", "-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "commit.gpgsign=false")
#: What a request costs is nearly all in the loop, so that a fifth more of it is a request that is slower by a fifth.
_WORK = 400_000
_APPLICATION = """
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_GET(self):
        for number in range({work}): pass
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *words): pass

ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()  # {name}
"""
_CONFIGURATION = """
service: trial
run: {{command: "python3 app.py {{port}}", grace: 1s}}
environments:
  trial: {{router: {{kind: envoy, listen: "127.0.0.1:8099"}}}}
bench: {{rate: {rate}, duration: {duration}, warmup: 300ms, rounds: {rounds}, fresh: 10}}
"""


def main() -> int:
    """Runs the trials, prints each answer and the count of verdicts."""
    parser = argparse.ArgumentParser("python -m benchmarks.bench_trials", description=__doc__)
    parser.add_argument("--identical", type=int, default=20, help="comparisons of identical releases")
    parser.add_argument("--slower", type=int, default=5, help="comparisons with a release that is slower by a fifth")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--duration", default="1s")
    parser.add_argument("--rate", type=float, default=30.0)
    options = parser.parse_args()
    # So that what was started is stopped on this way out as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = Path(tempfile.mkdtemp(prefix="fairway-trials-"))
    try:
        _make(folder, _CONFIGURATION.format(rate=options.rate, duration=options.duration, rounds=options.rounds))
        same = Counter(_ask(folder, "v1.0.0", "v1.0.1") for _ in range(options.identical))
        slow = Counter(_ask(folder, "v1.0.0", "v1.1.0") for _ in range(options.slower))
    finally:
        subprocess.run([FAIRWAY, "down"], cwd=folder, check=False, capture_output=True)
        for path in folder.rglob("*"):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o700)  # sealed artifacts are read only
        shutil.rmtree(folder)
    print(f"identical: {dict(same)}\nslower by a fifth: {dict(slow)}")
    is_quiet = not same["regression"] + same["error"] and same["no-regression"] * 2 >= options.identical
    return 0 if is_quiet and slow["regression"] == options.slower else 1


def _make(folder: Path, configuration: str) -> None:
    subprocess.run([*_GIT, "init", "--quiet"], cwd=folder, check=True)
    (folder / ".gitignore").write_text(".fairway/\n")
    (folder / "fairway.yaml").write_text(configuration)
    for name, work in (("v1.0.0", _WORK), ("v1.0.1", _WORK), ("v1.1.0", _WORK * 6 // 5)):
        (folder / "app.py").write_text(_APPLICATION.format(work=work, name=name))
        subprocess.run([*_GIT, "add", "."], cwd=folder, check=True)
        subprocess.run([*_GIT, "commit", "--quiet", "-m", f"feat: {name}"], cwd=folder, check=True)
        subprocess.run([*_GIT, "tag", name], cwd=folder, check=True)


def _ask(folder: Path, before: str, after: str) -> str:
    """The verdict of one comparison."""
    began = time.monotonic()
    done = subprocess.run(
        [FAIRWAY, "bench", "compare", before, after, "--json"], cwd=folder, check=False, capture_output=True, text=True
    )
    try:
        answer = json.loads(done.stdout)
        verdict, reason = str(answer["verdict"]), answer["reason"]
    except (ValueError, KeyError):
        verdict, reason = "error", done.stderr[-500:]
    print(f"{before} {after}: {verdict} in {time.monotonic() - began:.0f} s: {reason}", flush=True)
    return verdict


if __name__ == "__main__":
    sys.exit(main())
