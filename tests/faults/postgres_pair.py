"""A PostgreSQL with a standby that has every transaction before it counts, which may take its place."""

import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg

#: Seconds that servers get to do what they are told.
_PATIENCE = 60.0


class Pair:
    """Two servers of the test's own, each behind a socket in a folder of its own.

    Args:
        postgres: the conftest of all tests, which knows how to start one.
    """

    def __init__(self, postgres: ModuleType) -> None:
        self._postgres = postgres
        self._folders = [Path(tempfile.mkdtemp(prefix="fairway-pg-", dir="/tmp")) for _ in range(2)]
        self._servers: list[subprocess.Popen[bytes]] = []
        try:
            self._servers.append(postgres.start_postgres(self._folders[0]))
            self._allow_replication()
            self._servers.append(self._start_standby())
            self._insist_on_standby()
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """Both servers, of which the one that may be written to is meant."""
        first, second = self._folders
        return f"postgresql://postgres@/test?host={first},{second}&target_session_attrs=read-write"

    @property
    def folders(self) -> tuple[Path, Path]:
        """Where the sockets are: of the primary, and of its standby."""
        first, second = self._folders
        return first, second

    def close_primary_to_writers(self) -> None:
        """It lives on, with all its connections, and may only be read from."""
        with self._connect(self._folders[0]) as connection:
            connection.execute("ALTER SYSTEM SET default_transaction_read_only = on")
            connection.execute("SELECT pg_reload_conf()")

    def kill_primary(self) -> None:
        """All its processes at once, as a machine dies."""
        primary = self._servers[0]
        for pid in _children(primary.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        primary.kill()
        primary.wait(timeout=30)

    def promote(self) -> None:
        """The standby takes its place."""
        with self._connect(self._folders[1]) as connection:
            connection.execute("SELECT pg_promote(true, 60)")

    def close(self) -> None:
        """Nothing is left of them."""
        for server in self._servers[::-1]:
            if server.poll() is None:
                server.send_signal(signal.SIGQUIT)
                server.wait(timeout=30)
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)

    def _allow_replication(self) -> None:
        with (self._folders[0] / "data/pg_hba.conf").open("a") as rules:
            rules.write("local replication postgres trust\n")
        with self._connect(self._folders[0]) as connection:
            connection.execute("SELECT pg_reload_conf()")

    def _start_standby(self) -> "subprocess.Popen[bytes]":
        first, second = self._folders
        options = self._options(second)
        programs = Path(str(self._servers[0].args[0])).parent  # type: ignore[index]
        copy = [programs / "pg_basebackup", "-h", first, "-U", "postgres", "-D", second / "data", "-R", "-c", "fast"]
        subprocess.run(copy, check=True, capture_output=True, timeout=_PATIENCE, **options)
        arguments = [str(part).replace(str(first), str(second)) for part in self._servers[0].args[1:]]  # type: ignore[index]
        with (second / "log").open("wb") as log:
            return subprocess.Popen(
                [programs / "postgres", *arguments],
                stdout=log,
                stderr=log,
                preexec_fn=lambda: ctypes.CDLL(None).prctl(self._postgres.PR_SET_PDEATHSIG, signal.SIGQUIT),  # noqa: PLW1509
                **options,
            )

    def _insist_on_standby(self) -> None:
        """From now on nothing is committed that the standby does not have."""
        _await(lambda: self._standby_state() == "streaming")
        with self._connect(self._folders[0]) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
        _await(lambda: self._standby_state("sync_state") == "sync")

    def _standby_state(self, column: str = "state") -> str | None:
        with self._connect(self._folders[0]) as connection:
            row = connection.execute(f"SELECT {column} FROM pg_stat_replication").fetchone()
            return None if row is None else str(row[0])

    def _connect(self, folder: Path) -> "psycopg.Connection[Any]":
        return psycopg.connect(host=str(folder), user="postgres", dbname="test", autocommit=True, connect_timeout=10)

    def _options(self, folder: Path) -> dict[str, Any]:
        options: dict[str, Any] = {"cwd": folder, "env": {"PATH": "/usr/bin:/bin", "LANG": "C", "TZ": "UTC"}}
        if os.geteuid() == 0:
            os.chown(folder, self._postgres.NOBODY, self._postgres.NOBODY)
            options |= {"user": self._postgres.NOBODY, "group": self._postgres.NOBODY, "extra_groups": []}
        return options


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                    found.append(int(entry.name))
    return found


def _await(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
