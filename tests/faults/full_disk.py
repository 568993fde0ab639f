"""Run on a small file system of its own: releases while the disk gets full at one write after the other.

Prints one JSON object a round: how many bytes were left, what the command answered, and how the run ended.
"""

import json
import os
import sys
from pathlib import Path

from services import ask, corner, release
from workshop import workshop

from fairway.adapters.load.process import Load


def main() -> None:
    """Rounds with less and less room."""
    disk = Path(sys.argv[1])
    ballast = disk / "ballast"
    with workshop(disk / "repository") as shop:
        port = corner(shop, "{kind: rolling, bake: 0s}", instances=1, observe="0s")
        first = shop.deploy("1.0.0", "production", "--timeout", "60s")
        assert first.status == 0, first.err
        with Load(f"http://127.0.0.1:{port}/", rate=50, connections=4) as users:
            for number, left in enumerate((0, 4, 12, 24, 48, 96, 192, 400, 1000)):
                version = f"2.{number}.0"
                release(shop, version)
                before = shop.now("production")["live"]["release"]
                _fill(ballast, left << 10)
                answer = shop.fairway("deploy", version, "--env", "production", "--json", "--timeout", "4s", timeout=90)
                during = ask(port).text
                ballast.unlink()
                shop.fairway("up", timeout=90)
                status = shop.await_status("production", lambda status: status["finished"] is not None, 120)
                live = status["live"]["release"]
                line = {
                    "left": left,
                    "status": answer.status,
                    "said": answer.err.strip().splitlines()[-1:] if answer.status != 0 else [],
                    "trace": "Traceback" in answer.err,
                    "before": before,
                    "during": during,
                    "live": live,
                    "serves": ask(port).text,
                    "version": version,
                    "phase": status["phase"],
                }
                print(json.dumps(line), flush=True)
            seen = users.stop()
        print(json.dumps({"failed": seen.failed, "ok": seen.ok}))


def _fill(ballast: Path, left: int) -> None:
    """Takes all room but so many bytes."""
    with ballast.open("wb") as file:
        while True:
            disk = os.statvfs(ballast.parent)
            room = disk.f_bavail * disk.f_frsize - left
            if room <= 0:
                return
            try:
                os.posix_fallocate(file.fileno(), file.seek(0, 2), room)
                file.seek(0, 2)
            except OSError:
                return


if __name__ == "__main__":
    main()
