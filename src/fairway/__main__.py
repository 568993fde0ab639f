"""The command `fairway`."""

import gc
import os
import sys

from fairway import __version__


def main() -> None:
    """Runs the command line; `--version` answers without loading anything else."""
    _fill_streams()
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"{__version__}\n")
        return
    # Starting makes many objects that stay; looking for garbage among them again and again costs a tenth of the start.
    gc.set_threshold(50_000, 20, 20)
    try:
        from fairway.cli import run

        status = run(sys.argv[1:])
        if sys.argv[1:2] in (["next"], ["changelog"]):
            # They leave nothing to be tidied, and what they wrote is flushed; taking tens of thousands of commits apart
            # one by one takes longer than to give them back with the process.
            os._exit(status)
        # What is left is given back with the process; looking for garbage among it once more is for nothing.
        gc.freeze()
        sys.exit(status)
    except KeyboardInterrupt:
        # While modules were being loaded: nothing had begun.
        sys.exit(3)


def _fill_streams() -> None:
    """Puts nothing in place of streams that the caller closed: else the first file of ours would get their number."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free, which is this one
            setattr(sys, name, os.fdopen(number, mode))


if __name__ == "__main__":
    main()
