"""Run by whoever permissions hold for: all of the state folder turns read-only while a release serves.

Prints one JSON object for each command that was tried meanwhile, and one for what came afterwards.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services import ask, corner, release
from workshop import workshop

from fairway.adapters.load.process import Load

COMMANDS = {
    "status": ("status",),
    "plan": ("plan", "1.1.0", "--env", "production"),
    "deploy": ("deploy", "1.1.0", "--env", "production", "--timeout", "20s"),
    "rollback": ("rollback", "--env", "production", "--reason", "r", "--confirm", "CONFIRM"),
    "up": ("up",),
    "doctor": ("doctor",),
}


def main() -> None:
    """Commands on the read-only folder, and a release once it can be written again."""
    with workshop(Path(sys.argv[1]) / "repository") as shop:
        port = corner(shop, "{kind: rolling, bake: 0s}", instances=1, observe="0s")
        release(shop, "0.9.0")
        for version in ("0.9.0", "1.0.0"):
            first = shop.deploy(version, "production", "--timeout", "60s")
            assert first.status == 0, first.err
        release(shop, "1.1.0")
        with Load(f"http://127.0.0.1:{port}/", rate=50, connections=4) as users:
            with _read_only(shop.folder / ".fairway"):
                for name, words in COMMANDS.items():
                    answer = shop.fairway(*words, "--json", timeout=90)
                    said = json.loads(answer.out).get("error", {}).get("message", "") if answer.out else ""
                    line = {"command": name, "status": answer.status, "said": said or answer.err[-300:]}
                    print(json.dumps(line | {"trace": "Traceback" in answer.err, "serves": ask(port).text}), flush=True)
            done = shop.deploy("1.1.0", "production", "--timeout", "90s")
            assert done.status == 0, done.err
            seen = users.stop()
        print(json.dumps({"failed": seen.failed, "serves": ask(port).text, "phase": done.json["phase"]}))


@contextmanager
def _read_only(folder: Path) -> Iterator[None]:
    """Every file and folder; the artifacts are so anyway."""
    places = [folder, *(path for path in folder.rglob("*") if not path.is_symlink() and "artifacts" not in path.parts)]
    before = {path: path.stat().st_mode & 0o7777 for path in places if path.exists()}
    for path, bits in before.items():
        path.chmod(bits & 0o500)
    try:
        yield
    finally:
        for path, bits in before.items():
            if path.exists():
                path.chmod(bits)


if __name__ == "__main__":
    main()
