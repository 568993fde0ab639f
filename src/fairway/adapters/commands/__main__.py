"""`python -m fairway.adapters.commands FOLDER LOCK`: starts a command, and watches it in the background.

LOCK is the number of an inherited descriptor that holds the lock of FOLDER; it is held until the result is written. The
definition comes on stdin as JSON. Returns as soon as the command runs or cannot be run, with that as JSON on stdout.
"""

import contextlib
import json
import os
import sys
from pathlib import Path

from fairway.adapters.commands.execution import execute
from fairway.adapters.commands.place import Json, Place


def main() -> int:
    """Starts the command unless it has a result."""
    if len(sys.argv) != 3:
        print("usage: python -m fairway.adapters.commands FOLDER LOCK", file=sys.stderr)  # noqa: T201
        return 2
    place, lock = Place(Path(sys.argv[1])), int(sys.argv[2])
    os.set_inheritable(lock, False)
    try:
        definition = json.load(sys.stdin)
    except ValueError:
        return 1  # the caller was killed before it had said everything
    if place.result.exists():
        return 0
    answer, question = os.pipe()
    if os.fork() == 0:
        _watch(place, definition, answer, question)
    os.close(question)
    # The lock lives on in the other process; this one waits only for the first word.
    with os.fdopen(answer) as words, contextlib.suppress(BrokenPipeError):
        os.write(1, words.read().encode())
    return 0


def _watch(place: Place, definition: Json, answer: int, question: int) -> None:
    status = 1
    try:
        os.setsid()
        os.close(answer)
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        os.close(nothing)

        def say(word: Json) -> None:
            with contextlib.suppress(BrokenPipeError):
                os.write(question, json.dumps(word).encode())
            os.close(question)

        execute(place, definition, say)
        status = 0
    finally:
        os._exit(status)


sys.exit(main())
