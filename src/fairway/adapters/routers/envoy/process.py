"""The running proxy: its unit, its start, and why it did not start."""

import contextlib
import hashlib
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fairway.adapters.routers.envoy.addresses import Address, check_free
from fairway.adapters.routers.envoy.admin import Admin
from fairway.adapters.routers.envoy.binary import find_envoy, require_release
from fairway.adapters.routers.envoy.bootstrap import CLUSTERS_FILE, bootstrap, routes_file
from fairway.adapters.routers.envoy.folder import discovery, replace_file, sync_folder, to_text
from fairway.adapters.routers.envoy.names import MAIN, PREVIEW
from fairway.adapters.routers.envoy.routing import NOBODY, main_routes, preview_routes
from fairway.domain.errors import PermanentError, TransientError
from fairway.ports.supervisor import Supervisor, Unit, UnitStatus

# Envoy is up after 50 ms; a backend that hangs holds it up by one health check of a second.
_START_WITHIN = 20.0
_TAIL = 16384


@dataclass(frozen=True, slots=True)
class Process:
    """Envoy for one environment, kept alive by the supervisor.

    Attributes:
        unit: the id that the supervisor knows it by.
        folder: where its configuration and its admin socket are; also its working folder.
        trusted_hops: proxies before this one whose word is taken for who asks and by which scheme.
        concurrency: worker threads.
    """

    unit: str
    folder: Path
    supervisor: Supervisor
    main: Address
    preview: Address | None
    trusted_hops: int
    concurrency: int

    def runs(self) -> bool:
        """Whether Envoy listens now, with the present settings."""
        # An earlier bootstrap is deleted once the present one runs.
        return list(self.folder.glob("bootstrap-*.json")) == [self._bootstrap()[0]] and self.answers()

    def start(self) -> None:
        """Returns when Envoy listens with the present settings; changed settings restart it.

        Raises:
            PermanentError: an address is taken, Envoy is missing, too old, or does not run here.
            TransientError: it did not start in time.
        """
        file, settings = self._bootstrap()
        program = find_envoy()
        require_release(program)
        is_new = self._status() is None
        self._check_addresses()
        self._write_first_files()
        replace_file(file, settings)
        sync_folder(self.folder)
        self.supervisor.ensure_unit(self._unit(program, file))
        try:
            self._await_start(file, is_new=is_new)
        except PermanentError:
            if is_new:
                self.supervisor.ensure_removed(self.unit)
            raise
        for other in self.folder.glob("bootstrap-*.json"):
            if other != file:
                other.unlink()

    def ensure_supervised(self) -> None:
        """Makes sure that somebody starts the running Envoy again when it ends; does not touch it."""
        with Admin(self.folder) as admin:
            program = Path(admin.command()[0])
        # Another program, as after an upgrade of Fairway elsewhere, would be a reason to restart: not during a change.
        self.supervisor.ensure_unit(self._unit(program if program.exists() else find_envoy(), self._bootstrap()[0]))

    def answers(self) -> bool:
        """Whether Envoy listens now."""
        with contextlib.suppress(TransientError), Admin(self.folder) as admin:
            return admin.ready()
        return False

    def log_size(self) -> int:
        """Length of the log now, in bytes."""
        status = self._status()
        with contextlib.suppress(OSError):
            return 0 if status is None else Path(status.log).stat().st_size
        return 0

    def log_lines(self, *, since: int = 0) -> list[str]:
        """The log's lines from that byte on, at most the last 16 KiB; empty if there is no log."""
        status = self._status()
        with contextlib.suppress(OSError):
            if status is not None:
                with Path(status.log).open("rb") as log:
                    size = log.seek(0, 2)
                    # A log that became shorter was rotated.
                    log.seek(max(since if since <= size else 0, size - _TAIL))
                    return log.read().decode(errors="replace").splitlines()
        return []

    def _status(self) -> UnitStatus | None:
        return self.supervisor.observe().get(self.unit)

    def _bootstrap(self) -> tuple[Path, str]:
        """The bootstrap's file, named after its content so that another content is another unit, and the content."""
        settings, digest = _render(self.folder, self.main, self.preview, self.trusted_hops)
        return self.folder / f"bootstrap-{digest}-{self.concurrency}.json", settings

    def _check_addresses(self) -> None:
        for address in (self.main, self.preview):
            if address is not None:
                check_free(address, ours=str(self.folder / "bootstrap-"))

    def _unit(self, program: Path, file: Path) -> Unit:
        # Hot restart is off: the supervisor knows no epochs, and it would leave shared memory behind.
        arguments = ("--concurrency", str(self.concurrency), "--disable-hot-restart", "--log-level", "warning")
        argv = (str(program), "--config-path", str(file), *arguments)
        return Unit(id=self.unit, argv=argv, folder=str(self.folder), variables=(), grace=5.0)

    def _write_first_files(self) -> None:
        """Files that Envoy insists on finding; those that are there stay."""
        first = {
            CLUSTERS_FILE: [],
            routes_file(MAIN): [main_routes(NOBODY, None)],
            routes_file(PREVIEW): [preview_routes(NOBODY)],
        }
        for name, resources in first.items():
            if not (self.folder / name).exists():
                replace_file(self.folder / name, to_text(discovery(resources)))

    def _await_start(self, file: Path, *, is_new: bool) -> None:
        deadline = time.monotonic() + _START_WITHIN
        while not self._runs_with(file):
            status = self._status()
            if status is not None and status.pid is None:
                # It ended, or has not been started yet; in both cases an address that is taken explains enough.
                self._check_addresses()
            # One that has served before may have been killed from outside: the supervisor goes on trying.
            if is_new and status is not None and status.state == "crash-loop":
                hint = f'its log is "{status.log}"'
                raise PermanentError("envoy-does-not-run", f"Envoy ends at its start: {self._last_words()}", hint)
            if time.monotonic() > deadline:
                message = f"Envoy did not listen within {_START_WITHIN:.0f} s"
                raise TransientError("envoy-slow", message, self._last_words())
            time.sleep(0.01)

    def _runs_with(self, file: Path) -> bool:
        with contextlib.suppress(TransientError), Admin(self.folder) as admin:
            return admin.ready() and str(file) in admin.command()
        return False

    def _last_words(self) -> str:
        lines = self.log_lines()
        return lines[-1].strip() if lines else "it wrote nothing"


@cache
def _render(folder: Path, main: Address, preview: Address | None, trusted_hops: int) -> tuple[str, str]:
    """The bootstrap's text and its digest."""
    settings = to_text(bootstrap(folder, main, preview, trusted_hops))
    return settings, hashlib.sha256(settings.encode()).hexdigest()[:16]
