"""The disk gets full in the middle of releases, at one write after the other; then there is room again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(600)

_ALONE = (
    *("unshare", "--user", "--map-root-user", "--mount"),
    *("sh", "-c", 'mount -t tmpfs -o size=48m tmpfs "$0" && exec "$@"'),
)


def test_a_full_disk_stops_releases_and_never_the_service(tmp_path: Path) -> None:
    script = Path(__file__).with_name("full_disk.py")
    tests = script.parents[1]
    done = subprocess.run(
        [*_ALONE, str(tmp_path), sys.executable, str(script), str(tmp_path)],
        env=os.environ | {"PYTHONPATH": f"{tests}:{tests / 'e2e'}"},
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    *rounds, users = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rounds) == 9
    for one in rounds:
        assert not one["trace"], one
        assert one["during"] in (one["before"], one["version"]), one
        assert one["live"] == one["serves"], one
        assert one["live"] in (one["before"], one["version"]), one
        assert one["status"] in (0, 1, 3), one
    refused = [one for one in rounds if one["status"] == 3]
    assert refused
    assert any("full" in " ".join(one["said"]) or "room" in " ".join(one["said"]) for one in refused), refused
    assert users["failed"] == 0, users
