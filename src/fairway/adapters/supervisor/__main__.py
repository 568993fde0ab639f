"""`python -m fairway.adapters.supervisor FOLDER LINGER`: supervises the units in the folder, in the background.

LINGER are the seconds with nothing to do after which it ends.

Returns as soon as a supervisor runs, this one or another. SIGTERM and SIGKILL end it alike and at once: what it
supervises goes on, and its successor takes it over.
"""

import os
import sys
from pathlib import Path

from fairway.adapters.supervisor.files import Layout
from fairway.adapters.supervisor.loop import SupervisorLoop, lock

_PATIENCE = 3.0  # seconds
_MESSAGES = 1024 * 1024  # bytes of its own messages worth keeping


def main() -> int:
    """Starts the supervisor in a session of its own unless the folder has one."""
    if len(sys.argv) != 3:
        print("usage: python -m fairway.adapters.supervisor FOLDER LINGER", file=sys.stderr)  # noqa: T201
        return 2
    layout = Layout(Path(sys.argv[1]).absolute())
    layout.make()
    held = lock(layout, _PATIENCE)
    if held is None:
        return 0
    hearing, telling = os.pipe()
    if os.fork() != 0:
        os.close(telling)
        return 0 if os.read(hearing, 1) else 1
    os.close(hearing)
    _detach(layout)
    loop = SupervisorLoop(layout, held, linger=float(sys.argv[2]))
    loop.announce()
    os.write(telling, b"!")
    os.close(telling)
    loop.run()
    return 0


def _detach(layout: Layout) -> None:
    os.setsid()
    os.chdir("/")
    if layout.messages.exists() and layout.messages.stat().st_size > _MESSAGES:
        layout.messages.unlink()
    messages = os.open(layout.messages, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, destination in ((nothing, 0), (messages, 1), (messages, 2)):
        os.dup2(source, destination)
    os.close(nothing)
    os.close(messages)


sys.exit(main())
