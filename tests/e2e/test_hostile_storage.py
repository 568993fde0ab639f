"""A journal that is damaged under a running service: said clearly, repaired, and the service never notices."""

import os
import signal
import time
from pathlib import Path

from services import ask, corner, release
from workshop import Workshop, await_load

from fairway.adapters.load.process import Load


def test_a_damaged_journal_is_repaired_under_a_service_that_goes_on(shop: Workshop) -> None:
    port = corner(shop, "{kind: rolling, bake: 0s}", instances=1, observe="0s")
    assert shop.deploy("1.0.0", "production", "--timeout", "60s").status == 0
    journal = shop.folder / ".fairway/journal.db"
    with Load(f"http://127.0.0.1:{port}/", rate=50, connections=2) as users:
        await_load(users, lambda seen: seen["ok"] > 10)
        _await_copy(journal)
        os.kill(shop.units()["controller"], signal.SIGKILL)
        assert shop.fairway("doctor", "--json").json["findings"]
        _cut(journal)
        for command in (("status",), ("deploy", "1.0.0", "--env", "production"), ("abort", "r-222222")):
            answer = shop.fairway(*command, "--json")
            assert (answer.status, answer.json["error"]["code"]) == (3, "database-lost"), answer
            assert str(journal) in answer.json["error"]["message"]
            assert "fairway doctor --repair" in answer.json["error"]["hint"]
        finding = next(each for each in shop.fairway("doctor", "--json").json["findings"] if each["name"] == "journal")
        assert finding["status"] == "failed"

        repaired = shop.fairway("doctor", "--repair", "--json")
        assert repaired.status == 0, repaired.err
        assert (repaired.json["repaired"], repaired.json["runs"]) == (True, 1)
        assert Path(repaired.json["aside"]).is_dir()
        # The copy may be of a moment before the end of the run, which goes on from there then.
        shop.await_status("production", lambda status: (status["live"] or {}).get("release") == "1.0.0")
        shop.await_status("production", lambda status: status["finished"] is not None)
        release(shop, "1.1.0")
        assert shop.deploy("1.1.0", "production", "--timeout", "60s").status == 0
        seen = users.stop()
    assert seen.failed == 0, seen
    assert ask(port).text == "1.1.0"
    again = shop.fairway("doctor", "--repair", "--json")
    assert (again.status, again.json) == (0, {"repaired": False})


def _await_copy(journal: Path) -> None:
    deadline = time.monotonic() + 60
    while not journal.with_name("journal.db.kept").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _cut(journal: Path) -> None:
    """Nothing is left of the file, as after a crash of a file system that had not written it."""
    for ending in ("-wal", "-shm"):
        Path(f"{journal}{ending}").unlink(missing_ok=True)
    journal.write_bytes(b"")
