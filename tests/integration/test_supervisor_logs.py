import os
from pathlib import Path

from supervised import supervisor, wait_until

from fairway.adapters.supervisor.logs import KEPT, LIMIT
from fairway.ports.supervisor import Unit

__all__ = ["supervisor"]


def test_a_program_that_floods_its_log_keeps_within_bounds(supervisor, tmp_path):
    # As fast as a shell tool can: rotation has to happen while it writes, and the writer must not notice.
    flood = Unit("flood", ("yes", "x" * 199), "/", (("PATH", os.environ["PATH"]),))
    status = supervisor.ensure_unit(flood)
    logs = tmp_path / "supervisor/logs"
    wait_until((logs / f"flood.log.{KEPT}").exists, seconds=30)
    for _ in range(50):
        assert sum(path.stat().st_blocks * 512 for path in logs.iterdir()) < 60 * LIMIT
    assert supervisor.observe()["flood"].pid == status.pid
    supervisor.ensure_removed("flood")
    older = sorted(path.name for path in logs.iterdir() if not path.name.startswith("."))
    assert older == ["flood.log", "flood.log.1", "flood.log.2", "flood.log.3"]
    for number in range(1, KEPT + 1):
        path = logs / f"flood.log.{number}"
        assert path.stat().st_size <= LIMIT
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_bytes()[:200] == b"x" * 199 + b"\n"  # cut between lines


def test_output_goes_on_after_a_restart(supervisor):
    argv = ("sh", "-c", "echo started; sleep 0.05")
    status = supervisor.ensure_unit(Unit("short", argv, "/", (("PATH", os.environ["PATH"]),)))
    wait_until(lambda: Path(status.log).read_text().count("started\n") >= 3)
