"""On a full disk the target and the supervisor say in one of the five kinds of errors what is wrong."""

import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from fairway.adapters.supervisor.client import SupervisorClient
from fairway.adapters.targets.local.records import Records, RecordStore
from fairway.domain.errors import TransientError
from fairway.ports.supervisor import Unit


def _write_record(folder: Path) -> None:
    RecordStore(folder, "shop.production").write(Records())


def _define_unit(folder: Path) -> None:
    SupervisorClient(folder).ensure_unit(Unit("sleeper", ("/bin/sleep", "1"), "/", ()))


def _without_room(action: Callable[[], None]) -> str:
    """What the action says in a process that may write no file."""
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        try:
            action()
        except TransientError as error:
            os.write(sink, f"{error.code} {error.message}".encode())
        except BaseException as error:  # noqa: BLE001 -- told to the test
            os.write(sink, repr(error).encode())
        os._exit(0)
    os.close(sink)
    os.waitpid(child, 0)
    with os.fdopen(source) as said:
        return said.read()


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (_write_record, "target-folder The records in {folder} could not be read or written: File too large."),
        (_define_unit, "supervisor-folder The folder {folder} of the supervisor could not be used: File too large."),
    ],
)
def test_without_room_it_may_pass(action, expected, tmp_path: Path):
    assert _without_room(lambda: action(tmp_path)) == expected.format(folder=tmp_path)


def test_a_folder_that_is_none_is_told_of(tmp_path: Path):
    (tmp_path / "file").touch()
    for action in (_write_record, _define_unit):
        with pytest.raises(TransientError, match="file"):
            action(tmp_path / "file" / "inside")
