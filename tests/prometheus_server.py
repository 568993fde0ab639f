"""A real Prometheus for tests: the system's, or Debian's package unpacked into a folder of the project's own.

Nothing is installed, and no service is started.
"""

import contextlib
import fcntl
import json
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from free_ports import free_port

_TOOLS = Path(__file__).parents[1] / ".tools"

CONFIGURATION = """\
global: {{scrape_interval: {interval}, scrape_timeout: {interval}}}
scrape_configs:
  - job_name: instances
    file_sd_configs: [{{files: ["{targets}"], refresh_interval: 1s}}]
"""


def find_prometheus() -> Path:
    """The program; fetched from Debian's archive at the first call where it is not installed."""
    installed = shutil.which("prometheus")
    if installed is not None:
        return Path(installed)
    program = _TOOLS / "prometheus/usr/bin/prometheus"
    if not program.exists():
        _TOOLS.mkdir(exist_ok=True)
        with (_TOOLS / "prometheus.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not program.exists():
                _unpack(_TOOLS / "prometheus")
    return program


def _unpack(place: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="fairway-prometheus-") as folder:
        command = ["apt-get", "download", "prometheus"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            subprocess.run(["apt-get", "update"], capture_output=True, timeout=120, check=False)
            subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=True)
        (package,) = Path(folder).glob("prometheus_*.deb")
        draft = place.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        subprocess.run(["dpkg-deb", "--extract", str(package), str(draft)], check=True, capture_output=True)
        draft.rename(place)


class Prometheus:
    """One server in a folder; it may be stopped and started again, on the same port and with what it stored.

    Attributes:
        url: where it answers while it runs.
    """

    def __init__(self, folder: Path, targets: Path, interval: str = "250ms") -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "prometheus.yml").write_text(CONFIGURATION.format(interval=interval, targets=targets))
        self._listen = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self._listen}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it answers queries."""
        arguments = [
            f"--config.file={self._folder}/prometheus.yml",
            f"--storage.tsdb.path={self._folder}/data",
            f"--web.listen-address={self._listen}",
            "--log.level=error",
        ]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen([find_prometheus(), *arguments], stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while self._process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/-/ready", timeout=1):
                return
            time.sleep(0.02)
        raise AssertionError((self._folder / "log").read_text())

    def kill(self) -> None:
        """It dies without a word."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def ask(self, query: str) -> list[tuple[dict[str, str], float]]:
        """Labels and numbers at this moment."""
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': query})}") as answer:
            found = json.load(answer)["data"]["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    def await_series(self, query: str, count: int, seconds: float = 60) -> None:
        """Waits until the query gives so many series."""
        deadline = time.monotonic() + seconds
        while len(self.ask(query)) < count:
            assert time.monotonic() < deadline, f"{query} gives {self.ask(query)}"
            time.sleep(0.05)


@contextlib.contextmanager
def prometheus(folder: Path, targets: Path, interval: str = "250ms") -> Iterator[Prometheus]:
    """A running server; it is gone afterwards.

    Args:
        folder: where it keeps its data.
        targets: pattern of the files that name what it scrapes.
        interval: between two scrapes.
    """
    server = Prometheus(folder, targets, interval)
    server.start()
    try:
        yield server
    finally:
        server.kill()
