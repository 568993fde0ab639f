"""The watching process's work: one command from its start to its result."""

import contextlib
import os
import select
import time
from collections.abc import Callable

from fairway.adapters.commands.child import Child, fork_child, let_go
from fairway.adapters.commands.output import BoundedOutput
from fairway.adapters.commands.place import Json, Place, read_json, write_json
from fairway.adapters.commands.session import Leader, end_session, identify

_CHUNK = 1 << 18
_DRAIN = 1.0  # seconds for what the command left in the background to finish writing
_AGAIN = 1.0  # seconds until a result that the disk had no room for is written again


def execute(place: Place, definition: Json, say: Callable[[Json], None]) -> None:
    """Runs the command and writes its result. The caller holds the place's lock until after this.

    Args:
        place: where; it has no result.
        definition: `program`, `argv`, `folder`, `variables`, `timeout` in seconds.
        say: told once whether the command has been started.
    """
    # Somebody killed a former watcher: what it watched has nobody to write to, and must not run beside its successor.
    former = read_json(place.process)
    if former is not None and not end_session(Leader(**former)):
        say({"failure": "former", "detail": str(former["pid"])})
        return
    started = time.time()
    try:
        child = fork_child(definition)
        leader = _write_down(place, child)
    except OSError as problem:
        say({"failure": "watcher", "detail": str(problem)})
        return
    failure = let_go(child)
    if failure:
        part, _, detail = failure.partition(" ")
        say({"failure": part, "detail": detail})
        return
    say({"started": child.pid})
    output = BoundedOutput(place.output)
    status = _watch(child, leader, definition["timeout"], output)
    output.close()
    result = {"status": status, "tail": output.tail(), "started": started, "finished": time.time()}
    _write_result(place, result)


def _write_down(place: Place, child: Child) -> Leader:
    leader = identify(child.pid)
    if leader is None:
        raise ProcessLookupError(f"/proc does not show process {child.pid}")
    write_json(place.process, dict(leader._asdict()), durable=False)
    return leader


def _watch(child: Child, leader: Leader, timeout: float, output: BoundedOutput) -> int | None:
    """Follows the command to its end, or to the end of its time; returns its exit status, None if time was up."""
    handle = os.pidfd_open(child.pid)
    os.set_blocking(child.output, False)
    in_time = _follow(child.output, handle, timeout, output)
    if in_time:
        _follow(child.output, None, _DRAIN, output)
    # It was not waited for yet, so that its number, and that of its session, cannot be anybody else's.
    end_session(leader)
    _follow(child.output, None, 0.0, output)
    _, status = os.waitpid(child.pid, 0)
    os.close(handle)
    os.close(child.output)
    return os.waitstatus_to_exitcode(status) if in_time else None


def _follow(source: int, handle: int | None, patience: float, output: BoundedOutput) -> bool:
    """Takes output until the process of the handle has ended, or without one until nobody can write any more.

    Returns:
        False if that did not happen within the patience, in seconds.
    """
    deadline = time.monotonic() + patience
    ready = select.poll()
    ready.register(source, select.POLLIN)
    if handle is not None:
        ready.register(handle, select.POLLIN)
    while True:
        left = deadline - time.monotonic()
        seen = {descriptor for descriptor, _ in ready.poll(max(0.0, min(left, 3600.0)) * 1000)}
        if source in seen and not _take(source, output):
            if handle is None:
                return True
            ready.unregister(source)
        if handle in seen:
            return True
        if left <= 0:
            return False


def _take(source: int, output: BoundedOutput) -> bool:
    """Takes one chunk; False at the end."""
    with contextlib.suppress(BlockingIOError):
        chunk = os.read(source, _CHUNK)
        output.write(chunk)
        return bool(chunk)
    return True


def _write_result(place: Place, result: Json) -> None:
    # Without a result the command would run a second time: rather wait until the disk has room.
    while place.folder.exists():
        try:
            write_json(place.result, result, durable=True)
        except OSError:
            time.sleep(_AGAIN)
        else:
            return
