"""The demonstration, as `make demo` runs it."""

import json
import os
import subprocess
import time
from pathlib import Path

from workshop import FAIRWAY

SCENES = {
    "good release": "promoted",
    "fails every request": "rolled-back",
    "fails one request in twenty": "rolled-back",
    "30 % slower": "rolled-back",
    "rollback by hand": "promoted",
}


def test_the_demonstration_shows_what_it_promises_and_leaves_nothing_behind(tmp_path: Path) -> None:
    variables = dict(os.environ, TMPDIR=str(tmp_path))
    done = subprocess.run([FAIRWAY, "demo", "--json"], env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["ok"] is True
    assert {scene["name"]: scene["verdict"] for scene in result["scenarios"]} == SCENES
    for scene in result["scenarios"]:
        assert scene["verdict"] == scene["expected"]
        assert scene["failed_requests"] == 0
        assert scene["requests"] > 0
    scenes = {scene["name"]: scene for scene in result["scenarios"]}
    assert all(scenes[name]["candidate_failures"] > 0 for name in SCENES if name.startswith("fails"))
    assert scenes["30 % slower"]["rule"] == "latency-lane"
    assert list(tmp_path.iterdir()) == []
    deadline = time.monotonic() + 60
    while _mentions(str(tmp_path)):
        assert time.monotonic() < deadline, _mentions(str(tmp_path))
        time.sleep(0.1)


def _mentions(text: str) -> list[str]:
    lines = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if text in line:
                lines.append(line)
    return lines
