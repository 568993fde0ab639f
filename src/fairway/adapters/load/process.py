"""Load from Python: starts the generator as a process of its own, so that neither slows the other down."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from fairway.adapters.load.plan import HEADERS
from fairway.adapters.load.report import Report
from fairway.domain.errors import PermanentError, UserError

_WRONG_INPUT = 2
_PATIENCE = 30.0  # seconds that a stopped generator may take to report, beyond its time to drain


class Load:
    """Load on a URL from entering the block until `stop`, or until the given duration is over.

    The generator also ends by itself when this process dies, for its stdin closes then.

    Args:
        url: `http://host:port/path`.
        rate: requests a second; 0: as many as the connections carry.
        duration: seconds; None: until stopped.
        connections: most requests at the same time.
        options: further options of `python -m fairway.adapters.load`, such as `("--mix", "GET:9,POST:1")`.
        niceness: added to the scheduling priority, 0 to 19.
        headers: `name: value`, which may hold secrets: others do not see them in the list of processes.
    """

    def __init__(
        self,
        url: str,
        *,
        rate: float,
        duration: float | None = None,
        connections: int = 32,
        options: Sequence[str] = (),
        niceness: int = 0,
        headers: Sequence[str] = (),
    ) -> None:
        lasting = [] if duration is None else ["--duration", str(duration)]
        nice = ["nice", "-n", str(niceness)] if niceness else []
        self._command = [
            *(*nice, sys.executable, "-m", "fairway.adapters.load", url),
            *("--rate", str(rate), "--connections", str(connections), *lasting),
            *("--json", "--live", "--stop-on-eof", *options),
        ]
        self._variables = os.environ | ({HEADERS: json.dumps(list(headers))} if headers else {})
        self._live: Mapping[str, Any] = {}
        self._complaint: list[str] = []
        self._report: Report | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._variables,
            text=True,
            start_new_session=True,  # an interrupt at the terminal is for us, and we still want the report
        )
        self._reader = threading.Thread(target=self._read_live, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._close()

    def live(self) -> Mapping[str, Any]:
        """The run so far, a second old at most: `at`, `sent`, `ok`, `failed`, `p99_ms`, `revisions`, `behind`.

        Empty in the first second.
        """
        return self._live

    def stop(self) -> Report:
        """Sends nothing more and reports; a second call gives the same report.

        Raises:
            UserError: an option was wrong.
            PermanentError: the generator ended without a report.
        """
        # Not a signal: it would end a generator that is only just starting, without a report.
        if self._report is None and self._process.stdin is not None:
            self._process.stdin.close()
        return self.wait()

    def wait(self, patience: float | None = None) -> Report:
        """The report, once the duration is over. Raises as `stop` does.

        Args:
            patience: seconds after which a generator that still runs is killed; None: as long as it takes.
        """
        if self._report is None:
            (self._report, *_) = self._parsed(f"[{self._output(patience)}]")
        return self._report

    def wait_both(self, patience: float | None = None) -> tuple[Report, Report]:
        """The reports of a run with the option `--against`, once the duration is over. Raises as `stop` does.

        Args:
            patience: as for `wait`.
        """
        first, second = self._parsed(self._output(patience))
        return first, second

    def _output(self, patience: float | None) -> str:
        """What the generator printed, once it has ended; to be asked for once."""
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        guard = threading.Timer(patience or 0.0, self._process.kill)
        if patience is not None:
            guard.start()
        try:
            text = self._process.stdout.read()
        finally:
            guard.cancel()
        self._process.wait(_PATIENCE)
        self._reader.join()
        self._close()
        return text

    def _parsed(self, text: str) -> list[Report]:
        """The reports of a list in JSON."""
        complaint = " ".join(self._complaint) or f"exit status {self._process.returncode}"
        if self._process.returncode == _WRONG_INPUT:
            raise UserError("bad-load", complaint)
        try:
            reports = [Report.from_json(json.dumps(one)) for one in json.loads(text)]
            return reports or [Report.from_json("")]
        except ValueError as error:
            raise PermanentError("no-load-report", f"the load generator ended without a report: {complaint}") from error

    def _close(self) -> None:
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def _read_live(self) -> None:
        assert self._process.stderr is not None  # noqa: S101 - asked for above
        for line in self._process.stderr:
            if line.startswith("{"):
                self._live = json.loads(line)
            else:
                self._complaint.append(line.strip())
